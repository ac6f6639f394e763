"""A message as the sender posts it: the sentence for notifications and screen readers, and its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.mrkdwn import Mrkdwn

Block = dict[str, Any]
FALLBACK_MAX = 1_000
"""Slack takes 4,000 characters in an update; the sentence beside the blocks needs fewer, and counts towards the sum."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: `text` is escaped already, and stands in for the blocks wherever they are not drawn."""

    text: str
    blocks: list[Block]


def message(text: Mrkdwn, *blocks: Block | None) -> Message:
    """Return a message of the blocks that are there."""
    return Message(str(text.clipped(FALLBACK_MAX)) if text else "Tuneroom", [block for block in blocks if block])
