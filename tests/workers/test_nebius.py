"""Nebius through the first adapter, by the real SDK: a server that answers in its reference's and cookbook's shapes."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from typing import TYPE_CHECKING, Any

import pytest

from finetune.contract import PromptContract
from finetune.explanation import explain
from finetune.results import parse_results
from tests.support.nebius_server import ASKED, BASE, JOBS, LOSSES, Nebius
from tests.support.recorded_server import KEY
from tests.support.samples import a_quote, a_request
from tests.support.wire import Told, served
from workers.endpoint import Endpoint
from workers.intent_tags import tag_of
from workers.openai_protocol import OpenAIProtocol
from workers.provider import ErrorKind, Order, ProviderError, Question, Rows, Run, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b'{"messages": []}\n'
LAST = "ftckpt_98a07a09-9fb7-4009-8e18-000000000002"
RUN = f"ftjob-{1:032x}"


@pytest.fixture
def nebius() -> Iterator[Nebius]:
    server = Nebius()
    with served(server) as url:
        server.url = url
        yield server


@pytest.fixture
def provider(nebius: Nebius) -> OpenAIProtocol:
    endpoint = Endpoint(name="nebius", api_key=KEY, base_url=f"{nebius.url}/v1", timeout_s=10, part_bytes=4)
    return OpenAIProtocol(endpoint)


def some_rows() -> Rows:
    return Rows(file=io.BytesIO(CONTENT), name="tuneroom-0123.jsonl", size_bytes=len(CONTENT))


def order(file: str, **choices: Any) -> Order:
    request = a_request(provider="nebius", model=BASE, **choices)
    return Order(request=request, train_file=file, valid_file="", intent="intent-1")


def created(provider: OpenAIProtocol, **choices: Any) -> Run:
    return provider.create_run(order(provider.upload(some_rows(), lambda _: None), **choices))


def trained(nebius: Nebius, provider: OpenAIProtocol) -> Run:
    created(provider)
    nebius.statuses = ["succeeded"]
    return asyncio.run(provider.run(RUN))


def ask(model: str) -> Question:
    return Question(model=model, text="Hello!", contract=PromptContract(kind="chat"))


def test_file_goes_whole_however_large_and_is_found_again(nebius: Nebius, provider: OpenAIProtocol) -> None:
    file = provider.upload(some_rows(), lambda _: None)
    assert provider.find_file(some_rows()) == file
    assert provider.has_file(file)
    assert not provider.has_file("file-gone")
    assert len(nebius.sent("POST", "/v1/files")) == 1, "there is no Uploads API"


def test_run_is_asked_for_by_numbers_beside_the_method(nebius: Nebius, provider: OpenAIProtocol) -> None:
    created(provider, epochs=2, batch_size=4, learning_rate=2e-5)
    body = nebius.sent("POST", JOBS)[0].body
    assert body["hyperparameters"] == {"n_epochs": 2, "batch_size": 4, "learning_rate": 2e-5, "lora": True}
    assert "method" not in body
    assert "metadata" not in body


@pytest.mark.parametrize(("quoted", "asked"), [(3, 3), (25, 20)])
def test_epochs_that_nobody_chose_are_those_that_were_priced(
    nebius: Nebius, provider: OpenAIProtocol, quoted: int, asked: int
) -> None:
    """Nebius has no "auto", and takes twenty at most."""
    created(provider, epochs=None, quote=a_quote(epochs=quoted))
    assert nebius.sent("POST", JOBS)[0].body["hyperparameters"] == {"n_epochs": asked, "lora": True}


def test_more_epochs_than_there_are_are_refused_and_not_cut(nebius: Nebius, provider: OpenAIProtocol) -> None:
    with pytest.raises(ProviderError) as raised:
        created(provider, epochs=21)
    assert raised.value.message == "At most 20 epochs can be trained at this provider."
    assert nebius.jobs == {}


@pytest.mark.parametrize("suffix", ["support-bot", "a" * 64, f"{'a' * 46}-b"])
def test_run_whose_answer_was_lost_is_found_by_the_end_of_its_suffix(
    nebius: Nebius, provider: OpenAIProtocol, suffix: str
) -> None:
    file = provider.upload(some_rows(), lambda _: None)
    provider.create_run(dataclasses.replace(order(file, suffix=suffix), intent="another"))
    nebius.loses.add(("POST", JOBS))
    with pytest.raises(ProviderError) as raised:
        provider.create_run(order(file, suffix=suffix))
    assert raised.value.kind is ErrorKind.UNSURE
    nebius.loses.clear()
    found = provider.find_run("intent-1")
    assert found is not None
    assert found.id == f"ftjob-{2:032x}"
    assert len(found.suffix) <= 64
    assert found.suffix.endswith(tag_of("intent-1"))
    assert provider.find_run("intent-9") is None


def test_list_that_says_there_is_more_and_begins_anew_is_left(nebius: Nebius, provider: OpenAIProtocol) -> None:
    created(provider)

    async def pages() -> list[list[Run]]:
        return [page async for page in provider.runs()]

    listed = asyncio.run(pages())
    assert {run.id for page in listed for run in page} == {RUN}
    assert len(listed) <= 2
    before = len(nebius.asked)
    assert provider.find_run("intent-9") is None
    assert len(nebius.asked) - before <= 2


def test_run_ends_with_a_model_made_of_its_last_checkpoint(nebius: Nebius, provider: OpenAIProtocol) -> None:
    created(provider)
    seen = [asyncio.run(adapter_of(nebius).run(RUN)) for _ in range(2)]
    assert [run.status for run in seen] == [RunStatus.WAITING, RunStatus.RUNNING]
    assert nebius.made == {}
    done = asyncio.run(adapter_of(nebius).run(RUN))
    assert (done.status, done.trained_tokens, done.epochs) == (RunStatus.SUCCEEDED, 480_000, 3)
    assert done.model.startswith(f"{ASKED}-LoRa:support-bot-")
    sent = nebius.sent("POST", "/v0/models")[0].body
    assert (sent["source"], sent["base_model"]) == (f"{RUN}:{LAST}", ASKED)


def adapter_of(nebius: Nebius) -> OpenAIProtocol:
    """An adapter of another process: it remembers nothing."""
    return OpenAIProtocol(Endpoint(name="nebius", api_key=KEY, base_url=f"{nebius.url}/v1", timeout_s=10))


def test_model_is_made_once_however_often_the_run_is_looked_at(nebius: Nebius, provider: OpenAIProtocol) -> None:
    first = trained(nebius, provider)
    again = asyncio.run(adapter_of(nebius).run(RUN))
    assert again.model == first.model
    assert len(nebius.made) == 1


def test_model_whose_making_was_not_answered_is_looked_up(nebius: Nebius, provider: OpenAIProtocol) -> None:
    nebius.loses.add(("POST", "/v0/models"))
    with pytest.raises(ProviderError):
        trained(nebius, provider)
    nebius.loses.clear()
    assert asyncio.run(adapter_of(nebius).run(RUN)).model
    assert len(nebius.made) == 1


def test_run_of_a_base_that_no_model_is_made_of_has_ended_all_the_same(
    nebius: Nebius, provider: OpenAIProtocol
) -> None:
    nebius.serves = ()
    done = trained(nebius, provider)
    assert (done.status, done.model) == (RunStatus.SUCCEEDED, f"{RUN}:{LAST}")
    with pytest.raises(ProviderError, match="http-400"):
        provider.answer(ask(done.model))


def test_model_answers_once_it_has_been_validated(nebius: Nebius, provider: OpenAIProtocol) -> None:
    model = trained(nebius, provider).model
    with pytest.raises(ProviderError):
        provider.answer(ask(model))
    answer = provider.answer(ask(model))
    assert (answer.text, answer.prompt_tokens, answer.completion_tokens) == ("Hello", 41, 2)


def test_checkpoint_answers_by_a_model_made_of_it_when_it_is_asked(nebius: Nebius, provider: OpenAIProtocol) -> None:
    trained(nebius, provider)
    nebius.validating = 0
    earlier = provider.checkpoints(RUN)[1]
    assert (earlier.step, earlier.name) == (50, f"{RUN}:{LAST[:-1]}1")
    assert provider.answer(ask(earlier.name)).text == "Hello"
    assert provider.answer(ask(earlier.name)).text == "Hello"
    assert [one.body["source"] for one in nebius.sent("POST", "/v0/models")] == [f"{RUN}:{LAST}", earlier.name]


def test_figures_are_those_in_the_checkpoints(nebius: Nebius, provider: OpenAIProtocol) -> None:
    curves = parse_results(provider.download(trained(nebius, provider).result_file))
    assert curves.step == (25, 50, 75)
    assert list(zip(curves.train_loss, curves.valid_loss, strict=True)) == list(LOSSES)
    assert curves.full_valid_loss == (None, None, None)
    assert explain(curves).best_step == 75


def test_events_that_come_oldest_first_stay_so(provider: OpenAIProtocol) -> None:
    created(provider)
    messages = [event.message for event in asyncio.run(provider.events(RUN, since_ms=0))]
    assert (messages[0], messages[-1]) == ("Job is submitted", "Training completed successfully")


def test_deleting_a_model_deletes_it_and_the_weights_of_its_checkpoints(
    nebius: Nebius, provider: OpenAIProtocol
) -> None:
    model = trained(nebius, provider).model
    for name in [*(point.name for point in provider.checkpoints(RUN)), model]:
        provider.delete_model(name)
    provider.delete_model(model)
    assert nebius.made == {}
    assert len(nebius.deleted) == 2 * len(LOSSES)


def test_run_that_is_cancelled_is_told_as_cancelled(provider: OpenAIProtocol) -> None:
    created(provider)
    assert asyncio.run(provider.cancel(RUN)).status is RunStatus.CANCELLED


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, ErrorKind.REFUSED), (403, ErrorKind.REFUSED), (422, ErrorKind.REFUSED), (429, ErrorKind.RETRY),
     (500, ErrorKind.UNSURE)],
)  # fmt: skip
def test_each_of_its_errors_has_its_kind_and_is_posted_once(
    nebius: Nebius, provider: OpenAIProtocol, status: int, kind: ErrorKind
) -> None:
    nebius.refuses["POST", JOBS] = Told({"detail": "It says why."}, status)
    with pytest.raises(ProviderError) as raised:
        created(provider)
    assert raised.value.kind is kind
    assert len(nebius.sent("POST", JOBS)) == 1


def test_account_that_may_not_list_runs_is_told_before_anything_is_sent(
    nebius: Nebius, provider: OpenAIProtocol
) -> None:
    provider.may_train(BASE)
    nebius.refuses["GET", JOBS] = Told({"detail": "Forbidden"}, 403)
    with pytest.raises(ProviderError) as raised:
        provider.may_train(BASE)
    assert raised.value.kind is ErrorKind.NOT_AVAILABLE
    assert nebius.uploaded == []
