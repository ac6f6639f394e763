"""The recorded decision to make one outside effect that is paid for (docs/architecture.md, promise 4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """To create one paid run or host. `posted_ms`: when the request was about to be sent; 0: never."""

    id: str
    posted_ms: int = 0
