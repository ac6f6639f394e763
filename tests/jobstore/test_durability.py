"""What was committed is there after kill -9 of the server, and a process that reconnects goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jobstore.connections import UNAVAILABLE, connect
from jobstore.money import Reservation
from jobstore.outbox import Outbox, Outcome
from jobstore.states import Actor
from jobstore.store import Mark, StaleError, Store
from tests.support.samples import CHANNEL, MONTH, RECORDED, TEAM, a_delivery, a_job
from tests.support.valkey import contents

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.valkey import Server


def test_committed_transitions_outlive_kill_9(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    connection = connect(server.url)
    store, outbox = Store(connection), Outbox(connection)
    reserve = Reservation(month=MONTH, micros=5, run_cap_micros=9, month_cap_micros=9)
    for number in range(10):
        ref, _ = store.record(
            TEAM, a_job(), dedupe="V1", event=RECORDED, reserve=reserve, audit={"act": "confirm", "number": number}
        )
        record = store.claim(ref, ["requested"], 60_000)
        assert record is not None
        mark = Mark(hash="seen", field=str(number), value=ref.id)
        deliveries = [a_delivery(f"n{number}")]
        record = store.transition(
            record, "requested", a_job(title=str(number)), event={"type": "E"}, deliveries=deliveries, marks=[mark]
        )
        server.kill()
        with pytest.raises(UNAVAILABLE):
            store.get(ref)
        server.start()
        assert store.get(ref) == record
        assert len(store.events(ref)) == number + 2
        assert outbox.pending(TEAM) == number + 1
        assert store.marked(TEAM, "seen", str(number)) == ref.id
        assert (store.next_due_ms(TEAM, Actor.WORKER) or 0) <= 2_000
    assert store.spend(TEAM, MONTH) == (0.000005, 0.0)
    assert len(store.audit(TEAM)) == 1
    connection.close()


def test_lease_and_fencing_outlive_kill_9(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    connection = connect(server.url)
    store = Store(connection)
    ref, _ = store.record(TEAM, a_job(), dedupe="", event=RECORDED)
    stale = store.claim(ref, ["requested"], 1)
    fresh = None
    while fresh is None:
        fresh = store.claim(ref, ["requested"], 60_000)
    assert stale is not None
    server.kill()
    server.start()
    with pytest.raises(StaleError):
        store.transition(stale, "uploading", a_job())
    assert store.claim(ref, ["requested"], 1) is None
    assert store.transition(fresh, "uploading", a_job()).version == 2
    connection.close()


def test_attempt_recorded_before_it_was_made_outlives_kill_9(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    connection = connect(server.url)
    store, outbox = Store(connection), Outbox(connection)
    store.record(TEAM, a_job(), dedupe="", event=RECORDED, deliveries=[a_delivery("n1"), a_delivery("n2")])
    turn = outbox.take(TEAM)
    assert turn is not None
    first = outbox.begin(turn)
    assert first is not None
    assert not first.was_unsure
    server.kill()
    server.start()
    again = outbox.begin(turn)
    assert again is not None
    assert (again.id, again.was_unsure, again.attempts) == (first.id, True, 2)
    outbox.end(turn, again, Outcome.SENT, ts="1.1")
    server.kill()
    server.start()
    assert outbox.ts(TEAM, first.id) == "1.1"
    assert outbox.pending(TEAM) == 1
    connection.close()


def test_full_server_refuses_every_write_whole(private_valkey: Callable[[], Server]) -> None:
    """With noeviction a full server stops transitions; it must not stop one half-way."""
    server = private_valkey()
    connection = connect(server.url)
    store = Store(connection)
    ref, _ = store.record(TEAM, a_job(), dedupe="", event=RECORDED)
    record = store.claim(ref, ["requested"], 60_000)
    assert record is not None
    with server.client() as client:
        client.config_set("maxmemory", 1)
        for write in (
            lambda: store.record(TEAM, a_job(), dedupe="V1", event=RECORDED, deliveries=[a_delivery("n")]),
            lambda: store.transition(record, "uploading", a_job(), event=RECORDED, deliveries=[a_delivery("n")]),
            lambda: store.renew(record, 60_000),
            lambda: store.flag_cancel(ref, "U1", channel=CHANNEL),
        ):
            before = contents(client)
            with pytest.raises(UNAVAILABLE):
                write()
            assert contents(client) == before
        client.config_set("maxmemory", 0)
    assert store.transition(record, "uploading", a_job()).version == 2
    connection.close()


def test_scripts_are_loaded_again_into_a_server_that_forgot_them(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    connection = connect(server.url)
    store = Store(connection)
    first, _ = store.record(TEAM, a_job(), dedupe="", event=RECORDED)
    with server.client() as client:
        client.script_flush()
    second, _ = store.record(TEAM, a_job(), dedupe="", event=RECORDED)
    assert (first.id, second.id) == ("j1", "j2")
    connection.close()
