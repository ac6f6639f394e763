"""Leases: one owner at a time, a lapse gives the record back, and a token that only grows."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from jobstore.connections import connect
from jobstore.states import Actor
from jobstore.store import Store
from tests.support.samples import TEAM, a_dataset, a_job, recorded
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    import redis

LONG_MS = 30_000
SHORT_MS = 40


def test_claim_is_exclusive(store: Store) -> None:
    ref = recorded(store)
    assert store.claim(ref, ["requested"], LONG_MS) is not None
    assert store.claim(ref, ["requested"], LONG_MS) is None


def test_of_many_claims_at_once_one_is_granted(redis_url: str, store: Store) -> None:
    ref = recorded(store)

    def claim(_: int) -> int:
        connection = connect(redis_url)
        try:
            return int(Store(connection).claim(ref, ["requested"], LONG_MS) is not None)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(24))) == 1


def test_claim_asks_for_the_state(store: Store) -> None:
    ref = recorded(store)
    assert store.claim(ref, ["uploading", "creating"], LONG_MS) is None
    assert store.claim(ref, [], LONG_MS) is None
    assert store.claim(ref, ["creating", "requested"], LONG_MS) is not None


def test_claim_across_actors_stays_with_the_states_own(store: Store) -> None:
    ref = recorded(store, a_dataset())
    assert store.claim(ref, ["checking", "received"], 1) is not None
    assert wait_for(lambda: store.due(TEAM, Actor.FETCHER)) == [ref]
    assert store.next_due_ms(TEAM, Actor.WORKER) is None


def test_lease_lapses_and_the_token_grows(store: Store) -> None:
    ref = recorded(store)
    tokens = [wait_for(lambda: store.claim(ref, ["requested"], SHORT_MS)) for _ in range(3)]
    assert [record.token for record in tokens if record] == [1, 2, 3]


def test_lapse_is_when_the_record_is_due_again(store: Store) -> None:
    ref = recorded(store)
    assert store.claim(ref, ["requested"], SHORT_MS) is not None
    assert store.due(TEAM, Actor.WORKER) == []
    assert 0 < (store.next_due_ms(TEAM, Actor.WORKER) or 0) <= SHORT_MS
    assert wait_for(lambda: store.due(TEAM, Actor.WORKER)) == [ref]
    assert store.claim(ref, ["requested"], LONG_MS) is not None


def test_lapsed_lease_counts_as_an_attempt(store: Store) -> None:
    """Or a record that kills its worker each time would be tried for ever, and never be seen to fail."""
    ref = recorded(store)
    claims = [wait_for(lambda: store.claim(ref, ["requested"], 1)) for _ in range(3)]
    assert [record.attempts for record in claims if record] == [0, 1, 2]


def test_renewed_lease_outlives_its_first_end(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], SHORT_MS)
    assert mine is not None
    first_end = store.now_ms() + SHORT_MS
    assert store.renew(mine, LONG_MS)
    wait_for(lambda: store.now_ms() > first_end)
    assert store.claim(ref, ["requested"], LONG_MS) is None
    assert store.transition(mine, "uploading", a_job()).state == "uploading"


def test_lapsed_owner_may_go_on_while_nobody_came(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], 1)
    assert mine is not None
    wait_for(lambda: store.due(TEAM, Actor.WORKER))
    assert store.renew(mine, LONG_MS)
    assert store.claim(ref, ["requested"], LONG_MS) is None


def test_released_record_is_due_later_with_one_more_attempt(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    assert store.release(mine, due_in_ms=60_000)
    assert 50_000 < (store.next_due_ms(TEAM, Actor.WORKER) or 0) <= 60_000
    again = store.claim(ref, ["requested"], LONG_MS)
    assert again is not None
    assert (again.attempts, again.token) == (1, 2)


def test_lease_is_released_once(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    assert store.release(mine, due_in_ms=0)
    assert not store.release(mine, due_in_ms=0)
    assert not store.renew(mine, LONG_MS)


def test_attempts_begin_anew_with_a_transition(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    store.release(mine, due_in_ms=0)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    kept = store.transition(mine, "requested", a_job(note="waiting"), keep_lease=True)
    assert kept.attempts == 1
    assert store.transition(kept, "uploading", a_job()).attempts == 0
    moved = store.get(ref)
    assert moved is not None
    assert moved.attempts == 0


def test_ghost_is_forgotten_when_claimed(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store, a_dataset())
    peek.delete("tuneroom:{T1}:" + ref.member)
    assert store.due(TEAM, Actor.FETCHER) == [ref]
    assert store.claim(ref, ["received"], LONG_MS) is None
    assert store.due(TEAM, Actor.FETCHER) == []


def test_lease_of_a_process_that_died_is_ended_at_once(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None

    assert store.lapse(ref, os.getpid())
    theirs = store.claim(ref, ["requested"], LONG_MS)
    assert theirs is not None
    assert theirs.token > mine.token
    assert not store.renew(mine, LONG_MS)


def test_lapsed_for_its_owner_a_record_is_rung_for_and_counts_an_attempt(store: Store) -> None:
    ref = recorded(store)
    assert store.claim(ref, ["requested"], LONG_MS) is not None
    assert store.lapse(ref, os.getpid())

    assert store.ring_again(TEAM) == [ref]
    again = store.claim(ref, ["requested"], LONG_MS)
    assert again is not None
    assert again.attempts == 1


def test_lease_that_another_holds_is_left_alone(store: Store) -> None:
    ref = recorded(store)
    assert store.claim(ref, ["requested"], LONG_MS) is not None

    assert not store.lapse(ref, os.getpid() + 1)
    assert store.claim(ref, ["requested"], LONG_MS) is None
