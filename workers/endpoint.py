"""Where a provider is, whichever protocol it speaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a provider is and how long to wait for it, in seconds.

    `create_deadline_s` bounds the one POST that costs money: it must end well before the lease does. Files of more than
    `part_bytes` are uploaded in parts of that size, where the provider takes parts.
    """

    name: str
    api_key: str
    base_url: str | None = None
    timeout_s: float = 60.0
    create_deadline_s: float = 12.0
    part_bytes: int = 64 * 1024 * 1024
