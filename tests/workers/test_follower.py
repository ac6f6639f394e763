"""Followers side by side, against a provider that keeps count: each run looked at by one at a time, nothing twice."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

from finetune.catalogue import Catalogue
from jobstore.blobs import Blobs
from jobstore.buckets import Buckets
from jobstore.connections import connect_rq
from jobstore.doorbell import Doorbell
from jobstore.jobs import Progress
from jobstore.money import Reservation
from jobstore.resolving import name_run, question_of
from tests.support.samples import MONTH, TEAM, a_job, recorded
from workers.follower import Follower
from workers.following import figures_stretch
from workers.provider import ErrorKind, ProviderError, Run, RunEvent, RunStatus
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    import redis

    from jobstore.connections import Redis
    from jobstore.records import Record, Ref
    from jobstore.store import Store

OFTEN: Final = Timings(poll_min_s=0.01, poll_max_s=0.5, list_from_runs=0, retry_base_s=0.01, provider_calls_per_min=1e6)
PATIENCE_S: Final = 60.0


class Runs:
    """Runs that tell one more metric at every look, and end when told to."""

    name = "local"

    def __init__(self) -> None:
        self.ended: set[str] = set()
        self.told: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self.most_at_once = 0
        self.refuses = 0
        self.missing = False
        self.stopped: set[str] = set()
        self.names: list[str] = []

    async def run(self, run: str) -> Run:
        self.calls["run"] += 1
        if self.refuses:
            self.refuses -= 1
            raise ProviderError(ErrorKind.RETRY, "rate-limited", "busy", "wait", retry_after_s=0.2)
        if self.missing:
            raise ProviderError(ErrorKind.MISSING, "missing", "No such run.", "Look.")
        return await self._asked(run, self._shown)

    async def runs(self) -> AsyncIterator[list[Run]]:
        for start in range(0, len(self.names), 100):
            self.calls["page"] += 1
            yield [self._shown(name) for name in self.names[start : start + 100]]

    async def events(self, run: str, *, since_ms: int, **_: Any) -> list[RunEvent]:
        self.calls["events"] += 1
        return await self._asked(run, lambda name: self._events(name, since_ms))

    async def cancel(self, run: str) -> Run:
        if self.missing:
            return await self.run(run)
        self.stopped.add(run)
        return self._shown(run)

    pause = resume = run

    async def _asked(self, run: str, answer: Callable[[str], Any]) -> Any:
        self.at_once[run] += 1
        self.most_at_once = max(self.most_at_once, self.at_once[run])
        await asyncio.sleep(0.002)
        self.at_once[run] -= 1
        return answer(run)

    def _shown(self, run: str) -> Run:
        if run in self.stopped:
            return Run(id=run, status=RunStatus.CANCELLED, said="cancelled")
        if run in self.ended:
            return Run(id=run, status=RunStatus.SUCCEEDED, said="succeeded", model="m", trained_tokens=5)
        return Run(id=run, status=RunStatus.RUNNING, said="running")

    def _events(self, run: str, since_ms: int) -> list[RunEvent]:
        if run not in self.ended | self.stopped:
            self.told[run] += 1
        told = [
            RunEvent(id=f"{run}-{step}", at_ms=100_000 + step * 1_000, message="", step=step, train_loss=1 / step)
            for step in range(1, self.told[run] + 1)
        ]
        return [event for event in told if event.at_ms >= since_ms]


@pytest.fixture
def provider() -> Runs:
    return Runs()


@pytest.fixture
def shop(store: Store, connection: Redis, redis_url: str, tmp_path: Path, provider: Runs) -> Iterator[Workshop]:
    given: Any = {"local": provider}
    with connect_rq(redis_url) as bells:
        yield Workshop(
            store=store, blobs=Blobs(str(tmp_path)), doorbell=Doorbell(bells), buckets=Buckets(connection),
            providers=given, catalogue=Catalogue.load(), models=(), timings=OFTEN,
        )  # fmt: skip


def followed(store: Store, provider: Runs, count: int, reserve: Reservation | None = None) -> list[Ref]:
    refs: list[Ref] = []
    for number in range(count):
        name = f"r{number}"
        record: Any = store.get(recorded(store, a_job(run=name, run_created_ms=store.now_ms()), reserve=reserve))
        for state in ("uploading", "creating", "queued"):
            record = store.transition(record, state, record.data)
        provider.names.append(name)
        refs.append(record.ref)
    return refs


def follow(shop: Workshop, until: Callable[[], bool], *, followers: int = 1) -> None:
    """Let followers follow until something is so."""

    async def run() -> None:
        crew = [Follower(shop) for _ in range(followers)]
        tasks = [asyncio.create_task(one.run()) for one in crew]
        async with asyncio.timeout(PATIENCE_S):
            while not await asyncio.to_thread(until):  # noqa: ASYNC110 - what is waited for stands in Redis
                await asyncio.sleep(0.02)
        for one in crew:
            one.stop()
        await asyncio.gather(*tasks)

    asyncio.run(run())


def job(store: Store, ref: Ref) -> Record[Any]:
    record = store.get(ref)
    assert record is not None
    return record


def test_two_followers_look_at_a_run_one_at_a_time_and_take_every_event_in_once(
    shop: Workshop, store: Store, provider: Runs
) -> None:
    refs = followed(store, provider, 12)

    follow(shop, lambda: all(job(store, ref).data.progress.events >= 4 for ref in refs), followers=2)
    provider.ended.update(provider.names)
    follow(shop, lambda: all(job(store, ref).state == "analysing" for ref in refs), followers=2)

    assert provider.most_at_once == 1
    for ref in refs:
        data = job(store, ref).data
        assert (data.progress.events, data.progress.step) == (provider.told[data.run],) * 2
        assert [event["type"] for event in store.events(ref)].count("RunSucceeded") == 1


def test_where_many_runs_live_the_list_tells_what_has_changed(shop: Workshop, store: Store, provider: Runs) -> None:
    shop = dataclasses.replace(shop, timings=dataclasses.replace(OFTEN, list_from_runs=10, poll_max_s=2.0))
    refs = followed(store, provider, 12)

    def are_listed() -> bool:
        return provider.calls["page"] >= 2

    follow(shop, are_listed)
    provider.ended.add("r3")
    follow(shop, lambda: job(store, refs[3]).state == "analysing")
    assert provider.calls["page"] >= 2
    assert job(store, refs[3]).data.model == "m"
    assert [job(store, ref).state for ref in refs].count("training") == 11


def test_list_does_not_wait_behind_the_looks_that_are_due(shop: Workshop, store: Store, provider: Runs) -> None:
    # forty runs are due all the time, and twenty calls a second are allowed: looks alone would take them all
    busy = Timings(poll_min_s=0.01, poll_max_s=0.1, list_from_runs=10, provider_calls_per_min=1200)
    followed(store, provider, 40)
    looks_between: list[int] = []

    def is_read() -> bool:
        looks_between.append(provider.calls["run"] + provider.calls["events"])
        return provider.calls["page"] >= 6

    follow(dataclasses.replace(shop, timings=busy), is_read)
    # in one line with them, each page would have waited for forty looks
    assert looks_between[-1] < 3 * 40


def test_figures_of_so_many_runs_are_asked_for_less_often_that_the_list_keeps_its_share() -> None:
    timings = Timings(poll_max_s=60, provider_calls_per_min=6000)
    assert figures_stretch(timings, 100) == 1
    assert figures_stretch(timings, 3_000) == 1
    every_s = 60 * figures_stretch(timings, 10_000)
    assert 10_000 / every_s == pytest.approx(50)  # of a hundred calls a second


def test_provider_that_is_busy_is_left_alone_for_as_long_as_it_says(
    shop: Workshop, store: Store, provider: Runs
) -> None:
    (ref,) = followed(store, provider, 1)
    provider.refuses = 2
    began = store.now_ms()

    follow(shop, lambda: job(store, ref).data.progress.events >= 1)
    assert store.now_ms() - began >= 390  # twice 0.2 s, by a clock of whole milliseconds
    assert provider.calls["run"] >= 3


GRACE: Final = dataclasses.replace(OFTEN, create_deadline_s=0.2, lookup_grace_s=0.2)
PRICE: Final = Reservation(month=MONTH, micros=2_000_000, run_cap_micros=2_000_000, month_cap_micros=2_000_000)


def test_run_that_was_only_just_made_is_asked_after_until_it_must_have_been_shown(
    shop: Workshop, store: Store, provider: Runs
) -> None:
    """The provider answered the request with its id: that some of its servers do not know it yet says nothing."""
    (ref,) = followed(store, provider, 1)
    provider.missing = True
    shop = dataclasses.replace(shop, timings=dataclasses.replace(OFTEN, lookup_grace_s=600))
    follow(shop, lambda: provider.calls["run"] >= 6)
    assert (job(store, ref).state, job(store, ref).data.run) == ("queued", "r0")
    provider.missing = False
    follow(shop, lambda: job(store, ref).state == "training")


def test_run_that_is_never_shown_is_put_before_a_person_with_its_id(
    shop: Workshop, store: Store, provider: Runs, peek: redis.Redis
) -> None:
    (ref,) = followed(store, provider, 1)
    provider.missing = True
    follow(dataclasses.replace(shop, timings=GRACE), lambda: job(store, ref).state == "unclear")

    assert job(store, ref).data.note == "The provider knows no run r0."
    assert peek.keys(f"*delivery:unclear:{ref.member}:*"), "its buttons are nowhere else"
    name_run(store, job(store, ref), "U1", "r0", about=question_of(job(store, ref)))
    provider.missing = False
    follow(shop, lambda: job(store, ref).state == "training")


def test_run_that_is_gone_at_its_provider_can_be_cancelled(shop: Workshop, store: Store, provider: Runs) -> None:
    """Nobody can end what is not there: its money is not held for ever either."""
    (ref,) = followed(store, provider, 1)
    follow(shop, lambda: job(store, ref).data.progress.step > 0)
    provider.missing = True
    store.flag_cancel(ref, "U1", channel="C1")
    follow(shop, lambda: job(store, ref).state == "cancelled")

    assert job(store, ref).data.cost_usd is None


@pytest.mark.parametrize(("step", "total", "spent"), [(0, 0, 0.0), (3, 0, 2.0), (3, 12, 0.5), (13, 12, 2.0)])
def test_run_cancelled_at_a_provider_that_tells_no_cost_counts_by_its_steps(
    shop: Workshop, store: Store, provider: Runs, step: int, total: int, spent: float
) -> None:
    (ref,) = followed(store, provider, 1, reserve=PRICE)
    progress = Progress(step=step, total_steps=total, started_ms=step, status="running" if step else "queued")
    store.transition(job(store, ref), "queued", job(store, ref).having(progress=progress))
    store.flag_cancel(ref, "U1", channel="C1")
    follow(shop, lambda: job(store, ref).state == "cancelled")

    assert store.spend(TEAM, MONTH) == (0.0, spent)
    assert job(store, ref).data.cost_usd is None
