"""What the Redis server says about itself: whether it keeps what it is told, and how full it is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    from jobstore.connections import Redis

MARK: Final = "tuneroom:doctor"
PINGS: Final = 5


class _Server(Protocol):
    """The commands used here and nowhere else."""

    def info(self, section: str) -> dict[str, Any]: ...
    def config_get(self, pattern: str) -> dict[str, str]: ...
    def set(self, name: str, value: str, ex: int) -> Any: ...
    def get(self, name: str) -> str | None: ...
    def ping(self) -> bool: ...
    def time(self) -> tuple[int, int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes used, and the bytes at which writes are refused; 0: no limit is set."""

    used_bytes: int
    limit_bytes: int

    @property
    def ratio(self) -> float | None:
        """The share that is used, None where no limit is set."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How the server keeps its data. `fsync` is "" where the server does not tell (a managed one may not)."""

    version: str
    role: str
    is_cluster: bool
    policy: str
    appends: bool
    append_failed: bool
    fsync: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The median of a few round trips in ms, and how far the server's clock is ahead of this machine's, in seconds."""

    ping_ms: float
    ahead_s: float


def memory(redis: Redis) -> Memory:
    """Return how full the server is."""
    said = cast("_Server", redis).info("memory")
    return Memory(used_bytes=int(said["used_memory"]), limit_bytes=int(said.get("maxmemory") or 0))


def keeping(redis: Redis) -> Keeping:
    """Return how the server keeps its data."""
    server = cast("_Server", redis)
    about, kept = server.info("server"), server.info("persistence")
    return Keeping(
        version=str(about.get("valkey_version") or about.get("redis_version") or "0"),
        role=str(server.info("replication").get("role", "")),
        is_cluster=bool(server.info("cluster").get("cluster_enabled")),
        policy=str(server.info("memory").get("maxmemory_policy", "")),
        appends=bool(kept.get("aof_enabled")),
        append_failed="err" in {kept.get("aof_last_write_status"), kept.get("aof_last_bgrewrite_status")},
        fsync=_fsync(server),
    )


def timing(redis: Redis) -> Timing:
    """Measure a few round trips, and compare the clocks."""
    server = cast("_Server", redis)
    trips_s: list[float] = []
    for _ in range(PINGS):
        begun = time.perf_counter()
        server.ping()
        trips_s.append(time.perf_counter() - begun)
    median_s = sorted(trips_s)[PINGS // 2]
    seconds, micros = server.time()
    return Timing(ping_ms=median_s * 1000, ahead_s=seconds + micros / 1_000_000 - (time.time() - median_s / 2))


def writes(redis: Redis) -> bool:
    """Whether a write is taken and read back; the mark goes by itself after a minute."""
    server = cast("_Server", redis)
    mark = f"{time.time():.6f}"
    server.set(MARK, mark, ex=60)
    return server.get(MARK) == mark


def _fsync(server: _Server) -> str:
    try:
        return str(server.config_get("appendfsync").get("appendfsync", ""))
    except ResponseError:  # CONFIG is taken away where somebody else runs the server
        return ""
