"""Statuses from the provider's list: which runs it saves asking after, and how far back it is read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from jobstore.jobs import Progress
from jobstore.records import Record, Ref
from jobstore.states import Kind
from tests.support.samples import TEAM, a_job
from workers.provider import Run, RunStatus
from workers.roster import Roster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Listing:
    """A provider's list, in pages of two, newest first; counts the pages that were read."""

    def __init__(self, *statuses: tuple[str, str]) -> None:
        self.statuses = list(statuses)
        self.pages = 0

    async def runs(self) -> AsyncIterator[list[Run]]:
        for start in range(0, len(self.statuses), 2):
            self.pages += 1
            yield [Run(id=name, status=RunStatus.RUNNING, said=said) for name, said in self.statuses[start : start + 2]]


class Free:
    """A bucket that is never empty."""

    async def take(self) -> None:
        """Go ahead."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def job(number: int, status: str = "running") -> Any:
    data = a_job(run=f"r{number}", progress=Progress(status=status))
    return Record(ref=Ref(TEAM, Kind.JOB, f"j{number}"), state="training", version=1, data=data)


def roster(listing: Listing, *numbers: int, clock: Clock | None = None, from_runs: int = 1) -> Roster:
    made = Roster(listing, fresh_s=60, from_runs=from_runs, clock=clock or Clock())  # type: ignore[arg-type]
    for number in numbers:
        made.watch(job(number))
    return made


def read(one: Roster) -> list[str]:
    return [ref.id for ref in asyncio.run(one.read(Free()))]  # type: ignore[arg-type]


def test_only_what_has_changed_is_told() -> None:
    listing = Listing(("r1", "running"), ("r2", "succeeded"), ("r9", "failed"))
    assert read(roster(listing, 1, 2)) == ["j2"]


def test_what_the_list_showed_is_believed_for_a_while() -> None:
    clock = Clock()
    one = roster(Listing(("r1", "running")), 1, clock=clock)
    assert one.latest("r1") is None
    read(one)
    assert one.latest("r1") is not None
    clock.now = 61
    assert one.latest("r1") is None


def test_run_that_the_list_does_not_show_is_asked_after_by_itself() -> None:
    one = roster(Listing(("r1", "running")), 1, 2)
    read(one)
    assert one.latest("r2") is None


def test_list_is_read_until_all_are_seen() -> None:
    listing = Listing(("r1", "running"), ("r2", "running"), ("r3", "running"), ("r4", "running"))
    read(roster(listing, 1, 2))
    assert listing.pages == 1


def test_list_is_read_no_further_than_it_shows_ours() -> None:
    others = [(f"o{number}", "succeeded") for number in range(20)]
    listing = Listing(("r1", "running"), *others, ("r2", "running"))
    read(roster(listing, 1, 2))
    assert listing.pages == 2


def test_few_runs_are_asked_after_one_by_one() -> None:
    assert not roster(Listing(), 1, 2, from_runs=3).is_worth_it
    assert roster(Listing(), 1, 2, 3, from_runs=3).is_worth_it
    assert not roster(Listing(), 1, 2, 3, from_runs=0).is_worth_it


def test_run_that_is_over_is_forgotten() -> None:
    one = roster(Listing(("r1", "running")), 1, 2)
    read(one)
    one.forget("r1")
    one.forget_refs({Ref(TEAM, Kind.JOB, "j2")})
    assert one.latest("r1") is None
    assert not one.is_worth_it
