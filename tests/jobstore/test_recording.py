"""Promise 1: recorded once, whole, before anything is acknowledged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import pytest

from finetune.errors import OperationalError
from jobstore.connections import connect
from jobstore.deliveries import Rank, card
from jobstore.records import SCHEMA, Dataset, Prompt
from jobstore.states import Actor, Kind
from jobstore.store import Store
from tests.support.samples import CHANNEL, RECORDED, TEAM, a_dataset, a_delivery, a_job, a_prompt, recorded
from tests.support.valkey import contents

if TYPE_CHECKING:
    import redis

    from jobstore.jobs import Job
    from jobstore.outbox import Outbox


def test_delivered_again_is_the_same_record(store: Store) -> None:
    first = store.record(TEAM, a_dataset(), dedupe="F1", event=RECORDED)
    again = store.record(TEAM, a_dataset(), dedupe="F1", event=RECORDED)
    assert first[1]
    assert not again[1]
    assert again[0] == first[0]
    assert len(store.events(first[0])) == 1


def test_delivered_to_many_processes_at_once_is_recorded_once(redis_url: str, store: Store) -> None:
    def deliver(_: int) -> tuple[str, bool]:
        connection = connect(redis_url)
        try:
            deliveries = [card("dataset:$ID", channel=CHANNEL, rank=Rank.MILESTONE)]
            ref, is_new = Store(connection).record(
                TEAM, a_dataset(), dedupe="F1", event=RECORDED, deliveries=deliveries
            )
            return ref.id, is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, range(24)))
    assert {handle for handle, _ in answers} == {"d1"}
    assert sum(is_new for _, is_new in answers) == 1
    assert [record.ref.id for record in store.listed(TEAM, Kind.DATASET, CHANNEL)] == ["d1"]


def test_same_name_of_another_kind_or_team_is_another_thing(store: Store) -> None:
    one = store.record(TEAM, a_dataset(), dedupe="X", event=RECORDED)
    two = store.record(TEAM, a_job(), dedupe="X", event=RECORDED)
    three = store.record("T2", a_dataset(), dedupe="X", event=RECORDED)
    assert [is_new for _, is_new in (one, two, three)] == [True, True, True]
    assert store.teams() == ["T1", "T2"]


def test_without_dedupe_everything_is_new(store: Store) -> None:
    assert [recorded(store, a_prompt()).id for _ in range(3)] == ["p1", "p2", "p3"]


def test_dedupe_is_kept_three_days(store: Store, peek: redis.Redis) -> None:
    recorded(store, a_dataset(), dedupe="F1")
    assert 3 * 86400 - 60 < peek.ttl("tuneroom:{T1}:seen:dataset:F1") <= 3 * 86400


@pytest.mark.parametrize("data", [a_dataset(), a_job(), a_prompt()])
def test_record_is_read_as_it_was_written(store: Store, data: Dataset | Job | Prompt) -> None:
    ref = recorded(store, data)
    record = store.get(ref)
    assert record is not None
    assert record.data == data
    assert (record.version, record.token, record.attempts, record.cancel) == (1, 0, 0, False)
    assert 0 < record.created_ms == record.updated_ms <= store.now_ms()


def test_text_in_a_record_comes_back_whole(store: Store) -> None:
    name = "표 “$ID” %d 100%\n\x00 {T1} 🎛️.jsonl"
    record = store.get(recorded(store, a_dataset(filename=name)))
    assert record is not None
    assert record.data.filename == name


def test_handle_is_named_in_event_delivery_and_audit(store: Store, outbox: Outbox) -> None:
    ref, _ = store.record(
        TEAM,
        a_dataset(),
        dedupe="F1",
        event={"type": "DatasetReceived", "on": "dataset:$ID"},
        deliveries=[a_delivery("note:dataset:$ID", ref="dataset:$ID", args={"on": "$ID"})],
        audit={"act": "check", "on": "dataset:$ID"},
    )
    assert store.events(ref)[0]["on"] == ref.member
    assert store.audit(TEAM)[0]["on"] == ref.member
    turn = outbox.take(TEAM)
    assert turn is not None
    attempt = outbox.begin(turn)
    assert attempt is not None
    assert (attempt.id, attempt.ref, attempt.args) == ("note:dataset:d1", "dataset:d1", {"on": "d1"})


def test_listing_is_a_channels_own_newest_first(store: Store) -> None:
    mine = [recorded(store, a_job()).id for _ in range(3)]
    recorded(store, a_job(channel="C2"))
    assert [record.ref.id for record in store.listed(TEAM, Kind.JOB, CHANNEL, limit=2)] == mine[:0:-1]


def test_listing_forgets_what_has_expired(store: Store, peek: redis.Redis) -> None:
    gone, kept = recorded(store), recorded(store)
    peek.delete("tuneroom:{T1}:" + gone.member)
    assert [record.ref for record in store.listed(TEAM, Kind.JOB, CHANNEL)] == [kept]
    assert peek.zcard("tuneroom:{T1}:index:job:C1") == 1
    assert store.get(gone) is None


def test_listing_does_not_grow_without_bound(store: Store, peek: redis.Redis) -> None:
    index = "tuneroom:{T1}:index:job:C1"
    peek.zadd(index, {f"j-old-{number}": number for number in range(600)})
    ref = recorded(store)
    assert peek.zcard(index) == 500
    assert peek.zrevrange(index, 0, 0) == [ref.id]


def test_newer_schema_is_refused_and_left_alone(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    peek.hset("tuneroom:{T1}:" + ref.member, "schema", SCHEMA + 1)
    before = contents(peek)
    with pytest.raises(OperationalError, match="newer Tuneroom"):
        store.get(ref)
    with pytest.raises(OperationalError, match="newer Tuneroom"):
        store.claim(ref, ["requested"], 30_000)
    assert contents(peek) == before


def test_fields_of_later_releases_do_not_stop_this_one(store: Store, peek: redis.Redis) -> None:
    """Within one schema number fields may be added; an older process reads what it knows."""
    ref = recorded(store, a_dataset())
    key = "tuneroom:{T1}:" + ref.member
    later = msgspec.json.decode(peek.hget(key, "data") or "") | {"added_later": 1}
    peek.hset(key, "data", msgspec.json.encode(later).decode())
    record = store.get(ref)
    assert record is not None
    assert record.data == a_dataset()


def test_new_record_is_due_to_one_actor(store: Store) -> None:
    dataset, job = recorded(store, a_dataset()), recorded(store, a_job())
    assert store.due(TEAM, Actor.FETCHER) == [dataset]
    assert store.next_due_ms(TEAM, Actor.FETCHER) == 0
    assert store.due(TEAM, Actor.WORKER) == [], "whoever records rings; the due entry waits for that ring to be lost"
    assert 0 < (store.next_due_ms(TEAM, Actor.WORKER) or 0) <= 2_000
    assert store.next_due_ms(TEAM, Actor.FOLLOWER) is None
    assert job.member == "job:j1"


def test_redis_holds_ids_and_no_row(store: Store, peek: redis.Redis) -> None:
    """Everything a team has stands below one prefix, in one slot."""
    recorded(store, a_job(), dedupe="V1", deliveries=(a_delivery("n"),))
    assert {key for key in peek.scan_iter() if not key.startswith("tuneroom:{T1}:")} == {"tuneroom:teams"}
