"""Azure through the first adapter, by the real SDK: a server that answers in the shapes of its description."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from finetune.contract import PromptContract
from finetune.results import parse_results
from tests.support.azure_server import BASE, BEGAN_S, JOBS, V1, Azure, refusal
from tests.support.recorded_server import KEY
from tests.support.samples import a_request
from tests.support.wire import served
from workers import openai_uploads
from workers.endpoint import Endpoint
from workers.openai_bodies import INTENT_KEY
from workers.openai_protocol import OpenAIProtocol
from workers.provider import ErrorKind, Order, ProviderError, Question, Rows, Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "tuneroom-0123456789abcdef.jsonl"
CONTENT = b'{"messages": []}\n'


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    monkeypatch.setattr(openai_uploads, "READ_EVERY_S", 0.01)
    server = Azure()
    with served(server) as url:
        server.url = url
        yield server


def adapter(server: Azure, name: str = "azure", key: str = KEY) -> OpenAIProtocol:
    return OpenAIProtocol(Endpoint(name=name, api_key=key, base_url=f"{server.url}{V1}/", timeout_s=10))


@pytest.fixture
def provider(azure: Azure) -> OpenAIProtocol:
    return adapter(azure)


def some_rows() -> Rows:
    return Rows(file=io.BytesIO(CONTENT), name=NAME, size_bytes=len(CONTENT))


def order(file: str, **choices: Any) -> Order:
    request = a_request(provider="azure", model=f"azure/{BASE}", **choices)
    return Order(request=request, train_file=file, valid_file="", intent="intent-1")


def created(provider: OpenAIProtocol, **choices: Any) -> Run:
    return provider.create_run(order(provider.upload(some_rows(), lambda _: None), **choices))


def ask(model: str) -> Question:
    return Question(model=model, text="Where is my invoice?", contract=PromptContract(kind="chat"))


def now(provider: OpenAIProtocol, run: str) -> Run:
    return asyncio.run(provider.run(run))


def test_file_is_waited_for_until_it_has_been_read(azure: Azure, provider: OpenAIProtocol) -> None:
    heard: list[int] = []
    file = provider.upload(some_rows(), heard.append)
    assert azure.uploaded[file]["status"] == "processed"
    assert azure.rows[file] == CONTENT
    assert heard == [len(CONTENT)] * 3, "whoever cancels meanwhile is heard of"


def test_file_that_was_read_in_vain_is_refused_in_the_providers_words(azure: Azure, provider: OpenAIProtocol) -> None:
    azure.refuses["GET", f"{V1}/files/file-{1:032x}"] = dataclasses.replace(
        refusal(200, "", ""), body={"id": "f", "object": "file", "status": "error", "status_details": "no JSON"}
    )
    with pytest.raises(ProviderError) as raised:
        provider.upload(some_rows(), lambda _: None)
    assert (raised.value.kind, raised.value.said) == (ErrorKind.REFUSED, "no JSON")


def test_file_of_before_is_found_in_a_list_without_pages_and_waited_for(azure: Azure, provider: OpenAIProtocol) -> None:
    azure.unread = 0
    provider.upload(some_rows(), lambda _: None)
    azure.uploaded[f"file-{1:032x}"] |= {"status": "pending", "looks": 2}
    azure.uploaded[f"file-{1:032x}"].pop("bytes")
    assert provider.find_file(some_rows()) == f"file-{1:032x}"
    assert azure.uploaded[f"file-{1:032x}"]["status"] == "processed"
    other = dataclasses.replace(some_rows(), name="tuneroom-another.jsonl")
    assert provider.find_file(other) == ""


def test_run_is_created_with_its_tier_and_by_the_name_that_azure_knows(azure: Azure, provider: OpenAIProtocol) -> None:
    run = created(provider, epochs=2)
    body = azure.sent("POST", JOBS)[0].body
    assert body["model"] == BASE
    assert body["trainingType"] == "Standard"
    assert body["metadata"] == {INTENT_KEY: "intent-1"}
    assert body["method"]["supervised"]["hyperparameters"]["n_epochs"] == 2
    assert (run.status, run.said, run.epochs, run.rate) == (RunStatus.WAITING, "pending", None, 1)


@pytest.mark.parametrize(
    ("name", "tier"),
    [("azure-global", "GlobalStandard"), ("azure-developer", "Developer"), ("azure-global-eu", "GlobalStandard")],
)
def test_tier_is_that_of_the_providers_name(azure: Azure, name: str, tier: str) -> None:
    created(adapter(azure, name))
    assert azure.sent("POST", JOBS)[0].body["trainingType"] == tier


def test_run_whose_answer_was_lost_is_found_by_its_intent(azure: Azure, provider: OpenAIProtocol) -> None:
    file = provider.upload(some_rows(), lambda _: None)
    provider.create_run(dataclasses.replace(order(file), intent="another"))
    azure.loses.add(("POST", JOBS))
    with pytest.raises(ProviderError) as raised:
        provider.create_run(order(file))
    assert raised.value.kind is ErrorKind.UNSURE
    azure.loses.clear()
    found = provider.find_run("intent-1")
    assert found is not None
    assert found.id == f"ftjob-{2:032x}"
    assert provider.find_run("intent-9") is None
    assert len(azure.jobs) == 2


def test_run_is_followed_to_its_model_its_figures_and_its_checkpoints(azure: Azure, provider: OpenAIProtocol) -> None:
    run = created(provider).id
    assert [now(provider, run).status for _ in range(2)] == [RunStatus.WAITING, RunStatus.RUNNING]
    done = now(provider, run)
    assert (done.status, done.trained_tokens) == (RunStatus.SUCCEEDED, 2342)
    assert done.model == f"{BASE}.ft-{1:032x}"

    curves = parse_results(provider.download(done.result_file))
    assert curves.valid_accuracy == (0.41, 0.58, 0.66, 0.69)
    assert curves.full_valid_loss == (None, 1.62, None, 1.21)
    assert [point.step for point in provider.checkpoints(run)] == [4, 2]
    assert provider.checkpoints(run)[0].name == f"{done.model}:ckpt-step-4"


def test_events_that_come_oldest_first_stay_so(azure: Azure, provider: OpenAIProtocol) -> None:
    run = created(provider).id
    events = asyncio.run(provider.events(run, since_ms=0))
    assert [event.message for event in events][1:] == ["Job started.", "Job succeeded."]
    later = asyncio.run(provider.events(run, since_ms=(BEGAN_S + 60) * 1000))
    assert [event.message for event in later] == ["Job started.", "Job succeeded."]


def test_listed_runs_say_what_they_were_made_of(azure: Azure, provider: OpenAIProtocol) -> None:
    created(provider)

    async def first_page() -> list[Run]:
        return await anext(aiter(provider.runs()))

    (listed,) = asyncio.run(first_page())
    assert (listed.base, listed.suffix, listed.files) == (BASE, "support-bot", (f"file-{1:032x}",))


def test_listed_models_say_when_they_stop(provider: OpenAIProtocol) -> None:
    (listed,) = provider.models()
    assert (listed.name, listed.shutdown) == (BASE, date(2100, 1, 1))


def test_model_answers_once_it_is_deployed_under_its_name(azure: Azure, provider: OpenAIProtocol) -> None:
    with pytest.raises(ProviderError) as raised:
        provider.answer(ask(f"{BASE}.ft-1"))
    assert (raised.value.kind, raised.value.code) == (ErrorKind.MISSING, "DeploymentNotFound")
    assert "Deploy it there under its own name" in raised.value.hint
    azure.deployments.add(f"{BASE}.ft-1")
    assert provider.answer(ask(f"{BASE}.ft-1")).text == "billing"


def test_model_that_is_still_deployed_is_not_said_to_be_deleted(azure: Azure, provider: OpenAIProtocol) -> None:
    azure.deployments.add("m")
    with pytest.raises(ProviderError):
        provider.delete_model("m")
    azure.deployments.clear()
    provider.delete_model("m")
    assert len(azure.sent("DELETE", f"{V1}/models/m")) == 2


def test_run_is_paused_resumed_and_cancelled_and_one_that_has_ended_is_told_as_it_is(
    azure: Azure, provider: OpenAIProtocol
) -> None:
    run, azure.statuses = created(provider).id, []
    assert asyncio.run(adapter(azure).pause(run)).said == "pausing"
    resumed = asyncio.run(adapter(azure).resume(run))
    assert (resumed.said, resumed.status) == ("resuming", RunStatus.RUNNING)
    assert asyncio.run(adapter(azure).cancel(run)).status is RunStatus.CANCELLED
    assert asyncio.run(adapter(azure).cancel(run)).status is RunStatus.CANCELLED


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unauthorized", ErrorKind.REFUSED),
        (403, "forbidden", ErrorKind.REFUSED),
        (403, "quotaExceeded", ErrorKind.QUOTA),
        (400, "invalidPayload", ErrorKind.REFUSED),
        (400, "jsonlValidationFailed", ErrorKind.REFUSED),
        (400, "content_filter", ErrorKind.REFUSED),
        (409, "conflict", ErrorKind.UNSURE),
        (429, "tooManyRequests", ErrorKind.RETRY),
        (500, "internalFailure", ErrorKind.UNSURE),
        (503, "serviceUnavailable", ErrorKind.UNSURE),
        (400, "unexpectedEntityState", ErrorKind.RETRY),
    ],
)
def test_each_of_its_errors_has_its_kind_and_is_posted_once(
    azure: Azure, provider: OpenAIProtocol, status: int, code: str, kind: ErrorKind
) -> None:
    azure.refuses["POST", JOBS] = refusal(status, code, "It says why.")
    with pytest.raises(ProviderError) as raised:
        created(provider)
    assert (raised.value.kind, raised.value.code) == (kind, code)
    assert len(azure.sent("POST", JOBS)) == 1


def test_key_that_may_not_fine_tune_is_told_before_anything_is_sent(azure: Azure, provider: OpenAIProtocol) -> None:
    azure.refuses["GET", JOBS] = refusal(403, "forbidden", "Cognitive Services OpenAI Contributor is needed.")
    with pytest.raises(ProviderError) as raised:
        provider.may_train(f"azure/{BASE}")
    assert raised.value.kind is ErrorKind.NOT_AVAILABLE
    assert raised.value.message == "This account, or its key, may not fine-tune at this provider."
    assert [one.method for one in azure.asked] == ["GET"]


def test_wrong_key_is_told_before_anything_is_sent(azure: Azure) -> None:
    with pytest.raises(ProviderError) as raised:
        adapter(azure, key="another").may_train(BASE)
    assert raised.value.message == "The provider refused the API key."


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("capabilities", {"fine_tune": False}, "it says so itself"),
        ("deprecation", {"fine_tune": 1_677_662_127}, "it took no new runs from 2023-03-01 on"),
    ],
)
def test_model_that_is_not_trained_any_more_is_told_before_anything_is_sent(
    azure: Azure, provider: OpenAIProtocol, field: str, value: Any, why: str
) -> None:
    provider.may_train(f"azure/{BASE}")
    azure.trained[field] = value
    with pytest.raises(ProviderError) as raised:
        provider.may_train(f"azure/{BASE}")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.NOT_AVAILABLE, "model-not-trained")
    assert why in raised.value.message


@pytest.mark.parametrize("status", [404, 429, 500])
def test_what_says_nothing_about_the_account_stops_nobody(azure: Azure, provider: OpenAIProtocol, status: int) -> None:
    azure.refuses["GET", JOBS] = azure.refuses["GET", f"{V1}/models/{BASE}"] = refusal(status, "x", "Not now.")
    provider.may_train(f"azure/{BASE}")
    assert len(azure.asked) == 2
