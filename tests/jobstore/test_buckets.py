"""One bucket a provider, and records that are made due before their time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from jobstore.buckets import Buckets
from jobstore.connections import connect
from jobstore.states import Actor
from tests.support.samples import TEAM, a_job, recorded

if TYPE_CHECKING:
    from jobstore.connections import Redis
    from jobstore.records import Ref
    from jobstore.store import Store

HOUR_MS = 3_600_000


def test_no_more_is_taken_than_there_is(connection: Redis) -> None:
    buckets = Buckets(connection)
    assert buckets.take("p", 4, rate_per_min=1, burst=10) == (4, 0)
    assert buckets.take("p", 9, rate_per_min=1, burst=10) == (6, 0)
    taken, wait_ms = buckets.take("p", 1, rate_per_min=1, burst=10)
    assert taken == 0
    assert 50_000 < wait_ms <= 60_000


def test_each_provider_has_its_own(connection: Redis) -> None:
    buckets = Buckets(connection)
    assert buckets.take("one", 5, rate_per_min=1, burst=5)[0] == 5
    assert buckets.take("other", 5, rate_per_min=1, burst=5)[0] == 5


def test_all_who_take_share_it(redis_url: str) -> None:
    taken: list[int] = []

    def take() -> None:
        client = connect(redis_url)
        taken.extend(Buckets(client).take("p", 1, rate_per_min=0.001, burst=30)[0] for _ in range(20))
        client.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 30


def test_held_bucket_gives_nothing_to_anybody(connection: Redis) -> None:
    buckets = Buckets(connection)
    buckets.hold("p", HOUR_MS)
    taken, wait_ms = buckets.take("p", 1, rate_per_min=6000, burst=100)
    assert taken == 0
    assert wait_ms > HOUR_MS / 2


def followed(store: Store) -> Ref:
    record: Any = store.get(recorded(store, a_job(run="r")))
    for state in ("uploading", "creating", "queued"):
        record = store.transition(record, state, record.data)
    return store.transition(record, "training", record.data, due_in_ms=HOUR_MS).ref


def test_hastened_record_is_due_now(store: Store) -> None:
    ref = followed(store)
    assert store.due(TEAM, Actor.FOLLOWER) == []
    assert store.hasten(TEAM, Actor.FOLLOWER, [ref]) == set()
    assert store.due(TEAM, Actor.FOLLOWER) == [ref]


def test_held_record_is_not_hastened(store: Store) -> None:
    ref = followed(store)
    assert store.claim(ref, ["training"], HOUR_MS) is not None
    assert store.hasten(TEAM, Actor.FOLLOWER, [ref]) == set()
    assert store.due(TEAM, Actor.FOLLOWER) == []


def test_record_that_waits_for_nobody_here_is_told_of(store: Store) -> None:
    waits_for_a_worker = recorded(store, a_job())
    assert store.hasten(TEAM, Actor.FOLLOWER, [waits_for_a_worker]) == {waits_for_a_worker}
    assert store.hasten(TEAM, Actor.FOLLOWER, []) == set()
