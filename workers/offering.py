"""What providers offer, asked once a day for everybody: days of shutdown, and the account's fine-tunes.

Nothing of following waits for it: a provider that refuses, hangs or has no such call is asked again after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from typing import TYPE_CHECKING, Final, TypeVar, cast

from jobstore.connections import UNAVAILABLE
from jobstore.offers import Listing, Tuned
from workers.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date

    from jobstore.offers import Offers
    from workers.pace import Pace
    from workers.provider import Provider, Run

log = logging.getLogger(__name__)

Value = TypeVar("Value")

LOOK_S: Final = 30.0
"""How often a follower looks whether somebody must ask."""

FRESH_MS: Final = 86_400_000
AGAIN_MS: Final = 3_600_000
ASKING_S: Final = 300.0
TURN_MS: Final = 2 * int(ASKING_S * 1000)
"""How long one follower has to ask before another may."""

TUNED_MAX: Final = 1_000
PAGES_MAX: Final = 30
"""The newest fine-tunes are enough to show; `tuneroom rescue` lists all of them."""


async def keep_fresh(offers: Offers, provider: Provider, pace: Pace, *, look_s: float = LOOK_S) -> None:
    """Ask a provider whenever its turn has come, until cancelled."""
    while True:
        try:
            if await asyncio.to_thread(offers.take_turn, provider.name, TURN_MS):
                listing, again_ms = await _asked(offers, provider, pace)
                await asyncio.to_thread(offers.keep, provider.name, listing, again_in_ms=again_ms)
        except UNAVAILABLE:
            log.warning("redis.unavailable")
        await asyncio.sleep(look_s * random.uniform(0.9, 1.1))  # noqa: S311


async def _asked(offers: Offers, provider: Provider, pace: Pace) -> tuple[Listing | None, int]:
    """Return what a provider tells, None where it tells nothing, and after how many ms to ask again."""
    who = {"provider": provider.name}
    try:
        at_ms = await asyncio.to_thread(offers.now_ms)
        async with asyncio.timeout(ASKING_S):
            listing = await _listing(provider, pace, at_ms)
    except ProviderError as error:
        log.info("offer.not_answered", extra=who | {"code": error.code})
        return None, max(AGAIN_MS, int((error.retry_after_s or 0) * 1000))
    except TimeoutError:
        log.info("offer.not_answered", extra=who | {"code": "no-answer"})
        return None, AGAIN_MS
    except UNAVAILABLE:
        raise
    except Exception:
        log.exception("offer.failed", extra=who)
        return None, AGAIN_MS
    log.info("offer.told", extra=who | {"stops": len(listing.stops), "tuned": len(listing.tuned)})
    return listing, int(FRESH_MS * random.uniform(0.9, 1.1))  # noqa: S311


async def _listing(provider: Provider, pace: Pace, at_ms: int) -> Listing:
    """Ask for models and runs; one of the two may be refused for good, as to a key with few rights."""
    stops, refused = await _tolerated(_stops(provider, pace), dict[str, "date"]())
    runs, refused_too = await _tolerated(_runs(provider, pace), list["Run"]())
    if refused and refused_too:
        raise refused
    tuned = tuple(
        Tuned(model=run.model, base=run.base, run=run.id, created_ms=run.created_ms, finished_ms=run.finished_ms)
        for run in runs
    )
    return Listing(at_ms=at_ms, stops=stops, tuned=tuned)


async def _tolerated(asked: Awaitable[Value], nothing: Value) -> tuple[Value, ProviderError | None]:
    try:
        return await asked, None
    except ProviderError as error:
        if not error.is_final:
            raise
        return nothing, error


async def _stops(provider: Provider, pace: Pace) -> dict[str, date]:
    await pace.take()
    return {model.name: model.shutdown for model in await _aside(provider.models) if model.shutdown}


async def _runs(provider: Provider, pace: Pace) -> list[Run]:
    """Return the account's newest runs that left a model."""
    found: list[Run] = []
    pages = provider.runs()
    for _ in range(PAGES_MAX):
        await pace.take()
        page = await anext(pages, None)
        found += [run for run in page or () if run.model]
        if page is None or len(found) >= TUNED_MAX:
            break
    return found[:TUNED_MAX]


async def _aside(call: Callable[[], Value]) -> Value:
    """Return what a synchronous call gives, from a thread that nobody waits for when the follower ends meanwhile."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Value] = loop.create_future()

    def settle(value: Value | None, error: BaseException | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(cast("Value", value))

    def work() -> None:
        value, error = None, None
        try:
            value = call()
        except Exception as raised:  # noqa: BLE001 - it is raised where it is waited for
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=work, name="offer", daemon=True).start()
    return await answer
