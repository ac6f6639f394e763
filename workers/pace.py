"""How fast one provider is asked: no call of the follower goes out without a token of the provider's bucket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jobstore.buckets import Buckets

HANDFUL: Final = 32
"""Tokens fetched from Redis at a time: one round trip for many calls."""


class Pace:
    """One provider's bucket, as one follower draws on it. `calls_per_min`: for all followers together."""

    def __init__(self, buckets: Buckets, provider: str, calls_per_min: float) -> None:
        self._buckets = buckets
        self._name = f"provider:{provider}"
        self._rate = calls_per_min
        self._burst = max(1.0, calls_per_min / 60)
        self._in_hand = 0
        self._waiting = 0
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Return when a call may go out."""
        self._waiting += 1
        try:
            async with self._turn:
                while self._in_hand < 1:
                    await self._fetch()
                self._in_hand -= 1
        finally:
            self._waiting -= 1

    async def hold(self, seconds: float) -> None:
        """The provider asked to be left alone for a while."""
        self._in_hand = 0
        await asyncio.to_thread(self._buckets.hold, self._name, int(seconds * 1000))

    async def _fetch(self) -> None:
        wanted = min(HANDFUL, self._waiting)
        self._in_hand, wait_ms = await asyncio.to_thread(
            self._buckets.take, self._name, wanted, rate_per_min=self._rate, burst=self._burst
        )
        if not self._in_hand:
            await asyncio.sleep(wait_ms / 1000)
