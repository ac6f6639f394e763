"""Following runs for hours: look at what is due, record what is new, ring again for what was not heard.

One asyncio process follows many runs; several may run side by side, since each look holds the record's lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from jobstore.connections import UNAVAILABLE
from jobstore.pulse import Pulse
from jobstore.states import TABLES, Actor, Kind
from jobstore.store import StaleError
from jobstore.trace import about
from workers.following import Look, follow
from workers.offering import keep_fresh
from workers.pace import Pace
from workers.provider import ProviderError
from workers.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobstore.jobs import Job
    from jobstore.records import Record, Ref
    from workers.workshop import Workshop

log = logging.getLogger(__name__)

SWEEP_S: Final = 0.25
PAUSE_S: Final = 2.0
AT_ONCE: Final = 64
THREADS: Final = 16  # Redis is spoken to synchronously, as everywhere; each call is over in a millisecond or two
LOOP: Final = "follower"
POLL_S: Final = 150.0
LISTS_PER_POLL: Final = 2.0
"""How often the list is read while a run is looked at once."""
STATES: Final = [name for name, state in TABLES[Kind.JOB].items() if state.actor is Actor.FOLLOWER]


class Follower:
    """Sweeps the due-time sets until told to stop."""

    def __init__(self, shop: Workshop, pulse: Pulse | None = None) -> None:
        self._shop = shop
        self._pulse = pulse or Pulse()
        self._lease_ms = int(shop.timings.lease_s * 1000)
        self._stop = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._busy: dict[Ref, asyncio.Task[None]] = {}
        self._clock_ahead_ms = 0
        timings = shop.timings
        self._paces = {name: self._a_pace(name) for name in shop.providers}
        self._rosters = {
            name: Roster(provider, fresh_s=timings.poll_max_s, from_runs=timings.list_from_runs)
            for name, provider in shop.providers.items()
        }

    def stop(self) -> None:
        """Finish what is being looked at, then return from `run`."""
        self._stop.set()

    async def run(self) -> None:
        """Follow until `stop`."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "follower"))
        listing = [asyncio.create_task(self._list(name)) for name in self._rosters]
        if offers := self._shop.offers:
            providers = self._shop.providers.items()
            listing += [asyncio.create_task(keep_fresh(offers, one, self._paces[name])) for name, one in providers]
        while not self._stop.is_set():
            try:
                is_behind = await self._sweep()
                self._pulse.beat(LOOP)
            except UNAVAILABLE:
                log.warning("redis.unavailable")
                is_behind = await self._pause()
            except Exception:
                log.exception("sweep.failed")  # the health check hears of it: there is no beat
                is_behind = await self._pause()
            await self._rest(0 if is_behind else SWEEP_S)
        for task in listing:
            task.cancel()
        await asyncio.gather(*self._busy.values(), *listing, return_exceptions=True)

    def _a_pace(self, name: str) -> Pace:
        return Pace(self._shop.buckets, name, self._shop.timings.provider_calls_per_min)

    async def _pause(self) -> bool:
        await self._rest(PAUSE_S)
        return False

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    # what is due

    async def _sweep(self) -> bool:
        """Ring again, and begin to look at what is due; return whether more is due than could be begun."""
        store, is_behind = self._shop.store, False
        self._clock_ahead_ms = await asyncio.to_thread(store.now_ms) - _local_ms()
        for team in await asyncio.to_thread(store.teams):
            for ref in await asyncio.to_thread(store.ring_again, team):
                log.info("doorbell.rung_again", extra={"ref": ref.member})
                await asyncio.to_thread(self._shop.doorbell.ring, ref)
            due = await asyncio.to_thread(store.due, team, Actor.FOLLOWER, 4 * AT_ONCE)
            is_behind = is_behind or len(due) > 2 * AT_ONCE
            await self._begin(due)
        return is_behind

    async def _begin(self, due: Iterable[Ref]) -> None:
        for ref in due:
            if ref in self._busy:
                continue
            if self._room.locked():  # as many looks as may be are out, and a provider may take a minute to answer
                self._pulse.beat(LOOP, within_s=POLL_S)
            await self._room.acquire()
            task = asyncio.create_task(self._look_at(ref))
            self._busy[ref] = task
            task.add_done_callback(lambda _, ref=ref: self._done(ref))

    def _done(self, ref: Ref) -> None:
        del self._busy[ref]
        self._room.release()

    async def _look_at(self, ref: Ref) -> None:
        with about(ref.team, ref.member):
            try:
                await self._look(ref)
            except StaleError as error:
                log.info("poll.stale", extra={"ref": ref.member, "reason": str(error)})
            except UNAVAILABLE:
                log.warning("redis.unavailable", extra={"ref": ref.member})
            except Exception:
                log.exception("poll.failed", extra={"ref": ref.member})  # the lease lapses, and it is due again

    async def _look(self, ref: Ref) -> None:
        record: Record[Job] | None = await asyncio.to_thread(self._shop.store.claim, ref, STATES, self._lease_ms)
        if record is None:
            return
        name = record.data.request.provider
        look = Look(
            roster=self._rosters[name],
            pace=self._paces[name],
            now_ms=_local_ms() + self._clock_ahead_ms,
            jitter=random.uniform(0.9, 1.1),  # noqa: S311
        )
        self._keep(record, await follow(self._shop, record, look))

    def _keep(self, before: Record[Job], after: Record[Job] | None) -> None:
        """Watch the run by the list too, while it goes on."""
        roster = self._rosters[before.data.request.provider]
        if after is None:
            return
        if after.at.actor is Actor.FOLLOWER:
            roster.watch(after)
            return
        roster.forget(before.data.run)
        if after.at.actor is Actor.WORKER:
            self._ring(after.ref)

    def _ring(self, ref: Ref) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._shop.doorbell.ring, ref)

    # what the provider's list says

    async def _list(self, name: str) -> None:
        """Read one provider's list every while, where many runs live there."""
        roster, every_s = self._rosters[name], self._shop.timings.poll_max_s / LISTS_PER_POLL
        pace = self._a_pace(name)  # a line of its own: each page would wait for all the looks that stand before it
        while True:
            await asyncio.sleep(every_s * random.uniform(0.9, 1.1))  # noqa: S311
            if not roster.is_worth_it:
                continue
            try:
                await self._hasten(roster, await roster.read(pace))
            except ProviderError as error:
                log.info("list.not_answered", extra={"provider": name, "code": error.code})
                if error.retry_after_s:
                    await self._paces[name].hold(error.retry_after_s)
            except UNAVAILABLE:
                log.warning("redis.unavailable")
            except Exception:
                log.exception("list.failed", extra={"provider": name})

    async def _hasten(self, roster: Roster, changed: list[Ref]) -> None:
        for team in {ref.team for ref in changed}:
            refs: Any = [ref for ref in changed if ref.team == team]
            roster.forget_refs(await asyncio.to_thread(self._shop.store.hasten, team, Actor.FOLLOWER, refs))


def _local_ms() -> int:
    return time.monotonic_ns() // 1_000_000
