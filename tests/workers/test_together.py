"""Together by its real SDK over HTTP: the whole life of a run, and what is done when things go wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from typing import TYPE_CHECKING, Any

import pytest

from finetune.class_odds import TokenOdds
from finetune.contract import PromptContract
from finetune.launch import Parent
from finetune.results import parse_results
from jobstore.jobs import Progress
from tests.support.samples import a_request
from tests.support.together_server import CREATE, KEY, TogetherServer
from tests.support.together_serving import BASE
from tests.support.together_wire import refusal
from tests.support.wire import Told
from workers.endpoint import Endpoint
from workers.progress import progressed
from workers.provider import ErrorKind, Order, ProviderError, Question, Rows, RunStatus
from workers.together_protocol import Together

if TYPE_CHECKING:
    from collections.abc import Iterator

    from finetune.launch import TrainRequest
    from workers.provider import Run

INTENT = "0123456789abcdef01234567-1763700000000-0"
ROWS = b'{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}\n' * 20


@pytest.fixture
def server() -> Iterator[TogetherServer]:
    server = TogetherServer()
    yield server
    server.close()


@pytest.fixture
def provider(server: TogetherServer) -> Together:
    return at(server.address)


def at(address: str, key: str = KEY) -> Together:
    return Together(Endpoint(name="together", api_key=key, base_url=f"{address}/v1", timeout_s=30))


def rows(content: bytes = ROWS, name: str = "tuneroom-abc.jsonl") -> Rows:
    return Rows(file=io.BytesIO(content), name=name, size_bytes=len(content))


def request(**changes: Any) -> TrainRequest:
    return dataclasses.replace(a_request(), provider="together", model=BASE, **changes)


def order(provider: Together, *, intent: str = INTENT, valid: bool = False, **changes: Any) -> Order:
    train = provider.upload(rows(), lambda _: None)
    valid_file = provider.upload(rows(ROWS[:200], "tuneroom-def.jsonl"), lambda _: None) if valid else ""
    return Order(request=request(**changes), train_file=train, valid_file=valid_file, intent=intent)


def trained(provider: Together, run: Run) -> Run:
    async def wait() -> Run:
        now = run
        while now.status not in {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}:
            now = await provider.run(run.id)
        return now

    return asyncio.run(wait())


def test_a_model_that_is_not_trained_here_is_told_before_any_row_is_sent(
    server: TogetherServer, provider: Together
) -> None:
    provider.may_train(BASE)
    with pytest.raises(ProviderError) as raised:
        provider.may_train("Qwen/Qwen9-9B")
    assert (raised.value.kind, raised.value.code) == (ErrorKind.NOT_AVAILABLE, "model-not-trained")
    server.refuse(("GET", "/v1/fine-tunes/models/limits"), refusal(503, "overloaded"))
    provider.may_train(BASE)  # what is not a plain no is none
    run = provider.create_run(order(provider))
    provider.may_train(f"{run.id}:4")


def test_rows_are_brought_to_the_address_that_the_redirect_names(server: TogetherServer, provider: Together) -> None:
    heard: list[int] = []
    file = provider.upload(rows(), heard.append)
    assert server.training.contents[file] == ROWS
    assert server.training.files[file]["filename"] == "tuneroom-abc.jsonl"
    assert heard[-1] == len(ROWS)
    assert provider.find_file(rows()) == file
    assert provider.has_file(file)


def test_a_store_that_does_not_take_the_bytes_is_tried_again(server: TogetherServer, provider: Together) -> None:
    server.refuse(("PUT", "/storage/*"), Told(b"<Error><Code>AccessDenied</Code></Error>", 403))
    with pytest.raises(ProviderError) as raised:
        provider.upload(rows(), lambda _: None)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.RETRY, "store-403")
    with pytest.raises(ProviderError) as raised:  # what was announced and never arrived is in the way
        provider.upload(rows(), lambda _: None)
    assert (raised.value.kind, raised.value.code) == (ErrorKind.RETRY, "upload-cut-off")
    assert server.training.contents[provider.upload(rows(), lambda _: None)] == ROWS


def test_the_same_bytes_are_not_sent_twice(server: TogetherServer, provider: Together) -> None:
    first = provider.upload(rows(), lambda _: None)
    assert provider.upload(rows(name="tuneroom-other.jsonl"), lambda _: None) == first
    assert server.seen["PUT", f"/storage/{first}"] == 1


def test_a_file_that_is_gone_or_unfit_is_not_had(server: TogetherServer, provider: Together) -> None:
    assert provider.has_file("file-gone") is False
    server.training.invalid = "Line 3 has no messages"
    file = provider.upload(rows(), lambda _: None)
    assert provider.has_file(file) is False
    assert provider.find_file(rows()) == ""


def test_a_run_is_created_by_one_request_that_carries_its_intent(server: TogetherServer, provider: Together) -> None:
    run = provider.create_run(order(provider, epochs=2, batch_size=16, learning_rate=2e-5))
    (body,) = server.training.bodies
    assert (body["model"], body["n_epochs"], body["batch_size"], body["learning_rate"]) == (BASE, 2, 16, 2e-5)
    assert body["training_method"] == {"method": "sft", "train_on_inputs": "auto"}
    assert body["random_seed"] == 7
    assert body["suffix"].startswith("support-bot-")
    assert len(body["suffix"]) <= 40
    assert "training_type" not in body
    assert (run.status, run.said, run.base) == (RunStatus.WAITING, "pending", BASE)
    asked = [path for method, path in server.seen if method == "POST" and "fine-tunes" in path]
    assert asked == ["/v1/fine-tunes"]


def test_a_name_too_long_is_cut_and_its_run_is_still_found(server: TogetherServer, provider: Together) -> None:
    provider.create_run(order(provider, suffix="a-very-long-name-that-nobody-needed-to-be-so-long"))
    assert len(server.training.bodies[0]["suffix"]) == 40
    found = provider.find_run(INTENT)
    assert found is not None
    assert provider.find_run(INTENT.replace("0123", "0124")) is None


def test_epochs_that_nobody_chose_are_those_that_were_quoted(server: TogetherServer, provider: Together) -> None:
    asked = request(epochs=None)
    made = order(provider, valid=True)
    provider.create_run(dataclasses.replace(made, request=asked))
    (body,) = server.training.bodies
    assert body["n_epochs"] == asked.quote.epochs
    assert body["n_evals"] == asked.quote.epochs
    assert body["validation_file"] == made.valid_file


def test_a_preference_run_has_its_beta(server: TogetherServer, provider: Together) -> None:
    provider.create_run(order(provider, method="dpo", beta=0.3))
    assert server.training.bodies[0]["training_method"] == {"method": "dpo", "dpo_beta": 0.3}


def test_training_goes_on_from_a_checkpoint_without_naming_the_base(server: TogetherServer, provider: Together) -> None:
    first = trained(provider, provider.create_run(order(provider, epochs=2)))
    earlier = provider.checkpoints(first.id)[1]
    assert earlier.name == f"{first.id}:4"
    parent = Parent(job="j1", name=earlier.name, step=earlier.step)
    provider.create_run(order(provider, intent="another", parent=parent))
    body = server.training.bodies[1]
    assert body["from_checkpoint"] == earlier.name
    assert "model" not in body


def test_a_lost_reply_is_unsure_posted_once_and_found(server: TogetherServer, provider: Together) -> None:
    made = order(provider)
    server.lose(CREATE)
    with pytest.raises(ProviderError) as raised:
        provider.create_run(made)
    assert raised.value.kind is ErrorKind.UNSURE
    assert server.seen[CREATE] == 1
    found = provider.find_run(INTENT)
    assert found is not None
    assert found.id in server.training.runs


def test_an_unreadable_answer_is_unsure_where_it_may_cost_money(server: TogetherServer, provider: Together) -> None:
    made = order(provider)
    server.refuse(CREATE, Told(b"<html>"))
    with pytest.raises(ProviderError) as raised:
        provider.create_run(made)
    assert raised.value.kind is ErrorKind.UNSURE


def test_a_list_that_lags_shows_the_run_later(server: TogetherServer, provider: Together) -> None:
    provider.create_run(order(provider))
    server.training.late_lists = 1
    assert provider.find_run(INTENT) is None
    assert provider.find_run(INTENT) is not None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ErrorKind.REFUSED),
        (401, ErrorKind.REFUSED),
        (402, ErrorKind.QUOTA),
        (403, ErrorKind.REFUSED),
        (404, ErrorKind.MISSING),
        (409, ErrorKind.UNSURE),
        (429, ErrorKind.RETRY),
        (500, ErrorKind.UNSURE),
        (503, ErrorKind.UNSURE),
    ],
)
def test_each_refusal_has_its_kind_and_is_posted_once(
    server: TogetherServer, provider: Together, status: int, kind: ErrorKind
) -> None:
    made = order(provider)
    server.refuse(CREATE, refusal(status, "it says why"))
    with pytest.raises(ProviderError) as raised:
        provider.create_run(made)
    assert raised.value.kind is kind
    assert raised.value.message
    assert server.seen[CREATE] == 1


def test_a_busy_provider_says_how_long_to_wait(server: TogetherServer, provider: Together) -> None:
    server.busy(("GET", "/v1/fine-tunes"), retry_after_s=17)
    with pytest.raises(ProviderError) as raised:
        provider.find_run(INTENT)
    assert (raised.value.kind, raised.value.retry_after_s) == (ErrorKind.RETRY, 17)


def test_a_refused_key_names_the_setting(server: TogetherServer) -> None:
    with pytest.raises(ProviderError) as raised:
        at(server.address, "wrong").find_run(INTENT)
    assert "TUNEROOM_TOGETHER_API_KEY" in raised.value.hint


def test_a_provider_that_is_not_there_was_surely_not_asked() -> None:
    gone = Order(request=request(), train_file="file-1", valid_file="", intent=INTENT)
    with pytest.raises(ProviderError) as raised:
        at("http://127.0.0.1:9").create_run(gone)
    assert raised.value.kind is ErrorKind.RETRY


def test_a_run_is_followed_to_its_model(server: TogetherServer, provider: Together) -> None:
    created = provider.create_run(order(provider, epochs=2))
    seen: list[str] = []

    async def follow() -> Run:
        while (now := await provider.run(created.id)).status is not RunStatus.SUCCEEDED:
            seen.append(now.said)
        return now

    done = asyncio.run(follow())
    assert list(dict.fromkeys(seen)) == ["queued", "running", "compressing", "uploading"]
    assert done.model.startswith("acme/Qwen3-8B-support-bot-")
    assert (done.epochs, done.files, done.result_file) == (
        2,
        (server.training.bodies[0]["training_file"],),
        f"metrics:{done.id}",
    )


def test_a_failed_run_says_why(server: TogetherServer, provider: Together) -> None:
    server.training.fails_with = "Example 12 is longer than the context"
    run = trained(provider, provider.create_run(order(provider)))
    assert (run.status, run.error_code, run.error_message) == (
        RunStatus.FAILED,
        "error",
        "Example 12 is longer than the context",
    )


def test_a_run_is_cancelled_and_one_that_ended_is_told_as_it_is(server: TogetherServer, provider: Together) -> None:
    run = provider.create_run(order(provider))
    now = asyncio.run(provider.cancel(run.id))
    assert now.said in {"cancel_requested", "cancelled"}
    assert trained(provider, run).status is RunStatus.CANCELLED
    again = at(server.address)
    assert asyncio.run(again.cancel(run.id)).status is RunStatus.CANCELLED


def test_a_run_that_cannot_rest_is_told_as_it_is(provider: Together) -> None:
    run = provider.create_run(order(provider))

    async def both() -> list[Run]:
        return [await provider.pause(run.id), await provider.resume(run.id)]

    assert [one.id for one in asyncio.run(both())] == [run.id, run.id]


def test_the_list_shows_every_run_newest_first(provider: Together) -> None:
    ended = trained(provider, provider.create_run(order(provider, intent="first")))
    live = [provider.create_run(order(provider, intent=intent)) for intent in ("second", "third")]

    async def pages() -> list[Run]:
        return [run async for page in provider.runs() for run in page]

    listed = asyncio.run(pages())
    assert [run.id for run in listed] == [live[1].id, live[0].id, ended.id]
    assert [run.status.has_ended for run in listed] == [False, False, True]
    assert (listed[2].base, listed[2].suffix[:12], listed[2].files) == (BASE, "support-bot-", ended.files)


@pytest.mark.parametrize("between_looks_s", [0, 20, 90])
def test_events_and_figures_are_taken_in_once_each(
    server: TogetherServer, provider: Together, between_looks_s: float
) -> None:
    created = provider.create_run(order(provider, valid=True, epochs=4))

    async def follow() -> Progress:
        progress, ended = Progress(), 0
        while ended < 3:  # looks after the end must not take anything in again
            run = await provider.run(created.id)
            found = await provider.events(created.id, since_ms=progress.seen_since_ms)
            progress = progressed(progress, run, found, now_ms=0)
            server.training.ahead_s += between_looks_s
            ended += run.status is RunStatus.SUCCEEDED
        return progress

    progress = asyncio.run(follow())
    told = server.training.runs[created.id]["events"]
    assert progress.events == len(told) + len(server.training.rows[created.id])
    assert (progress.step, progress.total_steps) == (16, 16)
    assert progress.train_loss == pytest.approx(2.0 * 0.9**16, abs=1e-6)
    assert progress.valid_loss == pytest.approx(2.0 * 0.9**16 + 0.1, abs=1e-6)


def test_two_events_that_say_the_same_are_two(server: TogetherServer, provider: Together) -> None:
    run = provider.create_run(order(provider))
    told = server.training.runs[run.id]["events"]
    told.append(dict(told[0]))
    found = asyncio.run(provider.events(run.id, since_ms=0))
    again = asyncio.run(at(server.address).events(run.id, since_ms=0))
    assert len({event.id for event in found}) == 2
    assert [event.id for event in found] == [event.id for event in again]


def test_figures_become_the_table_of_a_result_file(provider: Together) -> None:
    run = trained(provider, provider.create_run(order(provider, valid=True, epochs=2)))
    curves = parse_results(provider.download(run.result_file))
    assert curves.step == tuple(range(1, 9))
    assert curves.train_loss[0] == pytest.approx(1.8)
    assert [step for step, loss in zip(curves.step, curves.valid_loss, strict=True) if loss is not None] == [4, 8]


def test_a_price_is_asked_before_anything_is_created(server: TogetherServer, provider: Together) -> None:
    server.training.usd_per_million = 1000
    made = order(provider, valid=True, epochs=3)
    asked = provider.estimate_usd(made)
    assert asked == pytest.approx((len(ROWS) * 3 + 200 * 3) * 0.25 * 1000 / 1_000_000, rel=0.01)
    assert server.training.runs == {}


def test_a_price_is_not_to_be_had_before_the_file_was_read(server: TogetherServer, provider: Together) -> None:
    server.training.validates = False
    with pytest.raises(ProviderError) as raised:
        provider.estimate_usd(order(provider))
    assert raised.value.kind is ErrorKind.RETRY


def test_an_account_that_could_not_pay_is_told_so_before_the_run(server: TogetherServer, provider: Together) -> None:
    server.training.allowed = False
    with pytest.raises(ProviderError) as raised:
        provider.estimate_usd(order(provider))
    assert raised.value.kind is ErrorKind.QUOTA


def test_rows_that_the_provider_finds_unfit_are_named(server: TogetherServer, provider: Together) -> None:
    server.training.invalid = "Line 3 has no messages"
    with pytest.raises(ProviderError) as raised:
        provider.estimate_usd(order(provider))
    assert (raised.value.kind, raised.value.said) == (ErrorKind.REFUSED, "Line 3 has no messages")


def test_a_base_model_answers_with_the_odds_of_its_words(server: TogetherServer, provider: Together) -> None:
    contract = PromptContract(kind="chat", stop=("\n",))
    answer = provider.answer(Question(model=BASE, text="?", contract=contract, odds=True))
    assert (server.serving.asked[0]["logprobs"], server.serving.asked[0]["stop"]) == (20, ["\n"])
    assert (answer.text, answer.finish, answer.prompt_tokens, answer.completion_tokens) == ("yes", "stop", 7, 1)
    assert answer.odds == (TokenOdds(b"yes", ((b"yes", -0.1), (b"no", -2.4))),)


def test_a_completion_is_asked_as_its_contract_says(server: TogetherServer, provider: Together) -> None:
    contract = PromptContract(kind="completion", separator=" ->")
    answer = provider.answer(Question(model=BASE, text="eggs and", contract=contract))
    assert server.serving.asked[0]["prompt"] == "eggs and ->"
    assert (answer.text, answer.odds) == ("yes", ())


def test_a_tuned_model_is_listed_and_can_be_deleted(provider: Together) -> None:
    run = trained(provider, provider.create_run(order(provider)))
    assert {one.name for one in provider.models()} == {BASE, run.model}
    provider.delete_model(run.model)
    provider.delete_model(run.model)
    assert {one.name for one in provider.models()} == {BASE}
