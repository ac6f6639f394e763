"""Exactly one paid run at Together, and none that costs more than was confirmed: by the real stage, SDK and HTTP."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.samples import a_job, a_request, recorded
from tests.support.together_server import CREATE, KEY, TogetherServer
from tests.support.together_serving import BASE
from tests.support.waiting import wait_for
from tests.support.workshops import LONG, workshop
from workers.endpoint import Endpoint
from workers.perform import perform
from workers.provider import Rows
from workers.together_protocol import Together

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobstore.connections import Redis
    from jobstore.records import Record, Ref
    from jobstore.store import Store
    from workers.workshop import Workshop
ROWS = b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}\n' * 20
SHORT = dataclasses.replace(LONG, create_deadline_s=0.5, lookup_grace_s=0.5)


@pytest.fixture
def server() -> Iterator[TogetherServer]:
    server = TogetherServer()
    yield server
    server.close()


@pytest.fixture
def provider(server: TogetherServer) -> Together:
    return Together(Endpoint(name="together", api_key=KEY, base_url=server.address, timeout_s=30))


@pytest.fixture
def shop(store: Store, connection: Redis, redis_url: str, tmp_path: Path, provider: Together) -> Iterator[Workshop]:
    with workshop(store, connection, redis_url, tmp_path, provider) as made:
        yield made


@pytest.fixture
def ref(store: Store, provider: Together) -> Ref:
    """A job whose rows are uploaded, confirmed at 2 dollars."""
    file = provider.upload(Rows(file=io.BytesIO(ROWS), name="tuneroom-abc.jsonl", size_bytes=len(ROWS)), lambda _: None)
    ref = recorded(store, a_job(request=a_request(provider="together", model=BASE), train_file=file))
    record = store.get(ref)
    assert record is not None
    record = store.transition(record, "uploading", record.data)
    return store.transition(record, "creating", record.data).ref


def job(store: Store, ref: Ref) -> Record[Any]:
    record = store.get(ref)
    assert record is not None
    return record


def test_a_price_above_the_confirmed_one_ends_the_job_before_anything_is_paid(
    shop: Workshop, store: Store, server: TogetherServer, ref: Ref
) -> None:
    server.training.usd_per_million = 7.2 * 1_000_000 / (len(ROWS) * 3 * 0.25)
    perform(shop, ref)

    ended = job(store, ref)
    assert (ended.state, ended.data.refusal.code) == ("failed", "price-above-confirmed")
    assert "$7.20" in ended.data.refusal.message
    assert "$2.00" in ended.data.refusal.message
    assert "nothing was charged" in ended.data.refusal.message
    assert "Start it again" in ended.data.refusal.hint
    assert ended.data.intent is None
    assert ended.data.cost_usd == 0
    assert server.seen[CREATE] == 0


def test_a_price_that_was_confirmed_is_paid_once(
    shop: Workshop, store: Store, server: TogetherServer, ref: Ref
) -> None:
    server.training.usd_per_million = 1.9 * 1_000_000 / (len(ROWS) * 3 * 0.25)
    perform(shop, ref)

    assert job(store, ref).state == "queued"
    assert server.paid() == 1


def test_nothing_is_created_before_the_provider_has_read_the_rows(
    shop: Workshop, store: Store, server: TogetherServer, ref: Ref
) -> None:
    (file,) = server.training.files.values()
    file["processing_status"] = "RUNNING"
    perform(shop, ref)
    assert (job(store, ref).state, server.seen[CREATE]) == ("creating", 0)
    assert "still reading" in job(store, ref).data.note
    file["processing_status"] = "COMPLETED"
    perform(shop, ref)
    assert (job(store, ref).state, server.seen[CREATE]) == ("queued", 1)


def test_a_run_whose_reply_is_lost_and_that_is_listed_late_is_adopted(
    shop: Workshop, store: Store, server: TogetherServer, ref: Ref
) -> None:
    server.lose(CREATE)
    perform(shop, ref)
    assert job(store, ref).state == "creating"
    server.training.late_lists = 2
    for _ in range(2):
        perform(shop, ref)
        assert job(store, ref).state == "creating"
    perform(shop, ref)

    assert (job(store, ref).state, job(store, ref).data.run) == ("queued", next(iter(server.training.runs)))
    assert (server.paid(), server.seen[CREATE]) == (1, 1)


def test_a_request_that_never_arrived_is_put_before_a_person(
    shop: Workshop, store: Store, server: TogetherServer, ref: Ref
) -> None:
    shop = dataclasses.replace(shop, timings=SHORT)
    server.drop(CREATE)
    perform(shop, ref)

    def looked_up() -> bool:
        perform(shop, ref)
        return job(store, ref).state == "unclear"

    wait_for(looked_up, timeout_s=60)
    assert server.seen[CREATE] == 1
