"""A job from its rows to its answer, by the real stages, follower and SDK, at providers that are not OpenAI."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from finetune.catalogue import Catalogue
from finetune.contract import PromptContract
from jobstore.blobs import Blobs
from jobstore.buckets import Buckets
from jobstore.connections import connect_rq
from jobstore.doorbell import Doorbell
from tests.support import azure_server, nebius_server
from tests.support.azure_server import V1, Azure
from tests.support.nebius_server import Nebius
from tests.support.recorded_server import KEY
from tests.support.samples import TEAM, a_job, a_request, recorded
from tests.support.waiting import wait_for
from tests.support.wire import Told, served
from workers import openai_uploads
from workers.endpoint import Endpoint
from workers.follower import Follower
from workers.openai_protocol import OpenAIProtocol
from workers.perform import perform
from workers.stages import probe
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jobstore.connections import Redis
    from jobstore.jobs import Job
    from jobstore.records import Record, Ref
    from jobstore.store import Store

QUICK: Final = Timings(
    poll_min_s=0.01, poll_max_s=0.1, list_from_runs=0, retry_base_s=0, retry_max_s=0, provider_calls_per_min=1e6
)
PATIENCE_S: Final = 60.0
ROWS: Final = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n' * 12
PRICES: Final[dict[str, Any]] = {
    "models": [
        {"name": name, "provider": provider, "context": 8192, "methods": ["supervised"], "formats": ["chat"],
         "training_usd_per_million": 2, "exact_tokens": False}
        for provider, name in (("azure", f"azure/{azure_server.BASE}"), ("nebius", nebius_server.BASE))
    ]
}  # fmt: skip


class Bench:
    """A workshop, and one job in it that stands before its rows are uploaded."""

    def __init__(self, shop: Workshop, model: str) -> None:
        self.shop = shop
        (provider,) = shop.providers
        train, _ = shop.blobs.put(TEAM, [ROWS])
        contract, _ = shop.blobs.put(TEAM, [msgspec.json.encode(PromptContract(kind="chat"))])
        request = a_request(provider=provider, model=model)
        job = a_job(request=request, train_blob=train, contract=contract)
        self.ref: Ref = recorded(shop.store, job)
        self.now = shop.store.transition(self.record, "uploading", job)

    @property
    def record(self) -> Record[Job]:
        found = self.shop.store.get(self.ref)
        assert found is not None
        return found

    def work(self, until: str) -> Record[Job]:
        """Let a worker work until the job stands somewhere."""

        def done() -> bool:
            perform(self.shop, self.ref)
            return self.record.state == until

        wait_for(done, timeout_s=PATIENCE_S)
        return self.record

    def follow(self) -> Record[Job]:
        """Let a follower follow until the run has ended."""

        async def run() -> None:
            follower = Follower(self.shop)
            task = asyncio.create_task(follower.run())
            async with asyncio.timeout(PATIENCE_S):
                while await asyncio.to_thread(lambda: self.record.state) in {"queued", "training"}:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            follower.stop()
            await task

        asyncio.run(run())
        return self.record


@pytest.fixture
def workshop(
    store: Store, connection: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    monkeypatch.setattr(openai_uploads, "READ_EVERY_S", 0.01)
    monkeypatch.setattr(probe, "SLOW_MS", -1)
    with connect_rq(redis_url) as bells:

        def made(provider: str, base_url: str) -> Workshop:
            endpoint = Endpoint(name=provider, api_key=KEY, base_url=base_url, timeout_s=10)
            return Workshop(
                store=store, blobs=Blobs(str(tmp_path)), doorbell=Doorbell(bells), buckets=Buckets(connection),
                providers={provider: OpenAIProtocol(endpoint)}, models=(), timings=QUICK,
                catalogue=Catalogue.load(msgspec.json.encode(PRICES)),
            )  # fmt: skip

        yield made


def test_job_at_azure_from_its_rows_to_its_deployed_model(workshop: Any) -> None:
    azure = Azure()
    with served(azure) as url:
        bench = Bench(workshop("azure", f"{url}{V1}/"), f"azure/{azure_server.BASE}")
        assert bench.work("queued").data.run == f"ftjob-{1:032x}"
        trained = bench.follow()
        assert (trained.state, trained.data.cost_usd) == ("analysing", 2342 * 2 / 1_000_000)

        probed = bench.work("probing").data
        assert probed.results is not None
        assert (probed.results.final_valid_loss, len(probed.checkpoints)) == (1.21, 2)
        wait_for(lambda: perform(bench.shop, bench.ref) or "deploy it" in bench.record.data.note, timeout_s=PATIENCE_S)
        assert f"named {azure_server.BASE}.ft-{1:032x}." in bench.record.data.note

        azure.deployments.add(probed.model)
        assert bench.work("ready").data.note == ""
    assert len(azure.jobs) == 1


def test_job_at_nebius_from_its_rows_to_the_model_made_of_its_adapter(workshop: Any) -> None:
    nebius = Nebius()
    with served(nebius) as url:
        bench = Bench(workshop("nebius", f"{url}/v1"), nebius_server.BASE)
        bench.work("queued")
        trained = bench.follow()
        assert trained.data.cost_usd == pytest.approx(480_000 * 2 / 1_000_000)

        ready = bench.work("ready").data
        assert ready.results is not None
        assert ready.results.best_valid_loss == nebius_server.LOSSES[-1][1]
        assert [point.step for point in ready.checkpoints] == [75, 50, 25]
        assert ready.model in nebius.made
    assert len(nebius.jobs) == 1


@pytest.mark.parametrize("loses", [True, False], ids=["answer lost", "answered"])
def test_run_at_nebius_is_one_whatever_becomes_of_the_answer(workshop: Any, *, loses: bool) -> None:
    """Nebius has no metadata: the run is found by the end of its suffix."""
    nebius = Nebius()
    with served(nebius) as url:
        bench = Bench(workshop("nebius", f"{url}/v1"), nebius_server.BASE)
        bench.work("creating")
        if loses:
            nebius.loses.add(("POST", nebius_server.JOBS))
            perform(bench.shop, bench.ref)
            assert (bench.record.state, len(nebius.jobs)) == ("creating", 1)
            nebius.loses.clear()
        assert bench.work("queued").data.run == f"ftjob-{1:032x}"
    assert len(nebius.jobs) == 1


def test_job_of_an_account_that_may_not_train_ends_before_its_rows_are_sent(workshop: Any) -> None:
    azure = Azure()
    azure.trained["capabilities"] = {"fine_tune": False}
    with served(azure) as url:
        bench = Bench(workshop("azure", f"{url}{V1}/"), f"azure/{azure_server.BASE}")
        failed = bench.work("failed").data
    assert failed.refusal is not None
    assert failed.refusal.code == "model-not-trained"
    assert (azure.uploaded, azure.jobs, failed.cost_usd) == ({}, {}, 0.0)


def test_job_whose_rows_are_refused_when_they_are_read_ends_in_the_providers_words(workshop: Any) -> None:
    azure = Azure()
    azure.refuses["GET", f"{V1}/files/file-{1:032x}"] = Told(
        {"id": "file-1", "object": "file", "status": "error", "status_details": "Line 3 is no JSON."}
    )
    with served(azure) as url:
        bench = Bench(workshop("azure", f"{url}{V1}/"), f"azure/{azure_server.BASE}")
        failed = bench.work("failed").data
    assert failed.refusal is not None
    assert bench.shop.blobs.read(TEAM, failed.refusal.said) == b"Line 3 is no JSON."
    assert azure.jobs == {}
