"""How fast a provider may be asked: one bucket of tokens each, shared by every process through Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobstore.scripts import Scripts

if TYPE_CHECKING:
    from jobstore.connections import Redis


class Buckets:
    """Buckets by name, filled by Redis's clock. A provider's key is one account, whichever team asks."""

    def __init__(self, redis: Redis) -> None:
        self._run = Scripts(redis)

    def take(self, name: str, wanted: int, *, rate_per_min: float, burst: float) -> tuple[int, int]:
        """Take up to `wanted` tokens; return how many were taken, and the ms to wait where none was."""
        taken, wait_ms = self._run("take_tokens", _key(name), rate_per_min, burst, wanted)
        return int(taken), int(wait_ms)

    def hold(self, name: str, ms: int) -> None:
        """Close a bucket for everybody: the other side said "too many"."""
        self._run("hold_bucket", _key(name), ms)


def _key(name: str) -> str:
    return f"tuneroom:bucket:{name}"
