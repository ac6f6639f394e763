"""Money that is held back and booked, in micro-dollars: whole numbers, which Redis adds without rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MICROS: Final = 1_000_000


class CapError(Exception):
    """A confirmation would go over a cap. `cap` is "run" or "month"; `left_usd` is what may still be reserved."""

    def __init__(self, cap: str, left_usd: float) -> None:
        super().__init__(f"over the cap by {cap}")
        self.cap = cap
        self.left_usd = left_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Money held back when a person confirms, in micro-dollars, against the caps of that moment."""

    month: str
    micros: int
    run_cap_micros: int
    month_cap_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What becomes of a reservation: what is released of it, and what is booked as spent, in micro-dollars.

    With `month_cap_micros`, booking more than is released is refused where the month's cap does not hold it.
    """

    month: str
    release_micros: int
    spend_micros: int
    month_cap_micros: int | None = None
