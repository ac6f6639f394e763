"""Cancel is a flag that the next step reads: nobody's commit is lost to it, and nobody misses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobstore.states import TABLES, Actor, Kind
from tests.support.samples import CHANNEL, TEAM, a_dataset, a_job, recorded

if TYPE_CHECKING:
    import redis

    from jobstore.records import Ref
    from jobstore.store import Store

LONG_MS = 30_000
CANCELLABLE = [name for name, state in TABLES[Kind.JOB].items() if "cancelled" in state.to]


def placed(peek: redis.Redis, ref: Ref, state: str) -> None:
    """Put a record in a state by hand."""
    peek.hset("tuneroom:{T1}:" + ref.member, "state", state)


def test_cancel_is_flagged_once_and_known_to_who_asks(store: Store) -> None:
    ref = recorded(store)
    assert store.flag_cancel(ref, "U1", channel=CHANNEL) == "flagged"
    assert store.flag_cancel(ref, "U2", channel=CHANNEL) == "already"
    record = store.get(ref)
    assert record is not None
    assert (record.cancel, record.version) == (True, 1)
    assert [(event["type"], event.get("person")) for event in store.events(ref)][1:] == [("CancelRequested", "U1")]
    assert [(entry["act"], entry["person"], entry["on"]) for entry in store.audit(TEAM)] == [("cancel", "U1", "job:j1")]


@pytest.mark.parametrize("state", TABLES[Kind.JOB])
def test_cancel_is_too_late_where_the_state_cannot_be_cancelled(store: Store, peek: redis.Redis, state: str) -> None:
    ref = recorded(store)
    placed(peek, ref, state)
    assert store.flag_cancel(ref, "U1", channel=CHANNEL) == ("flagged" if state in CANCELLABLE else "too-late")
    record = store.get(ref)
    assert record is not None
    assert record.cancel == (state in CANCELLABLE)


def test_what_is_no_job_or_not_there_cannot_be_cancelled(store: Store, peek: redis.Redis) -> None:
    dataset, gone = recorded(store, a_dataset()), recorded(store)
    peek.delete("tuneroom:{T1}:" + gone.member)
    assert store.flag_cancel(dataset, "U1", channel=CHANNEL) == "too-late"
    assert store.flag_cancel(gone, "U1", channel=CHANNEL) == "too-late"
    assert store.get(gone) is None


def test_cancel_makes_a_waiting_record_due_at_once(store: Store) -> None:
    ref = recorded(store)
    record = store.get(ref)
    assert record is not None
    store.transition(record, "requested", a_job(), due_in_ms=300_000)
    store.flag_cancel(ref, "U1", channel=CHANNEL)
    assert store.due(TEAM, Actor.WORKER) == [ref]


def test_cancel_does_not_take_the_lease_from_its_owner(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    store.flag_cancel(ref, "U1", channel=CHANNEL)
    assert store.due(TEAM, Actor.WORKER) == []
    assert store.transition(mine, "uploading", a_job()).state == "uploading"


def test_owner_learns_of_a_cancel_with_its_next_write(store: Store) -> None:
    """An amendment before the paid POST must not come back saying that nobody cancelled."""
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    store.flag_cancel(ref, "U1", channel=CHANNEL)
    assert not mine.cancel
    assert store.transition(mine, "requested", a_job(), keep_lease=True).cancel


def test_cancel_during_a_step_is_acted_on_right_after_it(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    store.flag_cancel(ref, "U1", channel=CHANNEL)
    after = store.transition(mine, "requested", a_job(), due_in_ms=300_000)
    assert store.due(TEAM, Actor.WORKER) == [ref]
    store.transition(after, "requested", a_job(), due_in_ms=300_000)
    assert store.due(TEAM, Actor.WORKER) == [], "who knew of it may wait, for the provider to act on it"


def test_cancel_during_a_step_that_fails_is_acted_on_right_after_it(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], LONG_MS)
    assert mine is not None
    store.flag_cancel(ref, "U1", channel=CHANNEL)
    store.release(mine, due_in_ms=300_000)
    assert store.due(TEAM, Actor.WORKER) == [ref]
