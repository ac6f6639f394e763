"""Holding a lease while a stage works, and letting go of everything when it is lost."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any, Final

from jobstore.connections import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from jobstore.records import Record
    from jobstore.store import Store

log = logging.getLogger(__name__)
LOST_LEASE_EXIT: Final = 75


def leave_at_once() -> None:
    """End this process without another word: somebody else owns the record now."""
    os._exit(LOST_LEASE_EXIT)


class Heartbeat:
    """Renews a record's lease from a thread, three times in its length.

    A child that loses its lease, or whose worker died, ends at once: two owners must never work side by side. While
    Redis is gone, the lease is believed in until it has run out by this machine's clock.
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
        self._thread = threading.Thread(target=self._beat, name=f"lease-{record.ref.id}", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        misses = 0
        while not self._done.wait(self._lease_s / 3):
            try:
                held = self._store.renew(self._record, int(self._lease_s * 1000))
                misses = 0
            except UNAVAILABLE:
                misses += 1
                held = misses < 3
            if self._done.is_set():
                return
            if not held or os.getppid() != self._parent:
                log.warning("lease.lost", extra={"ref": self._record.ref.member})
                self._on_lost()
                return
