"""Rows of a dataset for the eyes of the one who asked, with what is wrong with each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import Mrkdwn, clip, join, mrkdwn, prose
from bot.views import words
from bot.views.blocks import context, section, verbatim
from bot.views.message import Message, message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.views.message import Block
    from finetune.excerpt import Shown

CHARACTERS_MAX: Final = 700
SAID_MAX: Final = 600
_HIDDEN: Final = {
    "sensitive": mrkdwn("Not shown: it seems to hold a key or personal data. Open the file to see it."),
    "broken": mrkdwn("It cannot be shown: the file is broken there."),
    "too-far": mrkdwn("Too far down to show here. Open the file to see it."),
}


def rows_shown(filename: str, rows: Sequence[Shown]) -> Message:
    """The rows that a report names first, each with its text."""
    text = mrkdwn("Rows of *{file}* that need a look.", file=words.name(filename))
    if not rows:
        text = mrkdwn("The report names no row of *{file}*.", file=words.name(filename))
    blocks = [block for row in rows for block in _row(row)]
    return message(text, section(text), *blocks, context(mrkdwn("Only you can see this.")))


def _row(row: Shown) -> list[Block]:
    said = join(" ", [prose(one) for one in row.messages]).clipped(SAID_MAX)
    head: Mrkdwn = mrkdwn("*Row {number}.* {said}", number=row.number, said=said)
    if row.hidden:
        return [section(head), section(_HIDDEN[row.hidden])]
    return [section(head), *verbatim(clip(row.text, CHARACTERS_MAX), at_most=1)]
