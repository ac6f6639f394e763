"""Holding a lease while a stage works, and letting go of everything when it is lost."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from jobstore.connections import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from jobstore.records import Record
    from jobstore.store import Store

log = logging.getLogger(__name__)
LOST_LEASE_EXIT: Final = 75
LOOK_S: Final = 0.2


def leave_at_once() -> None:
    """End this process without another word: somebody else owns the record now."""
    os._exit(LOST_LEASE_EXIT)


class Heartbeat:
    """Renews a record's lease from a thread, three times in its length, and minds its end from another.

    A child that loses its lease, or whose worker died, ends at once: two owners must never work side by side. While
    Redis is gone or hangs, the lease is believed in until it has run out by this machine's clock.
    """

    def __init__(
        self, store: Store, record: Record[Any], lease_s: float, *, on_lost: Callable[[], None] = leave_at_once
    ) -> None:
        self._store = store
        self._record = record
        self._lease_s = lease_s
        self._on_lost = on_lost
        self._parent = os.getppid()
        self._done = threading.Event()
        self._held_until = time.monotonic() + lease_s
        self._threads = [
            threading.Thread(target=target, name=f"lease-{record.ref.id}", daemon=True)
            for target in (self._renew, self._mind)
        ]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _renew(self) -> None:
        while not self._done.wait(self._lease_s / 3):
            asked_s = time.monotonic()
            try:
                is_held = self._store.renew(self._record, int(self._lease_s * 1000))
            except UNAVAILABLE:
                continue
            if is_held:
                self._held_until = asked_s + self._lease_s
            else:
                self._held_until = asked_s
                return

    def _mind(self) -> None:
        while not self._done.wait(min(LOOK_S, max(0.0, self._held_until - time.monotonic()))):
            is_orphan = os.getppid() != self._parent
            if is_orphan or time.monotonic() >= self._held_until:
                log.warning("lease.lost", extra={"ref": self._record.ref.member, "orphan": is_orphan})
                if is_orphan:
                    self._let_go()
                self._on_lost()
                return

    def _let_go(self) -> None:
        """Nobody needs to wait for the lease of one whose worker has died: the record is due at once."""
        with contextlib.suppress(*UNAVAILABLE):
            self._store.release(self._record, due_in_ms=0)
