"""Following runs for hours: poll what is due, record what is new, ring again for what was not heard.

One asyncio process follows many runs; several may run side by side, since each poll holds the record's lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import TYPE_CHECKING, Any, Final

from jobstore.connections import UNAVAILABLE
from jobstore.pulse import Pulse
from jobstore.states import TABLES, Actor, Kind
from jobstore.store import StaleError
from jobstore.trace import about
from workers.following import follow

if TYPE_CHECKING:
    from jobstore.records import Ref
    from workers.workshop import Workshop

log = logging.getLogger(__name__)

SWEEP_S: Final = 0.25
AT_ONCE: Final = 64
LOOP: Final = "follower"
POLL_S: Final = 150.0
STATES: Final = [name for name, state in TABLES[Kind.JOB].items() if state.actor is Actor.FOLLOWER]


class Follower:
    """Sweeps the due-time sets until told to stop."""

    def __init__(self, shop: Workshop, pulse: Pulse | None = None) -> None:
        self._shop = shop
        self._pulse = pulse or Pulse()
        self._lease_ms = int(shop.timings.lease_s * 1000)
        self._stop = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._busy: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Finish what is being polled, then return from `run`."""
        self._stop.set()

    async def run(self) -> None:
        """Follow until `stop`."""
        while not self._stop.is_set():
            try:
                await self._sweep()
                self._pulse.beat(LOOP)
            except UNAVAILABLE:
                log.warning("redis.unavailable")
                await self._rest(2.0)
            await self._rest(SWEEP_S)
        if self._busy:
            await asyncio.wait(self._busy)

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _sweep(self) -> None:
        store = self._shop.store
        for team in await asyncio.to_thread(store.teams):
            for ref in await asyncio.to_thread(store.ring_again, team):
                log.info("doorbell.rung_again", extra={"ref": ref.member})
                await asyncio.to_thread(self._shop.doorbell.ring, ref)
            for ref in await asyncio.to_thread(store.due, team, Actor.FOLLOWER):
                if self._room.locked():  # as many polls as may be are out, and a provider may take a minute to answer
                    self._pulse.beat(LOOP, within_s=POLL_S)
                await self._room.acquire()
                task = asyncio.create_task(self._poll_one(ref))
                self._busy.add(task)
                task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._room.release()

    async def _poll_one(self, ref: Ref) -> None:
        with about(ref.team, ref.member):
            await self._poll(ref)

    async def _poll(self, ref: Ref) -> None:
        try:
            record: Any = await asyncio.to_thread(self._shop.store.claim, ref, STATES, self._lease_ms)
            if record is None:
                return
            after = await follow(self._shop, record, jitter=random.uniform(0.9, 1.1))  # noqa: S311
            if after is not None and after.at.actor is Actor.WORKER:
                await asyncio.to_thread(self._shop.doorbell.ring, ref)
        except StaleError as error:
            log.info("poll.stale", extra={"ref": ref.member, "reason": str(error)})
        except UNAVAILABLE:
            log.warning("redis.unavailable", extra={"ref": ref.member})
        except Exception:
            log.exception("poll.failed", extra={"ref": ref.member})  # the lease lapses, and it is due again
