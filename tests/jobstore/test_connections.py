"""How the product connects to Redis."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from jobstore.connections import UNAVAILABLE, connect, wakes

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from jobstore.connections import Redis
    from tests.support.valkey import Server


def test_server_that_is_gone_is_named_unavailable(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    client = connect(server.url)
    assert client.ping()
    server.kill()
    with pytest.raises(UNAVAILABLE):
        client.ping()
    server.start()
    assert client.ping()
    client.close()


def test_wakes_yield_messages_and_none_after_a_quiet_while(connection: Redis, peek: redis.Redis) -> None:
    heard = wakes(connection, "tuneroom:{T1}:wake:*", every_s=0.05)
    assert next(heard) is None
    while not peek.pubsub_numpat():
        next(heard)
    began = time.monotonic()
    while next(heard) is not None:
        assert time.monotonic() - began < 10
    peek.publish("tuneroom:{T1}:wake:worker", "job:j1")
    assert "job:j1" in [next(heard) for _ in range(2)]
    heard.close()
