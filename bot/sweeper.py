"""A thread that does what is due whenever it is woken, and sweeps anyway: wake-ups may be lost."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from jobstore.connections import UNAVAILABLE, wakes

if TYPE_CHECKING:
    from slack_sdk import WebClient

    from bot.desk import Desk

log = logging.getLogger(__name__)

SWEEP_S: Final = 1.0
PAUSE_S: Final = 1.0


class Sweeper(ABC):
    """One of the bot's threads, for one team. Many may run side by side: what they take is leased."""

    wake: str

    def __init__(self, desk: Desk, client: WebClient, team: str) -> None:
        self.desk = desk
        self.client = client
        self.team = team
        self._stop = threading.Event()

    @abstractmethod
    def sweep(self) -> None:
        """Do everything that is due."""

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Finish what is being done, then return from `run`."""
        self._stop.set()

    def run(self) -> None:
        """Sweep until `stop`."""
        while not self.is_stopping:
            try:
                self._sweep_when_woken()
            except UNAVAILABLE:
                log.warning("redis.unavailable")
                self._stop.wait(PAUSE_S)
            except Exception:
                log.exception("sweep.failed")
                self._stop.wait(PAUSE_S)

    def _sweep_when_woken(self) -> None:
        for _ in wakes(self.desk.listen(), f"tuneroom:*:wake:{self.wake}", every_s=SWEEP_S):
            self.sweep()
            self.desk.pulse.beat(threading.current_thread().name)
            if self.is_stopping:
                return

    def busy(self, *, within_s: float) -> None:
        """Say that this thread is alive and may be busy for so long."""
        self.desk.pulse.beat(threading.current_thread().name, within_s=within_s)
