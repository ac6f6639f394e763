"""What a person confirms before a model is hosted: how long, at what price, and one digest over both."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Final

from finetune.errors import UserError

HOURS_MAX: Final = 24
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRequest:
    """One stay of a model on a host of its own, exactly as it will be asked of the provider.

    `model` is the provider's name of it. `number` says which stay of the job's models it is, from 1: whoever confirms
    one of them has not confirmed the next.
    """

    job: str
    provider: str
    model: str
    hours: int
    usd_per_hour: float
    number: int

    @property
    def most_usd(self) -> float:
        """The most it may cost, in US dollars."""
        return self.hours * self.usd_per_hour

    def digest(self) -> str:
        """SHA-256 over every field: what a confirmation is bound to."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def parse_hours(text: str) -> int:
    """Return for how many hours a model is to be hosted, 1 where nothing is said; UserError otherwise."""
    value = text.strip().lower().removesuffix("h").strip() or "1"
    if not re.fullmatch(r"[0-9]{1,3}", value) or not 1 <= int(value) <= HOURS_MAX:
        raise UserError(
            "hours-invalid", f"A model is hosted for 1 to {HOURS_MAX} whole hours at a time.", "For example: hours=2"
        )
    return int(value)
