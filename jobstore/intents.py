"""The recorded decision to make one outside effect that is paid for (docs/architecture.md, promise 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobstore.records import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """To create one paid run or host. `posted_ms`: when the request was about to be sent; 0: never."""

    id: str
    posted_ms: int = 0


def intent_id(ref: Ref, digest: str, *, confirmed_ms: int, number: int) -> str:
    """Return the id of the intent that follows from a confirmation: whoever computes it again gets the same.

    It names its record: two people may confirm the same request in the same millisecond, and each is to have a run.
    `number` counts the intents of one confirmation, from 0.
    """
    return f"{ref.team}-{ref.id}-{digest[:24]}-{confirmed_ms}-{number}"
