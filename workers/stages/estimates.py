"""A provider that names its own price, once it has the rows, is held to what was confirmed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from jobstore.money import MICROS
from jobstore.refusals import Refusal

if TYPE_CHECKING:
    from jobstore.jobs import Job


def above_confirmed(job: Job, estimate_usd: float | None) -> Refusal | None:
    """Return why a run is not created that costs more than a person agreed to, None where it is.

    `estimate_usd`: what the provider itself expects it to cost, None where it does not say.
    """
    confirmed_usd = job.reserved_micros / MICROS
    if estimate_usd is None or round(estimate_usd * MICROS) <= job.reserved_micros:
        return None
    return Refusal(
        code="price-above-confirmed",
        message=f"The provider now expects this run to cost {_cents_up(estimate_usd)}, and you agreed to "
        f"{_cents_up(confirmed_usd)} at most. I did not start it, and nothing was charged.",
        hint="Start it again with fewer epochs or fewer rows. If its price looks wrong, ask whoever runs me to correct "
        "it (TUNEROOM_PRICE_TABLE).",
    )


def _cents_up(usd: float) -> str:
    """A price for people, rounded up: two that differ must not look the same."""
    return f"${math.ceil(usd * 100 - 1e-6) / 100:,.2f}"
