"""How the product connects to Redis: no automatic retries, which would repeat writes (docs/adr/0002)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

UNAVAILABLE: Final = (RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError)
"""What is raised while Redis is gone, full, or no longer the primary: wait, and do the whole step again."""


class Redis(Protocol):
    """The commands used here, as a client that decodes answers them; redis-py's own types allow for every client."""

    def get(self, name: str) -> str | None: ...
    def hgetall(self, name: str) -> dict[str, str]: ...
    def hget(self, name: str, key: str) -> str | None: ...
    def smembers(self, name: str) -> set[str]: ...
    def zrange(self, name: str, start: int, end: int) -> list[str]: ...
    def zrevrange(self, name: str, start: int, end: int) -> list[str]: ...
    def zrangebyscore(self, name: str, min: str, max: int, start: int, num: int) -> list[str]: ...  # noqa: A002
    def zscore(self, name: str, value: str) -> float | None: ...
    def zrem(self, name: str, *values: str) -> int: ...
    def zcard(self, name: str) -> int: ...
    def xrange(self, name: str) -> list[tuple[str, dict[str, str]]]: ...
    def time(self) -> tuple[int, int]: ...
    def ping(self) -> bool: ...
    def register_script(self, script: str) -> Callable[..., Any]: ...
    def pubsub(self, **options: Any) -> Any: ...
    def close(self) -> None: ...


def _client(url: str, *, decode: bool) -> redis.Redis:
    options: dict[str, Any] = {
        "decode_responses": decode,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": 5,
        "health_check_interval": 30,
    }
    if decode:
        options["socket_timeout"] = 10  # RQ's workers block for longer than that, on a client of their own
    return redis.Redis.from_url(url, **options)


def connect(url: str) -> Redis:
    """Return a client for the record's own use."""
    return cast("Redis", _client(url, decode=True))


def connect_rq(url: str) -> redis.Redis:
    """Return a client for RQ, which reads bytes."""
    return _client(url, decode=False)


def wakes(client: Redis, pattern: str, *, every_s: float) -> Iterator[str | None]:
    """Yield the message of each publication on channels like `pattern`, and None whenever `every_s` passed without.

    Wake-ups only shorten a wait: whoever listens sweeps anyway. Raises what `UNAVAILABLE` names while Redis is gone.
    """
    with client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.psubscribe(pattern)
        yield None
        while True:
            message = listener.get_message(timeout=every_s)
            yield message["data"] if message else None
