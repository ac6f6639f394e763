"""Redis: whether it is there, keeps what it is told, refuses when it is full, and answers fast enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jobstore import server
from jobstore.connections import connect
from tuneroom.doctor.verdict import Verdict, ok, warning, wrong

if TYPE_CHECKING:
    from jobstore.connections import Redis
    from tuneroom.settings import Settings

OLDEST: Final = (6, 2)
SLOW_MS: Final = 20.0
FULL: Final = 0.7
HERE: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class RecordFindings:
    """The verdicts; where Redis answered, a client and how far its clock is ahead of this machine's."""

    verdicts: list[Verdict]
    redis: Redis | None = None
    ahead_s: float | None = None


def examine(settings: Settings) -> RecordFindings:
    """Look at the server that holds the record."""
    place = _place(settings.redis_url)
    try:
        redis = connect(settings.redis_url)
        kept, timing = server.keeping(redis), server.timing(redis)
        takes = server.writes(redis)
    except Exception as error:  # noqa: BLE001 - no route, no password, no right: all of them are what was found
        mend = "Start it, or set REDIS_URL (redis://:PASSWORD@HOST:6379/0); look at its password and its ACL."
        return RecordFindings([wrong("Redis", f"{place} cannot be used: {_said(error)}.", mend)])
    verdicts = [
        _server(place, kept, timing),
        _takes(takes),
        _appends(kept),
        _policy(kept),
        _memory(server.memory(redis)),
        *_guarded(settings.redis_url),
    ]
    return RecordFindings(verdicts, redis, timing.ahead_s)


def _place(url: str) -> str:
    """Where a URL leads, without its password."""
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname or '?'}:{_port(url)}{parts.path}"


def _port(url: str) -> int:
    try:
        return urlsplit(url).port or 6379
    except ValueError:
        return 0


def _said(error: Exception) -> str:
    """Our libraries' own words; the name alone where there are none."""
    return str(error).strip().rstrip(".").splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _server(place: str, kept: server.Keeping, timing: server.Timing) -> Verdict:
    found = f"{place}, version {kept.version}, a round trip of {timing.ping_ms:.1f} ms"
    version = tuple(int(part) for part in kept.version.split(".")[:2] if part.isdigit())
    if version < OLDEST:
        return wrong("Redis", f"{found}.", "Upgrade to Redis 6.2, any Valkey, or newer: the scripts need it.")
    if kept.is_cluster:
        return wrong("Redis", f"{found}; it is a cluster.", "Use a single primary: Redis Cluster is not supported.")
    if kept.role not in {"", "master"}:
        return wrong("Redis", f"{found}; it is a replica.", "Set REDIS_URL to the primary.")
    if timing.ping_ms > SLOW_MS:
        return warning("Redis", f"{found}.", "Put it nearer: every step waits for several round trips.")
    return ok("Redis", f"{found}.")


def _takes(takes: bool) -> Verdict:  # noqa: FBT001
    if takes:
        return ok("Redis writes", "a mark was written and read back.")
    return wrong(
        "Redis writes", "a mark that was written was not there again.", "Is it a proxy? Use the server itself."
    )


def _appends(kept: server.Keeping) -> Verdict:
    if not kept.appends:
        mend = "Set `appendonly yes` and `appendfsync always`; CONFIG REWRITE keeps it."
        return wrong("Redis persistence", "off: a restart forgets every job, paid ones too.", mend)
    if kept.append_failed:
        return wrong("Redis persistence", "its last write to disk failed.", "Look at its log and at its disk.")
    if kept.fsync == "no":
        return wrong("Redis persistence", "on, appendfsync no.", "Set `appendfsync always`.")
    if kept.fsync == "everysec":
        mend = "Set `appendfsync always`: a recorded intent that is lost may be paid twice."
        return warning("Redis persistence", "on, appendfsync everysec: a power cut loses the last second.", mend)
    if not kept.fsync:
        return warning(
            "Redis persistence", "on; the server does not tell how often it syncs.", "It should be `always`."
        )
    return ok("Redis persistence", f"on, appendfsync {kept.fsync}.")


def _policy(kept: server.Keeping) -> Verdict:
    if kept.policy != "noeviction":
        mend = "Set `maxmemory-policy noeviction`: the record must be refused, never forgotten."
        return wrong("Redis eviction", f"maxmemory-policy {kept.policy or 'unknown'}.", mend)
    return ok("Redis eviction", "maxmemory-policy noeviction.")


def _memory(memory: server.Memory) -> Verdict:
    used = f"{memory.used_bytes / 2**20:,.1f} MB used"
    if memory.ratio is None:
        mend = "Set `maxmemory` below the machine's memory: a full server then refuses writes instead of being killed."
        return warning("Redis memory", f"{used}, no maxmemory set.", mend)
    found = f"{used} of {memory.limit_bytes / 2**20:,.0f} ({memory.ratio:.0%})."
    if memory.ratio >= FULL:
        return wrong("Redis memory", found, "Raise `maxmemory` now: at 100% every transition stops.")
    return ok("Redis memory", found)


def _guarded(url: str) -> list[Verdict]:
    parts = urlsplit(url)
    if parts.scheme == "unix" or parts.password or parts.hostname in HERE:
        return []
    mend = "Give it a password (`requirepass`), and put it into REDIS_URL; publish its port to nobody else."
    return [warning("Redis password", "REDIS_URL has none, and the server is on another machine.", mend)]
