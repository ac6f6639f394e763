"""How the record is doing, for whoever watches it: what waits, for how long, what was refused, what is unclear.

Read when asked for and never kept: the record itself is what is counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from jobstore import server
from jobstore.doorbell import QUEUES
from jobstore.keys import prefix
from jobstore.states import Actor, Kind
from jobstore.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobstore.connections import Redis

ACTORS: Final = (Actor.FETCHER, Actor.WORKER, Actor.FOLLOWER)
AT_ONCE: Final = 500
JOBS_MAX: Final = 20_000
"""Jobs counted by state, the newest: an older one is ready, or long forgotten."""


class _Server(Protocol):
    """The commands used here and nowhere else."""

    def pipeline(self, transaction: bool) -> Any: ...  # noqa: FBT001
    def get(self, name: str) -> str | None: ...
    def llen(self, name: str) -> int: ...
    def xlen(self, name: str) -> int: ...
    def zrange(self, name: str, start: int, end: int, withscores: bool) -> list[tuple[str, float]]: ...  # noqa: FBT001


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamGauges:
    """One workspace. Ages in seconds, 0 where nothing waits; money in US dollars, of this month (UTC).

    `oldest_due_s`: by actor, how long the record that waits longest has waited for somebody to act on it.
    `oldest_delivery_s`: how long the delivery that waits longest has waited to be sent.
    """

    team: str
    oldest_due_s: dict[str, float]
    deliveries: int
    oldest_delivery_s: float
    dead_letters: int
    jobs: dict[str, int]
    reserved_usd: float
    spent_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Everything at one moment. `queues`: tasks that wait, `listening`: workers alive, both by RQ's queue."""

    teams: tuple[TeamGauges, ...]
    memory: server.Memory
    append_failed: bool
    queues: dict[str, int]
    listening: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One RQ worker: where it runs, the queues it works on, and when it was last heard of (UTC)."""

    host: str
    pid: int
    queues: tuple[str, ...]
    heard: datetime


def read_gauges(redis: Redis) -> Gauges:
    """Read them all. Raises what `jobstore.connections.UNAVAILABLE` names."""
    store, client = Store(redis), cast("_Server", redis)
    now_ms = store.now_ms()
    alive: Counter[str] = Counter(queue for one in listeners(redis) for queue in one.queues)
    return Gauges(
        teams=tuple(_of_team(store, redis, team, now_ms) for team in store.teams()),
        memory=server.memory(redis),
        append_failed=server.keeping(redis).append_failed,
        queues={queue: client.llen(f"rq:queue:{queue}") for queue in QUEUES.values()},
        listening={queue: alive[queue] for queue in QUEUES.values()},
    )


def listeners(redis: Redis) -> list[Listener]:
    """Return the RQ workers that Redis still knows of; one that died goes by itself after about 90 seconds."""
    keys = sorted(redis.smembers("rq:workers"))
    rows = _hmget(redis, keys, "hostname", "pid", "queues", "last_heartbeat")
    return [
        Listener(host=host or "", pid=int(pid), queues=tuple((queues or "").split(",")), heard=_moment(heard))
        for host, pid, queues, heard in rows
        if pid and heard
    ]


def newest_datasets(redis: Redis, team: str, limit: int) -> list[str]:
    """Return the handles of the newest datasets, newest first: "d12", "d11"."""
    last = int(cast("_Server", redis).get(f"{prefix(team)}next:{Kind.DATASET.value}") or 0)
    return [f"d{number}" for number in range(last, max(0, last - limit), -1)]


def ring_wait_ms(rings: int) -> int:
    """Return how long ring.lua puts off the ring after the `rings`th."""
    return min(300, 10 * 2 ** min(rings - 1, 5)) * 1000


def _of_team(store: Store, redis: Redis, team: str, now_ms: int) -> TeamGauges:
    client = cast("_Server", redis)
    month = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m}"
    reserved_usd, spent_usd = store.spend(team, month)
    waiting = _waiting_deliveries(redis, team)
    return TeamGauges(
        team=team,
        oldest_due_s={actor.value: _oldest_due_ms(redis, team, actor, now_ms) / 1000 for actor in ACTORS},
        deliveries=len(waiting),
        oldest_delivery_s=max(0, now_ms - min(waiting, default=now_ms)) / 1000,
        dead_letters=client.xlen(f"{prefix(team)}dead-letters"),
        jobs=_jobs(redis, team),
        reserved_usd=reserved_usd,
        spent_usd=spent_usd,
    )


def _oldest_due_ms(redis: Redis, team: str, actor: Actor, now_ms: int) -> int:
    """How long the longest waiting record waits; whoever holds one has put its due time off to the lease's end.

    A worker's due time is the next ring. A record rung for in vain has waited since the first ring, as long as all
    rings together put it off.
    """
    due = cast("_Server", redis).zrange(f"{prefix(team)}due:{actor.value}", 0, AT_ONCE - 1, withscores=True)
    rows = _hmget(redis, [prefix(team) + member for member, _ in due], "rings", "lease_until")
    begun = [
        int(score) - (0 if int(held or 0) else sum(ring_wait_ms(ring) for ring in range(1, int(rings or 0) + 1)))
        for (_, score), (rings, held) in zip(due, rows, strict=True)
    ]
    return max(0, now_ms - min(begun, default=now_ms))


def _waiting_deliveries(redis: Redis, team: str) -> list[int]:
    """Since when each delivery in line has waited, in ms since 1970."""
    keys = [
        f"{prefix(team)}delivery:{name}"
        for channel in redis.zrange(f"{prefix(team)}channels", 0, -1)
        for name in redis.zrange(f"{prefix(team)}outbox:{channel}", 0, -1)
    ]
    rows = _hmget(redis, keys, "waiting_ms", "put_ms")
    return [int(since) for waiting, put in rows if (since := waiting or put)]


def _jobs(redis: Redis, team: str) -> dict[str, int]:
    last = int(cast("_Server", redis).get(f"{prefix(team)}next:{Kind.JOB.value}") or 0)
    first = max(1, last - JOBS_MAX + 1)
    keys = [f"{prefix(team)}{Kind.JOB.value}:j{number}" for number in range(first, last + 1)]
    return dict(Counter(state for (state,) in _hmget(redis, keys, "state") if state))


def _hmget(redis: Redis, keys: Sequence[str], *fields: str) -> list[list[str | None]]:
    """Read the same fields of many hashes, some hundreds a round trip."""
    found: list[list[str | None]] = []
    for start in range(0, len(keys), AT_ONCE):
        batch = cast("_Server", redis).pipeline(transaction=False)
        for key in keys[start : start + AT_ONCE]:
            batch.hmget(key, fields)
        found += batch.execute()
    return found


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text or "")
