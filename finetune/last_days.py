"""When models end, by what a provider tells of them or the price table has of their base; and how that is said."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from finetune.catalogue import Catalogue, Model

SOON: Final = timedelta(days=90)
"""What stops within this time needs somebody's attention now."""

IN_SIGHT: Final = timedelta(days=180)
"""What stops within this time is worth knowing before one trains on it."""

_TUNED: Final = "ft:"


def base_of(name: str) -> str:
    """Return the base that a tuned model's name tells of ("ft:gpt-4o-mini-2024-07-18:acme:bot:Ab1"), else the name."""
    return name.split(":")[1] if name.startswith(_TUNED) else name


def stop_of(model: str, base: str, told: Mapping[str, date], catalogue: Catalogue) -> date | None:
    """Return the day on which a tuned model stops, None where nobody knows.

    `told` is what the provider tells of its models, tuned or not; `base` may be a tuned model itself. The model's own
    day counts before its base's, the provider's before the price table's.
    """
    root = base_of(base)
    for name in (model, base, root):
        if name in told:
            return told[name]
    found = catalogue.get(root)
    return found.shutdown if found else None


def ending(model: Model, day: date, within: timedelta = IN_SIGHT) -> str:
    """Return what ends for a base model `within` some time of `day`, as the end of a sentence; "" for nothing."""
    last_job, shutdown = (end if end is not None and end - day <= within else None
                          for end in (model.last_job, model.shutdown))  # fmt: skip
    takes_none = f"takes no new jobs {'since' if last_job <= day else 'from'} {last_job}" if last_job else ""
    stops = f"{'stopped' if shutdown <= day else 'stops'} on {shutdown}" if shutdown else ""
    return " and ".join(part for part in (takes_none, stops) if part)


def distance(end: date, day: date) -> str:
    """Return how far a day is from another: "in 54 days", "tomorrow", "today", "3 days ago"."""
    days = (end - day).days
    if abs(days) <= 1:
        return {-1: "yesterday", 0: "today", 1: "tomorrow"}[days]
    return f"in {days:,} days" if days > 0 else f"{-days:,} days ago"
