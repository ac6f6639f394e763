"""Text in fixed width, exactly as it is: snippets to copy, small tables whose columns line up in any script."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from bot.mrkdwn import clean, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.views.message import Block

LONGEST: Final = 3_000


def preformatted(text: str) -> Block:
    """A block of fixed width; nothing in it is markup. ValueError for more than 3,000 characters."""
    if width(text) > LONGEST:
        raise ValueError(f"{width(text)} characters of fixed width, at most {LONGEST}")
    inner = {"type": "text", "text": clean(text) or " "}
    return {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [inner]}]}


def lined_up(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines whose columns line up: the first to the left, the others, figures, to the right."""
    widths = [max(map(_columns, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths).rstrip() for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        (cell + gap, gap + cell)[place > 0]
        for place, cell in enumerate(row)
        for gap in [" " * (widths[place] - _columns(cell))]
    )
    return "  ".join([first, *others])


def _columns(text: str) -> int:
    """How many columns a text takes: Hangul, kana and Han take two."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )
