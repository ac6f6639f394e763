"""The fixtures that every test may ask for (`pytest_plugins` in tests/conftest.py)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from jobstore.connections import connect, connect_rq
from jobstore.outbox import Outbox
from jobstore.store import Store
from tests.support.valkey import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from jobstore.connections import Redis
    from tests.support.stack import Stack


@pytest.fixture(scope="session")
def valkey() -> Iterator[Server]:
    """The server that this worker's tests share; use `redis_url` for an empty one."""
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One running Tuneroom by Socket Mode, which this worker's tests share, in whatever folder they are."""
    from tests.support.stack import Stack  # noqa: PLC0415 - the product and its SDKs: a second, for who needs them

    with Stack(tmp_path_factory.mktemp("stack") / "home") as stack:
        yield stack


@pytest.fixture
def private_valkey() -> Iterator[Callable[[], Server]]:
    """Make servers of one's own, running, which a test may `kill` and `start` again."""
    with contextlib.ExitStack() as stack:

        def make() -> Server:
            server = Server()
            stack.callback(server.close)
            server.start()
            return server

        yield make


@pytest.fixture
def redis_url(valkey: Server) -> str:
    """The `REDIS_URL` of an empty server, this test's alone while it runs."""
    with valkey.client() as client:
        client.flushall()
    return valkey.url


@pytest.fixture
def peek(redis_url: str, valkey: Server) -> Iterator[redis.Redis]:
    """A plain client for looking at keys and calling scripts by hand; it decodes answers."""
    with valkey.client() as client:
        yield client


@pytest.fixture
def connection(redis_url: str) -> Iterator[Redis]:
    """A client as the product makes it."""
    client = connect(redis_url)
    yield client
    client.close()


@pytest.fixture
def rq_connection(redis_url: str) -> Iterator[redis.Redis]:
    """A client as the product makes it for RQ: answers are bytes."""
    with connect_rq(redis_url) as client:
        yield client


@pytest.fixture
def store(connection: Redis) -> Store:
    """The record, on an empty server."""
    return Store(connection)


@pytest.fixture
def outbox(connection: Redis) -> Outbox:
    """The outbox, on the same server as `store`."""
    return Outbox(connection)
