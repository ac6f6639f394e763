"""The threads that fetch dropped files: take what is due, leased like the sender, one file at a time each."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from bot.fetching import Fetching
from jobstore.connections import UNAVAILABLE, wakes
from jobstore.states import Actor
from jobstore.trace import about

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from bot.desk import Desk
    from jobstore.records import Dataset, Record

log = logging.getLogger(__name__)

SWEEP_S: Final = 1.0
STATES: Final = ("received", "fetching")


class Fetcher:
    """Fetches the files of one team, until told to stop."""

    def __init__(self, desk: Desk, client: WebClient, team: str) -> None:
        self._desk = desk
        self._client = client
        self._team = team
        self._lease_ms = int(desk.lease_s * 1000)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Finish the file that is being fetched, then return from `run`."""
        self._stop.set()

    def run(self) -> None:
        """Fetch until `stop`."""
        while not self._stop.is_set():
            try:
                for _ in wakes(self._desk.listen(), "tuneroom:*:wake:fetcher", every_s=SWEEP_S):
                    self._sweep()
                    self._desk.pulse.beat(threading.current_thread().name)
                    if self._stop.is_set():
                        return
            except UNAVAILABLE:
                log.warning("redis.unavailable")
                self._stop.wait(1.0)
            except Exception:
                log.exception("fetcher.failed")
                self._stop.wait(1.0)

    def _sweep(self) -> None:
        for ref in self._desk.store.due(self._team, Actor.FETCHER):
            record: Record[Dataset] | None = self._desk.store.claim(ref, STATES, self._lease_ms)
            if record is not None:
                self._beat()
                with about(ref.team, ref.member):
                    Fetching(self._desk, self._client, record, beat=self._beat).run()

    def _beat(self) -> None:
        """Say that this thread is alive and may be busy for a while."""
        self._desk.pulse.beat(threading.current_thread().name, within_s=2 * self._desk.lease_s)
