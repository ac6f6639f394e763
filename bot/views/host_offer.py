"""What hosting a model would come to, as views take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.hosting import HostRequest


@dataclass(frozen=True, slots=True)
class HostPrice:
    """What a host costs an hour at a service whose models answer only from one; None: nobody knows."""

    usd_per_hour: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOffer:
    """A stay that could be confirmed; `request` is None where nobody knows what it would cost.

    `idle_min`: after so many minutes without a question it is put to sleep.
    """

    request: HostRequest | None
    idle_min: float
