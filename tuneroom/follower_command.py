"""`tuneroom follower`."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from jobstore.pulse import Pulse
from tuneroom import health, wiring
from workers.follower import LOOP, Follower

if TYPE_CHECKING:
    from tuneroom.settings import Settings


def run(settings: Settings) -> int:
    """Follow runs until SIGTERM or SIGINT."""
    pulse = Pulse()
    pulse.beat(LOOP)
    with health.serving(settings, "follower", pulse):
        asyncio.run(_follow(Follower(wiring.workshop(settings), pulse)))
    return 0


async def _follow(follower: Follower) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, follower.stop)
    await follower.run()
