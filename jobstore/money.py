"""Money that is held back and booked, in micro-dollars: whole numbers, which Redis adds without rounding.

A month's money is counted in accounts: everybody's, called "", and those of a person ("person:U1") and of a channel
("channel:C1"). What one job reserves stands in each of its accounts, and is settled in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MICROS: Final = 1_000_000
EVERYBODY: Final = ""


class CapError(Exception):
    """A confirmation would go over a cap. `cap` is "run", "month", "person" or "channel"; US dollars.

    `left_usd` is what may still be reserved, `cap_usd` what may be in all.
    """

    def __init__(self, cap: str, left_usd: float, cap_usd: float) -> None:
        super().__init__(f"over the cap by {cap}")
        self.cap = cap
        self.left_usd = left_usd
        self.cap_usd = cap_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose money of a month is counted, and what it may come to, in micro-dollars; None: no cap of its own."""

    name: str
    cap_micros: int | None = None


def person_account(person: str) -> str:
    """Return the name of a person's account."""
    return f"person:{person}"


def channel_account(channel: str) -> str:
    """Return the name of a channel's account."""
    return f"channel:{channel}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Money held back when a person confirms, in micro-dollars, against the caps of that moment.

    `accounts` are those besides everybody's, whose cap is `month_cap_micros`.
    """

    month: str
    micros: int
    run_cap_micros: int
    month_cap_micros: int
    accounts: tuple[Account, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What becomes of a reservation: what is released of it, and what is booked as spent, in micro-dollars.

    What was spent was spent, so no cap refuses it; those of `accounts` are not looked at.
    """

    month: str
    release_micros: int
    spend_micros: int
    accounts: tuple[Account, ...] = ()
