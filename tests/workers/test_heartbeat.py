"""A lease is held while its owner works, and lost to nobody in silence."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from jobstore.connections import connect
from jobstore.store import Store
from tests.support.samples import recorded
from tests.support.waiting import wait_for
from workers.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.valkey import Server


def test_a_lease_is_held_for_longer_than_it_lasts(store: Store) -> None:
    ref = recorded(store)
    record = store.claim(ref, ["requested"], 3_000)
    assert record is not None
    began, lost = store.now_ms(), threading.Event()
    with Heartbeat(store, record, 3.0, on_lost=lost.set):
        wait_for(lambda: store.now_ms() - began > 4_000)
        assert store.claim(ref, ["requested"], 300) is None
    assert not lost.is_set()


def test_a_lost_lease_ends_the_owner(store: Store) -> None:
    ref = recorded(store)
    mine = store.claim(ref, ["requested"], 50)
    assert mine is not None
    theirs = wait_for(lambda: store.claim(ref, ["requested"], 60_000))
    assert theirs.token > mine.token
    ended = threading.Event()
    with Heartbeat(store, mine, 0.15, on_lost=ended.set):
        assert ended.wait(5)


def test_the_heart_stops_with_the_work(store: Store) -> None:
    ref = recorded(store)
    record = store.claim(ref, ["requested"], 150)
    assert record is not None
    with Heartbeat(store, record, 0.15, on_lost=lambda: None):
        pass
    assert wait_for(lambda: store.claim(ref, ["requested"], 1_000)).token > record.token


def test_a_lease_that_cannot_be_renewed_is_believed_in_to_its_end_and_no_longer(
    private_valkey: Callable[[], Server],
) -> None:
    """A server that hangs answers no renewal, nor refuses one."""
    server = private_valkey()
    connection = connect(server.url)
    store = Store(connection)
    ref = recorded(store)
    record = store.claim(ref, ["requested"], 1_000)
    assert record is not None
    ended = threading.Event()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with Heartbeat(store, record, 1.0, on_lost=ended.set):
            assert ended.wait(8)  # a client waits 10 s for an answer
            assert time.monotonic() - began >= 1.0
            os.kill(server.pid, signal.SIGCONT)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    connection.close()
