"""A workshop at Together whose models wait to be hosted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.samples import TEAM, a_job, a_request, recorded
from tests.support.together_server import KEY, TogetherServer
from tests.support.together_serving import BASE
from tests.support.workshops import workshop
from tests.workers.hosting.bench import LONG, MODEL, confirm, now
from workers.endpoint import Endpoint
from workers.together_protocol import Together

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobstore.connections import Redis
    from jobstore.records import Ref
    from jobstore.store import Store
    from workers.workshop import Workshop


@pytest.fixture
def server() -> Iterator[TogetherServer]:
    server = TogetherServer()
    server.training.add_model(MODEL)
    yield server
    server.close()


@pytest.fixture
def shop(store: Store, connection: Redis, redis_url: str, tmp_path: Path, server: TogetherServer) -> Iterator[Workshop]:
    """A workshop at Together whose look-ups are believed after a minute and more."""
    endpoint = Endpoint(name="together", api_key=KEY, base_url=server.address, timeout_s=30)
    with workshop(store, connection, redis_url, tmp_path, Together(endpoint), LONG) as made:
        yield made


@pytest.fixture
def asked(shop: Workshop, store: Store) -> Ref:
    """A job whose model is trained and waits to be hosted."""
    contract, _ = shop.blobs.put(TEAM, [b'{"kind": "chat"}'])
    ref = recorded(store, a_job(request=a_request(provider="together", model=BASE), contract=contract, model=MODEL))
    for state in ("uploading", "creating", "queued", "analysing", "awaiting_hosting"):
        record = now(store, ref)
        store.transition(record, state, record.data)
    return ref


@pytest.fixture
def confirmed(store: Store, asked: Ref) -> Ref:
    """The same, confirmed for an hour."""
    return confirm(store, asked)
