"""Asking a model about held-out rows, stage by stage on a real record: within its price, and never in the way."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from finetune.catalogue import Catalogue
from finetune.contract import Label, PromptContract
from finetune.evaluation import Scores
from jobstore import faults
from jobstore.blobs import Blobs
from jobstore.buckets import Buckets
from jobstore.doorbell import Doorbell
from tests.bot.cards import a_report
from tests.support.samples import MONTH, TEAM, a_dataset, a_job, a_request, recorded
from tests.support.waiting import wait_for
from tests.support.wire import Asked, Told, served
from workers.endpoint import Endpoint
from workers.openai_protocol import OpenAIProtocol
from workers.perform import perform
from workers.stages.asking import BATCH
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

    from jobstore.connections import Redis
    from jobstore.jobs import Job
    from jobstore.records import Record, Ref
    from jobstore.store import Store

PATH: Final = ("uploading", "creating", "queued", "training", "analysing", "probing")
CONTRACT: Final = PromptContract(
    kind="completion", separator=" ->", stop=("\n",), labels=(Label(" no", 60, 1), Label(" yes", 40, 1))
)
TOKENS: Final = {"prompt_tokens": 1_000, "completion_tokens": 1, "total_tokens": 1_001}


def priced(usd: float | None) -> Catalogue:
    """Return a table in which a thousand tokens of a prompt cost `usd`, and answers nothing."""
    price = None if usd is None else 1_000 * usd
    model = {"name": "tiny", "provider": "local", "context": 4_096, "methods": ["supervised"], "formats": ["chat"]}
    answers = {"input_usd_per_million": price, "output_usd_per_million": None if usd is None else 0}
    base = {f"base_{name}": usd_per_million for name, usd_per_million in answers.items()}
    return Catalogue.load(json.dumps({"models": [model | answers | base]}).encode())


class Model:
    """A provider whose model answers what `say` makes of a prompt; None refuses it."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.say: Callable[[str], str | None] = lambda _: " no"

    def treat(self, asked: Asked) -> Told:
        """Answer a completion."""
        self.asked.append(asked.body)
        text = self.say(asked.body["prompt"])
        if text is None:
            return Told({"error": {"message": "no", "type": "t", "param": None, "code": "content_filter"}}, 400)
        choice = {"text": text, "index": 0, "finish_reason": "stop", "logprobs": None}
        about = {"id": "c", "object": "text_completion", "created": 1, "model": "m"}
        return Told(about | {"choices": [choice], "usage": TOKENS})


@pytest.fixture
def model() -> Iterator[Model]:
    made = Model()
    with served(made) as made.url:
        yield made


class Bench:
    """A workshop on an empty server, and a job whose run has just succeeded."""

    def __init__(self, store: Store, redis: Redis, rq: redis.Redis, home: Path, model: Model) -> None:
        self.store, self.blobs, self.model, self.home = store, Blobs(str(home)), model, home
        self._redis, self._rq = redis, rq

    def shop(self, usd: float | None = 0.001, **limits: Any) -> Workshop:
        """Return the workshop; a prompt of a thousand tokens costs `usd`."""
        address = f"{self.model.url}/v1"
        provider = OpenAIProtocol(Endpoint(name="local", api_key="key", base_url=address, timeout_s=20))
        return Workshop(
            store=self.store,
            blobs=self.blobs,
            doorbell=Doorbell(self._rq),
            buckets=Buckets(self._redis),
            providers={"local": provider},
            catalogue=priced(usd),
            models=("tiny",),
            timings=Timings(retry_base_s=0.0, retry_max_s=0.0),
            **limits,
        )

    def trained(self, rows: int = 20, *, contract: PromptContract = CONTRACT, **changes: Any) -> Ref:
        """Return a job that is being probed, of whose rows every other is "yes"."""
        lines = [
            json.dumps({"prompt": f"question {number} ->", "completion": f" {('no', 'yes')[number % 2]}\n"})
            for number in range(rows)
        ]
        kept, _ = self.blobs.put(TEAM, [msgspec.json.encode(contract)])
        valid = self.blobs.put_text(TEAM, "\n".join(lines)) if lines else ""
        job = a_job(contract=kept, valid_blob=valid, train_blob=valid, model="ft:tiny", **changes)
        ref = recorded(self.store, job)
        for state in PATH:
            record = self.store.get(ref)
            assert record is not None
            self.store.transition(record, state, record.data)
        return ref

    def job(self, ref: Ref) -> Record[Job]:
        """Return the job as it stands."""
        record = self.store.get(ref)
        assert record is not None
        return record

    def done(self, shop: Workshop, ref: Ref) -> Record[Job]:
        """Perform until the model is announced."""
        for _ in range(50):
            perform(shop, ref)
            if self.job(ref).state == "ready":
                return self.job(ref)
        raise AssertionError(f"{ref.id} stands in {self.job(ref).state}")

    def scores(self, record: Record[Job]) -> Scores:
        """Return what a job's answers came to."""
        assert record.data.evaluation is not None
        return msgspec.json.decode(self.blobs.read(TEAM, record.data.evaluation.scores), type=Scores)


@pytest.fixture
def bench(store: Store, connection: Redis, rq_connection: redis.Redis, tmp_path: Path, model: Model) -> Bench:
    return Bench(store, connection, rq_connection, tmp_path, model)


def test_every_row_is_asked_once_by_its_contract(bench: Bench) -> None:
    record = bench.done(bench.shop(), bench.trained())
    rows = bench.model.asked[1:]  # the first is the probe
    assert sorted(row["prompt"] for row in rows) == sorted(f"question {number} ->" for number in range(20))
    assert {(row["model"], row["temperature"], *row["stop"], row["max_tokens"]) for row in rows} == {
        ("ft:tiny", 0.0, "\n", 7)
    }
    found = bench.scores(record)
    assert found.classes is not None
    assert (found.right.right, found.right.total, found.classes.commonest.right) == (10, 20, 10)
    assert found.classes.two is not None
    assert (found.classes.two.positive, found.classes.two.recall, found.classes.two.precision) == ("yes", 0.0, None)


@pytest.mark.parametrize(("task", "asked"), [("extraction", 20), ("chat", 0), (None, 0)])
def test_a_model_that_does_not_classify_is_asked_where_one_answer_is_right(
    bench: Bench, task: str | None, asked: int
) -> None:
    report, _ = bench.blobs.put(TEAM, [msgspec.json.encode(a_report(task=task))])
    dataset = recorded(bench.store, a_dataset(report=report))
    plain = PromptContract(kind="completion", separator=" ->", stop=("\n",))
    ref = bench.trained(contract=plain, request=a_request(dataset=dataset.id))
    bench.model.say = lambda prompt: " yes" if "question 7" in prompt else " no"
    record = bench.done(bench.shop(), ref)
    assert len(bench.model.asked) == 1 + asked
    assert (record.data.evaluation is not None) == bool(asked)
    if record.data.evaluation:
        found = bench.scores(record)
        assert (found.right.right, found.right.total, found.classes) == (11, 20, None)
        assert (record.data.evaluation.is_classifier, record.data.evaluation.chart) == (False, "")


class DeathError(BaseException):
    """A process that is no more."""


@pytest.fixture
def dying() -> Iterator[Callable[[str, int], None]]:
    """Let this process die at a point when it is reached for the n-th time, once."""
    armed: list[str] = []

    def die(point: str, time: int) -> None:
        reached = itertools.count(1)

        def strike() -> None:
            if next(reached) == time:
                raise DeathError

        armed.append(point)
        faults.arm(point, strike)

    yield die
    for point in armed:
        faults.arm(point, lambda: None)


@pytest.mark.parametrize(("point", "time", "again"), [("evaluate.answered", 2, BATCH), ("evaluate.done", 1, 0)])
def test_after_a_death_no_kept_row_is_asked_again(
    bench: Bench, dying: Callable[[str, int], None], point: str, time: int, again: int
) -> None:
    shop, ref = dataclasses.replace(bench.shop(), timings=Timings(lease_s=1.0, create_deadline_s=0.5)), bench.trained()
    perform(shop, ref)
    dying(point, time)
    with pytest.raises(DeathError):
        perform(shop, ref)
    wait_for(lambda: perform(shop, ref) or bench.job(ref).state == "ready", timeout_s=60)

    rows = [row["prompt"] for row in bench.model.asked[1:]]
    assert len(rows) == 20 + again
    assert len(set(rows)) == 20
    found = bench.job(ref).data.evaluation
    assert found is not None
    assert (found.asked, found.scored, found.cost_usd) == (20, 20, pytest.approx(0.02))


def test_what_asking_cost_is_said_and_counted(bench: Bench) -> None:
    record = bench.done(bench.shop(usd=0.001), bench.trained())
    assert record.data.evaluation is not None
    assert record.data.evaluation.cost_usd == pytest.approx(0.02)
    assert bench.store.spend(TEAM, MONTH) == (0.0, pytest.approx(0.02))


def test_asking_stops_before_it_costs_too_much(bench: Bench) -> None:
    """Eight rows have cost $0.008 and eight more may cost as much again, by their bytes: together above a cent."""
    shop = bench.shop(usd=0.001, evaluation_usd=0.0081)
    record = bench.done(shop, bench.trained())
    assert record.data.evaluation is not None
    assert (record.data.evaluation.asked, record.data.evaluation.stopped) == (BATCH, "price")
    assert bench.scores(record).right.total == BATCH


def test_no_price_allows_no_row(bench: Bench) -> None:
    record = bench.done(bench.shop(usd=0.001, evaluation_usd=0.0), bench.trained())
    assert (record.state, record.data.evaluation, len(bench.model.asked)) == ("ready", None, 1)


@pytest.mark.parametrize(("usd", "limits"), [(None, {}), (0.001, {"evaluation_rows": 0})])
def test_a_model_whose_answers_have_no_price_or_that_is_not_to_be_asked_is_not(
    bench: Bench, usd: float | None, limits: dict[str, int]
) -> None:
    record = bench.done(bench.shop(usd, **limits), bench.trained())
    assert (record.data.evaluation, len(bench.model.asked)) == (None, 1)


def test_no_more_rows_are_asked_than_the_limit(bench: Bench) -> None:
    record = bench.done(bench.shop(evaluation_rows=5), bench.trained())
    assert record.data.evaluation is not None
    assert (record.data.evaluation.asked, record.data.evaluation.held_out) == (5, 20)


def test_a_row_that_is_refused_is_left_out_and_counted(bench: Bench) -> None:
    bench.model.say = lambda prompt: None if "question 7" in prompt else " no"
    record = bench.done(bench.shop(), bench.trained())
    found = bench.scores(record)
    assert (found.refused, found.right.total) == (1, 19)


def test_what_is_broken_on_our_side_does_not_hold_the_model_back(bench: Bench) -> None:
    shop, ref = bench.shop(), bench.trained()
    perform(shop, ref)
    record = bench.job(ref)
    assert record.state == "evaluating"
    assert record.data.evaluation is not None
    (bench.home / TEAM / record.data.evaluation.plan).unlink()
    record = bench.done(shop, ref)
    assert (record.state, record.data.evaluation) == ("ready", None)


def test_without_held_out_rows_the_model_is_announced(bench: Bench) -> None:
    record = bench.done(bench.shop(), bench.trained(rows=0))
    assert (record.data.evaluation, len(bench.model.asked)) == (None, 1)
