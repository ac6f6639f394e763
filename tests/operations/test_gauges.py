"""The gauges count the record itself, on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobstore.deliveries import Rank, card
from jobstore.gauges import newest_datasets, read_gauges, ring_wait_ms
from jobstore.outbox import Outcome
from jobstore.pulse import Pulse
from jobstore.server import keeping, timing, writes
from tests.support.samples import CHANNEL, TEAM, a_dataset, a_delivery, recorded

if TYPE_CHECKING:
    import redis

    from jobstore.connections import Redis
    from jobstore.outbox import Outbox
    from jobstore.store import Store

AGO_MS = 100_000


def test_nothing_recorded_gives_no_team(connection: Redis) -> None:
    gauges = read_gauges(connection)
    assert gauges.teams == ()
    assert gauges.queues == {"checks": 0, "runs": 0, "prompts": 0}
    assert gauges.memory.used_bytes > 0


def test_a_record_nobody_acts_on_ages(store: Store, connection: Redis, peek: redis.Redis) -> None:
    ref = recorded(store, a_dataset())
    peek.zadd(f"tuneroom:{{{TEAM}}}:due:fetcher", {ref.member: store.now_ms() - AGO_MS})
    due = read_gauges(connection).teams[0].oldest_due_s
    assert due["fetcher"] == pytest.approx(AGO_MS / 1000, abs=5)
    assert (due["worker"], due["follower"]) == (0, 0)


def test_rings_that_nobody_hears_do_not_hide_how_long_a_record_waits(
    store: Store, connection: Redis, peek: redis.Redis
) -> None:
    ref = recorded(store)
    key = f"tuneroom:{{{TEAM}}}:due:worker"
    for _ in range(3):
        peek.zadd(key, {ref.member: store.now_ms() - 1})
        assert store.ring_again(TEAM) == [ref]
    # three rings have put it off by 10, 20 and 40 s; had they come when they were due, it would wait for 30 s now
    peek.zadd(key, {ref.member: store.now_ms() + 40_000})
    assert read_gauges(connection).teams[0].oldest_due_s["worker"] == pytest.approx(30, abs=3)
    assert store.claim(ref, ["requested"], 60_000) is not None
    assert read_gauges(connection).teams[0].oldest_due_s["worker"] == 0


def test_ring_waits_are_those_of_the_script(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    key = f"tuneroom:{{{TEAM}}}:due:worker"
    for ring in range(1, 9):
        peek.zadd(key, {ref.member: 1})
        before = store.now_ms()
        store.ring_again(TEAM)
        assert int(peek.zscore(key, ref.member) or 0) - before == pytest.approx(ring_wait_ms(ring), abs=2_000)


def test_jobs_are_counted_by_state(store: Store, connection: Redis, peek: redis.Redis) -> None:
    refs = [recorded(store) for _ in range(3)]
    peek.hset(f"tuneroom:{{{TEAM}}}:{refs[0].member}", "state", "unclear")
    assert read_gauges(connection).teams[0].jobs == {"requested": 2, "unclear": 1}


def test_the_outbox_ages_from_when_a_card_was_wanted_again(
    store: Store, outbox: Outbox, connection: Redis, peek: redis.Redis
) -> None:
    wanted = card("job:j1", channel=CHANNEL, rank=Rank.PROGRESS)
    recorded(store, deliveries=(wanted,))
    peek.hset(f"tuneroom:{{{TEAM}}}:delivery:{wanted.id}", mapping={"waiting_ms": store.now_ms() - AGO_MS, "put_ms": 1})
    assert read_gauges(connection).teams[0].oldest_delivery_s == pytest.approx(AGO_MS / 1000, abs=5)

    send_all(outbox)
    assert read_gauges(connection).teams[0].deliveries == 0

    recorded(store, deliveries=(wanted,))
    waiting = read_gauges(connection).teams[0]
    assert (waiting.deliveries, round(waiting.oldest_delivery_s / 5)) == (1, 0), "since now, not since it was first put"


def test_a_card_wanted_again_while_it_waits_does_not_grow_younger(
    store: Store, connection: Redis, peek: redis.Redis
) -> None:
    wanted = card("job:j1", channel=CHANNEL, rank=Rank.PROGRESS)
    recorded(store, deliveries=(wanted,))
    peek.hset(f"tuneroom:{{{TEAM}}}:delivery:{wanted.id}", "waiting_ms", store.now_ms() - AGO_MS)
    recorded(store, deliveries=(wanted,))
    assert read_gauges(connection).teams[0].oldest_delivery_s == pytest.approx(AGO_MS / 1000, abs=5)


def test_dead_letters_are_counted(store: Store, outbox: Outbox, connection: Redis) -> None:
    recorded(store, deliveries=(a_delivery("refused"),))
    turn = outbox.take(TEAM)
    assert turn is not None
    attempt = outbox.begin(turn)
    assert attempt is not None
    outbox.end(turn, attempt, Outcome.DEAD, reason="channel_not_found")
    assert read_gauges(connection).teams[0].dead_letters == 1


def test_newest_datasets_come_newest_first(store: Store, connection: Redis) -> None:
    assert newest_datasets(connection, TEAM, 3) == []
    for _ in range(4):
        recorded(store, a_dataset())
    assert newest_datasets(connection, TEAM, 3) == ["d4", "d3", "d2"]


def test_the_server_says_how_it_keeps_its_data(connection: Redis) -> None:
    kept = keeping(connection)
    assert (kept.policy, kept.appends, kept.fsync, kept.append_failed) == ("noeviction", True, "always", False)
    assert (kept.role, kept.is_cluster) == ("master", False)
    assert int(kept.version.split(".")[0]) >= 7
    assert writes(connection)
    assert abs(timing(connection).ahead_s) < 5


def test_a_loop_is_silent_once_its_time_is_over() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    pulse.beat("sender-0")
    pulse.beat("fetcher-0", within_s=150)
    now[0] = 31.0
    assert pulse.silent() == {"sender-0": 31.0}
    pulse.beat("sender-0")
    now[0] = 151.0
    assert set(pulse.silent()) == {"sender-0", "fetcher-0"}
    assert pulse.ages_s() == {"sender-0": 120.0, "fetcher-0": 151.0}


def send_all(outbox: Outbox) -> None:
    turn = outbox.take(TEAM)
    assert turn is not None
    while (attempt := outbox.begin(turn)) is not None:
        outbox.end(turn, attempt, Outcome.SENT, ts="1.2")
    outbox.leave(turn)
