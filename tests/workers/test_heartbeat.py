"""A lease is held while its owner works, and lost to nobody in silence."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.support.samples import recorded
from tests.support.waiting import wait_for
from workers.heartbeat import Heartbeat

if TYPE_CHECKING:
    from jobstore.store import Store


def test_a_lease_is_held_for_longer_than_it_lasts(store: Store) -> None:
    ref = recorded(store)
    record = store.claim(ref, ["requested"], 300)
    assert record is not None
    began = store.now_ms()
    with Heartbeat(store, record, 0.3):
        wait_for(lambda: store.now_ms() - began > 900)
        assert store.claim(ref, ["requested"], 300) is None


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
    with Heartbeat(store, record, 0.15):
        pass
    assert wait_for(lambda: store.claim(ref, ["requested"], 1_000)).token > record.token
