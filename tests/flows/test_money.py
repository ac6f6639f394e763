"""By signed HTTP, with a model that costs money: the whole story, its price, its caps, and who may not spend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from tests.flows.conftest import tidy
from tests.flows.conversation import Conversation
from tests.support.provider_front import CREATE
from tests.support.stack import Stack, fresh_name

if TYPE_CHECKING:
    from collections.abc import Iterator

CAP_RUN_USD: Final = 5.0
CAP_MONTH_USD: Final = 100.0


@pytest.fixture(scope="module")
def paid_module_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Tuneroom by signed HTTP, in #tuning only, whose toy model costs $1,000 a million tokens."""
    table = tmp_path_factory.mktemp("prices") / "prices.json"
    price = {"training_usd_per_million": 1000, "input_usd_per_million": 2, "output_usd_per_million": 4}
    table.write_text(json.dumps({"as_of": "2026-11-20", "models": [{"name": "toy-gpt", **price}]}))
    variables = {
        "TUNEROOM_PRICE_TABLE": str(table),
        "TUNEROOM_CAP_RUN_USD": str(CAP_RUN_USD),
        "TUNEROOM_CAP_MONTH_USD": str(CAP_MONTH_USD),
        "TUNEROOM_CHANNELS": "C0TUNING00,C0PARTNERS",
    }
    with Stack(tmp_path_factory.mktemp("paid") / "home", by_http=True, variables=variables) as stack:
        yield stack


@pytest.fixture
def stack(paid_module_stack: Stack) -> Iterator[Stack]:
    """The Tuneroom that costs money, in order."""
    yield from tidy(paid_module_stack)


def test_whole_story_by_signed_http_costs_what_was_quoted(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    assert "$" in report.text
    assert "Train…" in report.buttons
    assert talk.launch(report).closed
    card = talk.finish()
    talk.ask(card, "hello")
    answer = talk.answer(card)

    talk.insist_on_one_of_everything(answers=1)
    job = talk.job().data
    assert job.trained_tokens is not None
    assert job.cost_usd == pytest.approx(job.trained_tokens / 1000)
    assert job.cost_usd <= job.reserved_micros / 1_000_000 * 1.3
    assert "$" in answer.text
    audited = [entry for entry in talk.stack.store.audit(talk.job().ref.team) if entry.get("digest") == job.digest]
    assert [(entry["act"], entry["person"]) for entry in audited] == [("train", talk.person.id)]


def test_price_is_booked_when_the_run_ends(talk: Conversation) -> None:
    talk.train()
    held = talk.job().data.reserved_micros
    talk.finish()
    reserved, spent = talk.stack.store.spend(talk.job().ref.team, talk.job().data.month)

    assert held > 0
    assert reserved == 0
    assert spent >= (talk.job().data.cost_usd or 0) > 0


def test_price_that_rises_is_shown_before_it_is_confirmed(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    answer = talk.launch(report, epochs="9")
    assert not answer.closed
    assert answer.view is not None
    assert "The price changed with what you chose." in answer.view.text
    assert talk.stack.jobs(talk.name) == []

    assert talk.person.submit(answer.view).closed
    talk.finish()
    assert talk.job().data.request.epochs == 9


def test_run_over_its_cap_is_refused_in_words(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    answer = talk.launch(report, epochs="50")
    assert answer.view is not None
    answer = talk.person.submit(answer.view)

    (said,) = answer.errors.values()
    assert f"one run may cost ${CAP_RUN_USD:.2f} at most" in said
    assert "TUNEROOM_CAP_RUN_USD" in said
    assert talk.stack.jobs(talk.name) == []
    assert talk.stack.front.count(CREATE) == 0
    talk.person.close(talk.person.view("Train"))


def test_month_over_its_cap_is_refused_in_words(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    with talk.stack.month_spent(CAP_MONTH_USD - 0.05):
        answer = talk.launch(report)

    (said,) = answer.errors.values()
    assert "is left of this month's cap" in said
    assert "TUNEROOM_CAP_MONTH_USD" in said
    assert talk.stack.jobs(talk.name) == []
    talk.person.close(talk.person.view("Train"))


def test_failed_job_gives_back_what_was_set_aside(talk: Conversation) -> None:
    talk.stack.front.answer(CREATE, 403, code="training_not_available")
    talk.train()
    talk.card("Failed.")

    assert talk.stack.store.spend(talk.job().ref.team, talk.job().data.month)[0] == 0


def test_guest_is_refused(stack: Stack, talk: Conversation) -> None:
    gil = Conversation(stack, stack.workspace.as_user("gil"), fresh_name("of-gil"))
    dropped = gil.drop()
    assert "Guests cannot use Tuneroom." in gil.person.ephemeral("Guests").text
    assert gil.replies(dropped) == []

    gil.person.command("/tune", "list")
    assert "Ask a full member" in stack.workspace.ephemerals("gil")[-1].text
    report = talk.report(talk.drop())
    gil.person.click(report, "train")
    assert stack.workspace.views("gil") == []


@pytest.mark.parametrize(
    ("who", "said"), [("ext", "People of other organisations"), ("mina", "is shared with another organisation")]
)
def test_shared_channel_is_refused(stack: Stack, talk: Conversation, who: str, said: str) -> None:
    person = stack.workspace.as_user(who)
    dropped = person.drop("#partners", talk.filename, b"{}\n")
    person.ephemeral(said)

    assert [m for m in stack.workspace.messages("#partners", dropped.ts) if m.is_bot] == []


def test_channel_that_is_not_allowed_is_refused(stack: Stack, talk: Conversation) -> None:
    talk.person.invite_bot("#general")
    talk.person.drop("#general", talk.filename, b"{}\n")
    said = talk.person.ephemeral("I'm not set up to work in this channel.")

    assert "TUNEROOM_CHANNELS" in said.text
