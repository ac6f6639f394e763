"""The whole story at Together: another SDK, no metadata, figures instead of a file, a model that must be hosted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from finetune.results import parse_results
from tests.flows.conftest import tidy
from tests.flows.conversation import PATIENCE_S, Conversation, rows
from tests.support.stack import Stack
from tests.support.together_server import CREATE, DEPLOY, KEY, TogetherServer
from tests.support.together_serving import BASE
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Message

EPOCHS: Final = 2


@pytest.fixture(scope="module")
def together() -> Iterator[TogetherServer]:
    server = TogetherServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def together_stack(tmp_path_factory: pytest.TempPathFactory, together: TogetherServer) -> Iterator[Stack]:
    """A Tuneroom whose one provider is Together."""
    variables = {
        "TUNEROOM_PROVIDER": "together",
        "TUNEROOM_TOGETHER_API_KEY": KEY,
        "TUNEROOM_TOGETHER_BASE_URL": f"{together.address}/v1",
        "TUNEROOM_MODELS": BASE,
    }
    with Stack(tmp_path_factory.mktemp("together") / "home", variables=variables) as stack:
        yield stack


@pytest.fixture
def stack(together_stack: Stack, together: TogetherServer) -> Iterator[Stack]:
    """The Tuneroom at Together, in order."""
    together.training.usd_per_million = 0.4
    together.training.steps_per_look = 1
    together.serving.reply = "billing"
    yield from tidy(together_stack)


def trained(talk: Conversation) -> Message:
    """Drop, launch, and wait for the question whether to host; return the card."""
    report = talk.report(talk.drop(rows(talk.name, 30)))
    assert BASE in report.text
    assert talk.launch(report, epochs=str(EPOCHS)).closed
    card = talk.card()
    wait_for(lambda: talk.job().state == "awaiting_hosting", timeout_s=2 * PATIENCE_S)
    return card


def test_dropped_file_becomes_a_model_that_answers_from_its_host(talk: Conversation, together: TogetherServer) -> None:
    together.lose(CREATE)
    together.lose(DEPLOY)
    card = trained(talk)

    job = talk.job().data
    assert (together.paid(), together.seen[CREATE]) == (1, 1)
    (body,) = together.training.bodies
    assert body["n_epochs"] == EPOCHS
    assert body["suffix"].startswith(talk.name[:10])
    assert job.cost_usd == pytest.approx(together.training.runs[job.run]["total_price"] / 1e9)
    assert job.results is not None
    curves = parse_results(next((talk.stack.home / "blobs").rglob(job.results.csv)).read_bytes())
    assert curves.step == tuple(range(1, 4 * EPOCHS + 1))
    question = talk.notice(card, "Answering costs $3.99/h")
    # what the run came to stands above it, with the picture: whether to pay for a host depends on that
    told = [m for m in talk.replies(card) if m.is_bot][:3]
    assert ["Results." in told[0].text, bool(told[1].files), told[2].ts == question.ts] == [True] * 3
    assert together.serving.paid() == []
    talk.press(question, "host_model")
    wait_for(lambda: talk.job().state == "hosted", timeout_s=2 * PATIENCE_S)
    orders = [path for method, path in together.seen if method == "POST" and path.endswith("/deployments")]
    assert (len(together.serving.paid()), sum(together.seen["POST", path] for path in orders)) == (1, 1)

    talk.ask(talk.card("Ready."), f"{talk.name} ticket 1")
    assert "billing" in talk.answer(card).text
    # where rows are brought to is an address that lets whoever has it write there: it is in no log
    assert "/storage/" not in talk.stack.logs(lines=10_000)


def test_price_above_the_confirmed_one_starts_nothing_and_says_both(
    talk: Conversation, together: TogetherServer
) -> None:
    together.training.usd_per_million = 400_000
    before = together.seen[CREATE]
    report = talk.report(talk.drop(rows(talk.name, 30)))
    assert talk.launch(report, epochs=str(EPOCHS)).closed
    card = talk.card()
    said = talk.notice(card, "The provider now expects this run to cost $")
    assert "nothing was charged" in said.text
    assert "Start it again with fewer epochs" in said.text
    assert together.seen[CREATE] == before
    assert talk.job().state == "failed"
