"""The picture of a dataset's tokens: its title, and what is said to the person who asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.mrkdwn import bold, mrkdwn
from bot.views import words
from bot.views.blocks import section
from bot.views.message import Message, message

if TYPE_CHECKING:
    from jobstore.records import Dataset, Record


def picture_title(record: Record[Dataset]) -> str:
    """The title of the picture."""
    return f"{words.name(record.data.filename)} ({record.ref.id}): tokens of its examples"


def picture_coming(record: Record[Dataset]) -> Message:
    """The picture was asked for; it is posted once."""
    text = mrkdwn("The picture of {id}'s tokens stands in its thread in a moment.", id=bold(record.ref.id))
    return message(text, section(text))
