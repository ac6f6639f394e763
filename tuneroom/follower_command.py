"""`tuneroom follower`."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from tuneroom import wiring
from workers.follower import Follower

if TYPE_CHECKING:
    from tuneroom.settings import Settings


def run(settings: Settings) -> int:
    """Follow runs until SIGTERM or SIGINT."""
    asyncio.run(_follow(Follower(wiring.workshop(settings))))
    return 0


async def _follow(follower: Follower) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, follower.stop)
    await follower.run()
