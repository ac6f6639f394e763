"""Promise 2: a transition is one script; it compares, and writes everything or nothing."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from jobstore.connections import connect
from jobstore.deliveries import Rank, card
from jobstore.keys import seen_hash
from jobstore.money import Settlement
from jobstore.records import SCHEMA, Record
from jobstore.scripts import Scripts
from jobstore.states import TABLES, Actor, Kind, allows, state_of
from jobstore.store import Mark, StaleError, Store
from tests.support.samples import CHANNEL, TEAM, a_dataset, a_job, recorded
from tests.support.valkey import contents

if TYPE_CHECKING:
    import redis

    from jobstore.connections import Redis
    from jobstore.outbox import Outbox
    from jobstore.records import Ref

DAY_S = 86400


def current(store: Store, ref: Ref) -> Record[Any]:
    """The record as it stands."""
    record = store.get(ref)
    assert record is not None
    return record


def test_transition_moves_the_record_and_grows_its_version(store: Store) -> None:
    ref = recorded(store)
    after = store.transition(current(store, ref), "uploading", a_job(train_blob="b1"))
    assert after == current(store, ref)
    assert (after.state, after.version, after.data.train_blob) == ("uploading", 2, "b1")


def test_stale_version_writes_nothing(store: Store) -> None:
    ref = recorded(store)
    old = current(store, ref)
    store.transition(old, "requested", a_job(title="renamed"))
    with pytest.raises(StaleError, match="expected requested v1, found requested v2"):
        store.transition(old, "uploading", a_job(), event={"type": "Stale"}, audit={"act": "stale"})
    assert (current(store, ref).version, current(store, ref).data.title) == (2, "renamed")
    assert [event["type"] for event in store.events(ref)] == ["Recorded"]
    assert store.audit(TEAM) == []


def test_stale_state_writes_nothing(store: Store) -> None:
    ref = recorded(store)
    lying = dataclasses.replace(current(store, ref), state="uploading")
    with pytest.raises(StaleError):
        store.transition(lying, "creating", a_job())
    assert current(store, ref).state == "requested"


def test_stale_owner_cannot_write(store: Store) -> None:
    """Fencing: whoever's lease lapsed and was taken by another writes nothing, though the version still matches."""
    ref = recorded(store)
    stale = claimed_soon(store, ref, lease_ms=1)
    fresh = claimed_soon(store, ref, lease_ms=30_000)
    assert fresh.token > stale.token
    assert fresh.version == stale.version
    with pytest.raises(StaleError):
        store.transition(stale, "uploading", a_job(title="stale"))
    assert not store.renew(stale, 30_000)
    assert not store.release(stale, due_in_ms=0)
    assert store.transition(fresh, "uploading", a_job(title="fresh")).data.title == "fresh"


def claimed_soon(store: Store, ref: Ref, *, lease_ms: int) -> Record[Any]:
    """Claim as soon as nobody holds it."""
    while (record := store.claim(ref, ["requested"], lease_ms)) is None:
        pass
    return record


def test_of_many_writers_at_once_one_wins(redis_url: str, store: Store) -> None:
    ref = recorded(store)
    record = current(store, ref)

    def write(number: int) -> int:
        connection = connect(redis_url)
        try:
            Store(connection).transition(record, "uploading", a_job(title=str(number)), event={"type": "Moved"})
        except StaleError:
            return 0
        else:
            return 1
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(16))) == 1
    assert [event["type"] for event in store.events(ref)] == ["Recorded", "Moved"]


def test_record_that_is_gone_is_stale(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    record = current(store, ref)
    peek.delete("tuneroom:{T1}:" + ref.member)
    with pytest.raises(StaleError):
        store.transition(record, "uploading", a_job())
    assert store.get(ref) is None


@pytest.mark.parametrize("target", TABLES[Kind.DATASET])
@pytest.mark.parametrize("source", TABLES[Kind.DATASET])
def test_only_moves_in_the_table_reach_the_server(store: Store, source: str, target: str) -> None:
    """A caller who is wrong about the state is stale; one who is wrong about the table never gets that far."""
    lying = dataclasses.replace(current(store, recorded(store, a_dataset())), state=source, version=99)
    with pytest.raises(StaleError if allows(Kind.DATASET, source, target) else ValueError):
        store.transition(lying, target, a_dataset())


def script_arguments(record: Record[Any], commit: str) -> list[str | int]:
    """The arguments of transition.lua for a move to `uploading` that books 5 micro-dollars."""
    settle = '{"month": "2026-11", "release_micros": 0, "spend_micros": 5}'
    rest: list[str | int] = ["uploading", "worker", 0, "{}", '{"type": "Moved"}', "[]", "", "", settle, "[]", "", ""]
    return ["job", record.ref.id, record.state, record.version, record.token, commit, *rest, SCHEMA, ""]


def test_same_commit_again_is_answered_alike_and_writes_nothing(store: Store, connection: Redis) -> None:
    ref = recorded(store)
    record = current(store, ref)
    run = Scripts(connection)
    first = run("transition", "tuneroom:{T1}:", *script_arguments(record, "c1"))
    again = run("transition", "tuneroom:{T1}:", *script_arguments(record, "c1"))
    other = run("transition", "tuneroom:{T1}:", *script_arguments(record, "c2"))
    assert [str(part) for part in first] == [str(part) for part in again]
    assert first[0] == "done"
    assert other == ["stale", "uploading", "2"]
    assert [event["type"] for event in store.events(ref)] == ["Recorded", "Moved"]
    assert store.spend(TEAM, "2026-11") == (0.0, 0.000005)


def test_event_stands_beside_its_transition(store: Store) -> None:
    ref = recorded(store)
    store.transition(current(store, ref), "uploading", a_job(), event={"type": "RowsPrepared", "rows": 12})
    events = store.events(ref)
    assert [event["type"] for event in events] == ["Recorded", "RowsPrepared"]
    assert events[1]["rows"] == 12
    assert events[1]["at_ms"] == current(store, ref).updated_ms


def test_delivery_and_mark_are_written_with_the_transition(store: Store, outbox: Outbox, peek: redis.Redis) -> None:
    ref = recorded(store, a_dataset())
    wanted = card(ref, channel=CHANNEL, rank=Rank.TERMINAL, thread_ts="1.1")
    mark = Mark(hash=seen_hash(CHANNEL), field="aa", value=ref.id)
    store.transition(current(store, ref), "fetching", a_dataset(), deliveries=[wanted], marks=[mark])
    assert outbox.pending(TEAM) == 1
    assert store.marked(TEAM, seen_hash(CHANNEL), "aa") == ref.id
    assert store.marked(TEAM, seen_hash("C2"), "aa") is None
    assert 0 < peek.ttl("tuneroom:{T1}:" + seen_hash(CHANNEL)) <= 90 * DAY_S


def test_due_sets_hold_the_one_actor_of_the_state(store: Store) -> None:
    ref = recorded(store, a_dataset())
    for state in ("fetching", "checking", "accepted"):
        store.transition(current(store, ref), state, a_dataset(), due_in_ms=0)
        due = [actor for actor in Actor if store.due(TEAM, actor) == [ref]]
        assert due == ([] if state == "accepted" else [state_of(Kind.DATASET, state).actor])


def test_final_record_expires_and_a_live_one_does_not(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    key = "tuneroom:{T1}:" + ref.member
    store.transition(current(store, ref), "uploading", a_job(), event={"type": "Moved"})
    assert [peek.ttl(key), peek.ttl(key + ":events")] == [-1, -1]
    store.transition(current(store, ref), "failed", a_job(), event={"type": "JobFailed"})
    assert all(89 * DAY_S < peek.ttl(name) <= 90 * DAY_S for name in (key, key + ":events"))


def test_record_that_goes_on_living_is_kept_whatever_it_was_before(store: Store, peek: redis.Redis) -> None:
    """As a job that an earlier release let expire, and whose model is hosted now: its host must not be forgotten."""
    ref = recorded(store)
    key = "tuneroom:{T1}:" + ref.member
    for name in (key, key + ":events"):
        peek.expire(name, 5)
    store.transition(current(store, ref), "uploading", a_job())
    assert [peek.ttl(key), peek.ttl(key + ":events")] == [-1, -1]


def test_lease_ends_with_the_transition_unless_it_is_kept(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], 30_000)
    assert mine is not None
    kept = store.transition(mine, "uploading", a_job(), keep_lease=True)
    assert store.claim(ref, ["uploading"], 30_000) is None
    assert store.renew(kept, 30_000)
    store.transition(kept, "uploading", a_job())
    assert not store.renew(kept, 30_000)
    assert store.claim(ref, ["uploading"], 30_000) is not None


def test_transition_carries_the_schema_of_its_data(store: Store, peek: redis.Redis) -> None:
    """A record begun by an older process and rewritten by a newer one is the newer one's."""
    ref = recorded(store)
    key = "tuneroom:{T1}:" + ref.member
    record = current(store, ref)
    peek.hset(key, "schema", SCHEMA - 1)
    store.transition(record, "uploading", a_job())
    assert peek.hget(key, "schema") == str(SCHEMA)


def test_settling_nothing_is_a_settlement_too(store: Store) -> None:
    """A run on one's own machine reserves 0 and costs 0; minus zero must not break the script half-way."""
    ref = recorded(store)
    nothing = Settlement(month="2026-11", release_micros=0, spend_micros=0)
    assert store.transition(current(store, ref), "cancelled", a_job(), settle=nothing).state == "cancelled"
    assert store.next_due_ms(TEAM, Actor.WORKER) is None
    assert store.spend(TEAM, "2026-11") == (0.0, 0.0)


def test_script_that_cannot_be_read_writes_nothing(store: Store, connection: Redis, peek: redis.Redis) -> None:
    """Redis does not undo a script that fails half-way, so everything is parsed before the first write."""
    record = current(store, recorded(store))
    before = contents(peek)
    for position in (11, 14, 15):
        arguments = script_arguments(record, "c1")
        arguments[position] = "no JSON"
        with pytest.raises(Exception, match="Expected"):
            Scripts(connection)("transition", "tuneroom:{T1}:", *arguments)
    assert contents(peek) == before


def test_audit_is_only_ever_appended_to(store: Store, peek: redis.Redis) -> None:
    for number in range(30):
        ref = recorded(store)
        store.transition(current(store, ref), "cancelled", a_job(), audit={"act": "cancel", "number": number})
    assert [entry["number"] for entry in store.audit(TEAM)] == list(range(30))
    assert peek.ttl("tuneroom:{T1}:audit") == -1
