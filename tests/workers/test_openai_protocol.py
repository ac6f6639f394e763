"""The first adapter, by the real SDK over HTTP: what a provider's answers become."""

from __future__ import annotations

import asyncio
import io
import math
from typing import TYPE_CHECKING, Any

import pytest

from finetune.class_odds import TokenOdds
from finetune.contract import PromptContract
from tests.support.samples import a_request
from tests.support.wire import Asked, Told, served
from workers import openai_lookup
from workers.endpoint import Endpoint
from workers.openai_bodies import INTENT_KEY
from workers.openai_protocol import OpenAIProtocol
from workers.provider import ErrorKind, Order, ProviderError, Question, Rows, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN: dict[str, Any] = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1,
    "error": {},
    "fine_tuned_model": None,
    "finished_at": None,
    "hyperparameters": {},
    "model": "tiny",
    "organization_id": "org",
    "result_files": [],
    "seed": 7,
    "status": "running",
    "trained_tokens": None,
    "training_file": "file-1",
    "validation_file": None,
    "metadata": None,
}


class Canned:
    """A provider that answers as it is told and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.headers: dict[str, str] = {}
        self.bodies: list[dict[str, Any]] = []
        self.asked: list[Asked] = []
        self.drops = False

    @property
    def provider(self) -> OpenAIProtocol:
        return OpenAIProtocol(Endpoint(name="local", api_key="key", base_url=f"{self.url}/v1", timeout_s=5))

    def treat(self, asked: Asked) -> Told | None:
        self.asked.append(asked)
        if self.drops:
            return None
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return Told(body, self.status, {name.replace("_", "-"): value for name, value in self.headers.items()})

    def fails(self, status: int, code: str | None = None, **headers: str) -> OpenAIProtocol:
        self.status, self.headers = status, headers
        self.bodies = [{"error": {"message": "it says why", "type": "t", "param": None, "code": code}}]
        return self.provider

    def answers(self, *bodies: dict[str, Any]) -> OpenAIProtocol:
        self.bodies = list(bodies)
        return self.provider


@pytest.fixture
def canned() -> Iterator[Canned]:
    made = Canned()
    with served(made) as made.url:
        yield made


def create(provider: OpenAIProtocol) -> Any:
    return provider.create_run(Order(request=a_request(), train_file="file-1", valid_file="", intent="intent-1"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "invalid_api_key", ErrorKind.REFUSED),
        (403, "training_not_available", ErrorKind.NOT_AVAILABLE),
        (429, "rate_limit_exceeded", ErrorKind.RETRY),
        (429, "insufficient_quota", ErrorKind.QUOTA),
        (400, "invalid_request", ErrorKind.REFUSED),
        (404, "model_not_found", ErrorKind.MISSING),
        (409, None, ErrorKind.UNSURE),
        (500, None, ErrorKind.UNSURE),
        (503, None, ErrorKind.UNSURE),
    ],
)
def test_each_refusal_has_its_kind_and_is_posted_once(
    canned: Canned, status: int, code: str | None, kind: ErrorKind
) -> None:
    provider = canned.fails(status, code)
    with pytest.raises(ProviderError) as raised:
        create(provider)
    assert raised.value.kind is kind
    assert raised.value.message
    assert len(canned.asked) == 1


def test_a_busy_provider_says_how_long_to_wait(canned: Canned) -> None:
    with pytest.raises(ProviderError) as raised:
        create(canned.fails(429, "rate_limit_exceeded", retry_after="17"))
    assert raised.value.retry_after_s == 17


def test_a_dropped_reply_is_unsure_and_posted_once(canned: Canned) -> None:
    canned.drops = True
    with pytest.raises(ProviderError) as raised:
        create(canned.provider)
    assert raised.value.kind is ErrorKind.UNSURE
    assert len(canned.asked) == 1


def test_an_answer_to_create_that_cannot_be_read_may_have_made_a_run(canned: Canned) -> None:
    with pytest.raises(ProviderError) as raised:
        create(canned.answers({"accepted": True}))
    assert raised.value.kind is ErrorKind.UNSURE
    assert len(canned.asked) == 1


def test_a_provider_that_is_not_there_was_surely_not_asked() -> None:
    gone = OpenAIProtocol(Endpoint(name="local", api_key="key", base_url="http://127.0.0.1:9/v1", timeout_s=2))
    with pytest.raises(ProviderError) as raised:
        create(gone)
    assert raised.value.kind is ErrorKind.RETRY


def test_a_run_is_created_with_the_confirmed_request_and_its_intent(canned: Canned) -> None:
    run = create(canned.answers(RUN))
    (asked,) = canned.asked
    assert (asked.method, asked.path) == ("POST", "/v1/fine_tuning/jobs")
    sent = asked.body
    assert sent["metadata"] == {INTENT_KEY: "intent-1"}
    assert sent["method"]["supervised"]["hyperparameters"] == {
        "n_epochs": 3,
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
    }
    assert (sent["model"], sent["suffix"], sent["seed"]) == ("tiny", "support-bot", 7)
    assert "validation_file" not in sent
    assert (run.id, run.status, run.error_code) == ("ftjob-1", RunStatus.RUNNING, "")


def test_a_run_is_found_by_its_intent_even_where_the_filter_is_ignored(canned: Canned) -> None:
    mine = {**RUN, "id": "ftjob-2", "metadata": {INTENT_KEY: "intent-1"}}
    page = {"object": "list", "data": [RUN, mine], "has_more": False}
    found = canned.answers(page).find_run("intent-1")
    assert found is not None
    assert found.id == "ftjob-2"


def test_a_run_that_is_not_listed_is_not_found(canned: Canned) -> None:
    assert canned.answers({"object": "list", "data": [RUN], "has_more": False}).find_run("intent-1") is None


def test_a_run_is_looked_for_as_far_back_as_it_can_have_been_made(canned: Canned) -> None:
    """Behind however many younger ones, and no further: the list of an old account is long."""

    def page(*created_s: int) -> dict[str, Any]:
        data = [{**RUN, "id": f"ftjob-{number}", "created_at": number} for number in created_s]
        return {"object": "list", "data": data, "has_more": True}

    pages = [page(20_000 - number, 19_999 - number) for number in range(8)]
    found = page(11_000)
    found["data"][0]["metadata"] = {INTENT_KEY: "intent-1"}
    run = canned.answers(*pages, found).find_run("intent-1", since_ms=10_000_000)
    assert run is not None
    assert run.id == "ftjob-11000"

    canned.asked.clear()
    assert canned.answers(*pages, page(6_001, 6_000), page(5_000)).find_run("intent-1", since_ms=10_000_000) is None
    assert len(canned.asked) == 9  # the clocks may be an hour apart


def test_a_list_too_long_to_be_read_is_not_taken_for_one_without_the_run(
    canned: Canned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_lookup, "PAGES_MAX", 3)
    pages = [
        {"object": "list", "data": [{**RUN, "id": f"ftjob-{number}", "created_at": 1 + number}], "has_more": True}
        for number in range(4)
    ]
    with pytest.raises(ProviderError) as error:
        canned.answers(*pages).find_run("intent-1", since_ms=10_000_000)
    assert error.value.is_final


def test_an_unknown_status_is_still_going(canned: Canned) -> None:
    run = asyncio.run(canned.answers({**RUN, "status": "polishing"}).run("ftjob-1"))
    assert (run.status, run.said) == (RunStatus.RUNNING, "polishing")


def test_events_are_read_back_to_a_moment_and_come_oldest_first(canned: Canned) -> None:
    def event(number: int, **more: Any) -> dict[str, Any]:
        base = {"id": f"e{number}", "object": "fine_tuning.job.event", "created_at": number, "level": "info"}
        return base | {"message": f"m{number}", "type": "message"} | more

    metrics = {"type": "metrics", "data": {"step": 5, "total_steps": 9, "train_loss": 0.5, "full_valid_loss": 0.7}}
    page = {"object": "list", "data": [event(3, **metrics), event(2), event(1)], "has_more": False}
    events = asyncio.run(canned.answers(page).events("ftjob-1", since_ms=2_000))
    assert [one.id for one in events] == ["e2", "e3"]
    assert (events[1].step, events[1].total_steps, events[1].train_loss, events[1].valid_loss) == (5, 9, 0.5, 0.7)


def test_every_call_for_events_but_the_first_waits_for_its_turn(canned: Canned) -> None:
    def page(number: int, *, more: bool) -> dict[str, Any]:
        return {"data": [{"id": f"e{number}", "created_at": number, "message": ""}], "has_more": more}

    asked: list[int] = []

    async def turn() -> None:
        asked.append(len(canned.asked))

    provider = canned.answers(page(9, more=True), page(8, more=True), page(7, more=False))
    asyncio.run(provider.events("ftjob-1", since_ms=1, turn=turn))
    assert asked == [1, 2]


@pytest.mark.parametrize(("since_ms", "expected", "limit"), [(0, 0, 100), (1, 0, 20), (1, 40, 52), (1, 500, 100)])
def test_as_many_events_are_asked_for_as_are_to_be_expected(
    canned: Canned, since_ms: int, expected: int, limit: int
) -> None:
    provider = canned.answers({"data": [], "has_more": False})
    asyncio.run(provider.events("ftjob-1", since_ms=since_ms, expected=expected))
    assert canned.asked[0].query["limit"] == str(limit)


def test_events_of_a_list_that_rises_are_read_to_its_end(canned: Canned) -> None:
    """The newest stand on the last page there."""

    def page(*numbers: int, more: bool) -> dict[str, Any]:
        data = [{"id": f"e{number}", "created_at": number, "message": "", "type": "message"} for number in numbers]
        return {"object": "list", "data": data, "has_more": more}

    provider = canned.answers(page(1, 2, 3, more=True), page(4, 5, 6, more=True), page(7, more=False))
    events = asyncio.run(provider.events("ftjob-1", since_ms=5_000))
    assert [event.id for event in events] == ["e5", "e6", "e7"]
    queries = [asked.query for asked in canned.asked]
    assert [query.get("after") for query in queries] == [None, "e3", "e6"]


def test_a_run_is_told_of_by_as_little_as_its_id_and_status(canned: Canned) -> None:
    """Azure's older interface, and gateways, leave out what OpenAI's own always says."""
    run = asyncio.run(canned.answers({"id": "ft-1", "status": "created", "hyperparameters": None}).run("ft-1"))
    assert (run.status, run.epochs, run.files, run.created_ms) == (RunStatus.WAITING, None, (), 0)


@pytest.mark.parametrize(
    ("data", "losses"),
    [
        ({"train_loss": 0.5, "valid_loss": 0.6, "full_valid_loss": 0.7}, (0.5, 0.7)),
        ({"train_loss": 0.5, "valid_loss": 0.6, "full_valid_loss": None}, (0.5, 0.6)),
        ({"train_loss": None, "valid_loss": "NaN"}, (None, None)),
        ({"train_loss": math.nan, "valid_loss": math.inf, "full_valid_loss": 0.7}, (None, 0.7)),  # as Python writes it
        (None, (None, None)),
    ],
)
def test_a_figure_that_an_event_has_not_is_none(
    canned: Canned, data: dict[str, Any] | None, losses: tuple[float | None, float | None]
) -> None:
    event = {"id": "e1", "created_at": 1, "message": "m", "type": "metrics", "data": data and {"step": 5, **data}}
    (read,) = asyncio.run(canned.answers({"data": [event], "has_more": False}).events("ftjob-1", since_ms=0))
    assert (read.train_loss, read.valid_loss) == losses


def test_a_file_that_is_gone_is_not_had(canned: Canned) -> None:
    assert canned.fails(404).has_file("file-1") is False


def some_rows() -> Rows:
    return Rows(file=io.BytesIO(b"{}\n"), name="a.jsonl", size_bytes=3)


def test_a_list_that_begins_anew_has_ended(canned: Canned) -> None:
    """Not every server turns the page, and this one says for ever that there is more."""
    file = {"id": "file-9", "object": "file", "bytes": 3, "created_at": 1, "filename": "b", "purpose": "fine-tune"}
    provider = canned.answers({"object": "list", "data": [file], "has_more": True})
    assert provider.find_file(some_rows()) == ""
    assert len(canned.asked) == 2


def test_an_upload_gives_its_id(canned: Canned) -> None:
    uploaded = {"id": "file-9", "object": "file", "bytes": 3, "created_at": 1, "filename": "a", "purpose": "fine-tune"}
    assert canned.answers({**uploaded, "status": "processed"}).upload(some_rows(), print) == "file-9"


def test_a_completion_is_asked_as_its_contract_says(canned: Canned) -> None:
    reply = {
        "id": "c",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"text": " ham", "index": 0, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5},
    }
    contract = PromptContract(kind="completion", stop=("\n",), separator=" ->")
    answer = canned.answers(reply).answer(Question(model="m", text="eggs and", contract=contract))
    sent = canned.asked[0].body
    assert (sent["prompt"], sent["stop"]) == ("eggs and ->", ["\n"])
    assert (answer.text, answer.finish, answer.prompt_tokens, answer.completion_tokens) == (" ham", "stop", 4, 1)


def test_the_likeliest_tokens_of_a_completion_are_told_where_wanted(canned: Canned) -> None:
    logprobs = {"tokens": [" ham"], "token_logprobs": [-0.1], "top_logprobs": [{" eggs": -2.5}], "text_offset": [0]}
    choice = {"text": " ham", "index": 0, "finish_reason": "stop", "logprobs": logprobs}
    reply = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}
    question = Question(model="m", text="eggs and", contract=PromptContract(kind="completion"), odds=True)
    answer = canned.answers(reply).answer(question)
    assert canned.asked[0].body["logprobs"] == 5
    assert answer.odds == (TokenOdds(b" ham", ((b" eggs", -2.5), (b" ham", -0.1))),)


def test_the_likeliest_tokens_of_a_chat_are_told_by_their_bytes(canned: Canned) -> None:
    half = {"token": "\\xea", "bytes": [0xEA], "logprob": -0.1}
    content = [{**half, "top_logprobs": [half, {"token": "no", "bytes": None, "logprob": -2.5}]}]
    message = {"role": "assistant", "content": "긍정", "refusal": None}
    choice = {"message": message, "index": 0, "finish_reason": "stop", "logprobs": {"content": content}}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    question = Question(model="m", text="?", contract=PromptContract(kind="chat"), odds=True)
    answer = canned.answers(reply).answer(question)
    sent = canned.asked[0].body
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 20)
    assert answer.odds == (TokenOdds(b"\xea", ((b"\xea", -0.1), (b"no", -2.5))),)


@pytest.mark.parametrize("logprobs", [None, {"content": None}, {}])
def test_a_provider_without_logprobs_answers_all_the_same(canned: Canned, logprobs: dict[str, Any] | None) -> None:
    message = {"role": "assistant", "content": "yes", "refusal": None}
    choice = {"message": message, "index": 0, "finish_reason": "stop", "logprobs": logprobs}
    reply = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    question = Question(model="m", text="?", contract=PromptContract(kind="chat"), odds=True)
    answer = canned.answers(reply).answer(question)
    assert (answer.text, answer.odds, answer.prompt_tokens) == ("yes", (), 0)
