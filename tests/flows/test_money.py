"""By signed HTTP, with a model that costs money: the whole story, its price, its caps, and who may not spend."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from jobstore.money import channel_account, person_account
from jobstore.states import Kind
from sandbox.people import TEAM_ID
from tests.flows.conftest import tidy
from tests.flows.conversation import Conversation, rows
from tests.support.provider_front import ANSWERS, CREATE
from tests.support.stack import Stack, fresh_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobstore.comparisons import Comparison
    from jobstore.records import Record

CAP_RUN_USD: Final = 5.0
CAP_MONTH_USD: Final = 100.0
CAP_PERSON_USD: Final = 80.0
CAP_CHANNEL_USD: Final = 90.0


@pytest.fixture(scope="module")
def paid_module_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Tuneroom by signed HTTP, in #tuning only, whose toy model costs $1,000 a million tokens."""
    table = tmp_path_factory.mktemp("prices") / "prices.json"
    price = {
        "training_usd_per_million": 1000,
        "input_usd_per_million": 2,
        "output_usd_per_million": 4,
        "base_input_usd_per_million": 1,
        "base_output_usd_per_million": 2,
    }
    table.write_text(json.dumps({"as_of": "2026-11-20", "models": [{"name": "toy-gpt", **price}]}))
    variables = {
        "TUNEROOM_PRICE_TABLE": str(table),
        "TUNEROOM_CAP_RUN_USD": str(CAP_RUN_USD),
        "TUNEROOM_CAP_MONTH_USD": str(CAP_MONTH_USD),
        "TUNEROOM_CAP_PERSON_USD": str(CAP_PERSON_USD),
        "TUNEROOM_CAP_CHANNEL_USD": str(CAP_CHANNEL_USD),
        "TUNEROOM_UPLOAD_PART_MB": "0.0005",  # so that every file goes by parts
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
    assert job.cost_usd is not None
    assert job.cost_usd == pytest.approx(job.trained_tokens / 1000)
    assert job.cost_usd <= job.reserved_micros / 1_000_000 * 1.3
    assert "$" in answer.text
    audited = [entry for entry in talk.stack.store.audit(talk.job().ref.team) if entry.get("digest") == job.digest]
    assert [(entry["act"], entry["person"]) for entry in audited] == [("train", talk.person.id)]

    talk.press(answer, "Ask its base too")
    beside = talk.notice(card, "*toy-gpt*, its base")
    assert "toy-gpt · " in beside.text
    assert "Ask its base too" not in beside.buttons
    talk.press(answer, "Ask its base too")
    talk.person.ephemeral("Asked toy-gpt the same")
    assert [prompt.data.of for prompt in talk.prompts()] == [talk.prompts()[-1].ref.id, ""]


def test_price_is_booked_when_the_run_ends(talk: Conversation) -> None:
    talk.train()
    held = talk.job().data.reserved_micros
    talk.finish()
    reserved, spent = talk.stack.store.spend(talk.job().ref.team, talk.job().data.month)

    assert held > 0
    assert reserved == 0
    assert spent >= (talk.job().data.cost_usd or 0) > 0


def test_a_comparison_is_quoted_confirmed_once_and_settled(talk: Conversation) -> None:
    """The tuned model's answers are there already: only the base's are paid for."""
    report = talk.report(talk.drop(rows(talk.name, 40)))
    assert talk.launch(report, holdout="20").closed
    card = talk.finish()
    team, month, model = talk.job().ref.team, talk.job().data.month, f"m{talk.job().ref.id[1:]}"
    before = talk.stack.store.spend(team, month)
    answered = talk.stack.front.count(ANSWERS)
    talk.press(talk.notice(card), "Compare with base")
    quote = talk.person.ephemeral(f"Comparing *{model}* with its base toy-gpt on 8 held-out rows costs at most $0.01.")
    assert talk.stack.front.count(ANSWERS) == answered, "nothing is asked before it is confirmed"

    with talk.stack.month_spent(CAP_MONTH_USD):
        talk.person.click(quote, "compare_models")
        talk.person.ephemeral("is left of this month's cap")
    assert comparisons(talk) == []
    for _ in range(2):
        talk.person.click(quote, "compare_models")
    said = talk.notice(card, "against its base")
    assert "Not enough rows to tell" in said.text  # eight
    assert "Asking cost $0.0" in said.text

    (made,) = comparisons(talk)
    assert talk.stack.front.count(ANSWERS) == answered + 8
    assert 0 < made.data.cost_usd <= made.data.other.most_usd < 0.01
    reserved, spent = talk.stack.store.spend(team, month)
    assert reserved == before[0]
    assert spent == pytest.approx(before[1] + made.data.cost_usd, abs=1e-6)
    audited = [entry for entry in talk.stack.store.audit(team) if entry.get("digest") == made.data.digest]
    assert [(entry["act"], entry["person"]) for entry in audited] == [("compare", talk.person.id)]


def comparisons(talk: Conversation) -> list[Record[Comparison]]:
    """Return the comparisons of this conversation's model."""
    return [one for one in talk.stack.listed(Kind.COMPARISON) if one.data.job == talk.job().ref.id]


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


@pytest.mark.parametrize(
    ("account", "cap", "said", "setting"),
    [
        (person_account("U0000MINA0"), CAP_PERSON_USD, "is left of your cap for this month", "TUNEROOM_CAP_PERSON_USD"),
        (
            channel_account("C0TUNING00"),
            CAP_CHANNEL_USD,
            "is left of this channel's cap for this month",
            "TUNEROOM_CAP_CHANNEL_USD",
        ),
    ],
)
def test_cap_of_a_person_and_of_a_channel_is_said_with_what_is_left(
    talk: Conversation, account: str, cap: float, said: str, setting: str
) -> None:
    report = talk.report(talk.drop())
    spent = sum(talk.stack.store.spend(TEAM_ID, f"{datetime.now(UTC):%Y-%m}", account))
    with talk.stack.month_spent(cap - spent - 0.05, account):
        answer = talk.launch(report)

    (words,) = answer.errors.values()
    assert f"$0.05 {said} of ${cap:.2f}" in words
    assert "It begins anew on 1 " in words
    assert setting in words
    assert talk.stack.jobs(talk.name) == []
    talk.person.close(talk.person.view("Train"))


def test_price_is_counted_for_the_person_and_the_channel_too(talk: Conversation) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    accounts = [person_account(talk.person.id), channel_account("C0TUNING00")]
    before = [talk.stack.store.spend(TEAM_ID, month, account)[1] for account in accounts]
    talk.train()
    talk.finish()
    cost = talk.job().data.cost_usd or 0

    assert cost > 0
    for account, spent in zip(accounts, before, strict=True):
        assert talk.stack.store.spend(TEAM_ID, month, account) == (0, pytest.approx(spent + cost))


def test_form_shows_the_price_as_it_is_changed(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    talk.person.click(report, "train")
    price = re.compile(r"\$([\d.]+)–([\d.]+)\*? for (\d+) epochs?")  # noqa: RUF001 - a range takes an en dash
    shown: dict[str, float] = {}
    for epochs in ("2", "4"):
        talk.person.click(talk.person.view("Train"), "epochs", epochs)
        found = price.search(talk.person.view(f"for {epochs} epochs").text)
        assert found is not None
        shown[epochs] = float(found[2])
    assert shown["4"] == pytest.approx(2 * shown["2"], abs=0.02)

    form = talk.person.view("for 4 epochs")
    assert talk.person.submit(form, {"suffix": talk.name}).closed, "the price was shown: it is not asked about again"
    talk.finish()
    assert talk.job().data.reserved_micros / 1_000_000 == pytest.approx(shown["4"], abs=0.02)


def test_line_that_costs_money_shows_the_price_first(talk: Conversation) -> None:
    talk.report(talk.drop())
    dataset = talk.dataset().ref.id
    talk.person.command("/tune", f"train {dataset} epochs=2 lr=x0.5 valid=none suffix={talk.name}")
    form = talk.person.view("for 2 epochs")
    assert talk.stack.jobs(talk.name) == []
    assert talk.person.submit(form).closed
    talk.finish()
    request = talk.job().data.request
    assert (request.epochs, request.learning_rate_multiplier, request.holdout_percent) == (2, 0.5, 0)


def test_line_with_too_small_a_cap_of_its_own_is_refused(talk: Conversation) -> None:
    talk.report(talk.drop())
    before = len(talk.stack.workspace.ephemerals("mina"))
    talk.person.command("/tune", f"train {talk.dataset().ref.id} suffix={talk.name} cap=$0.01")
    talk.stack.workspace.wait_for(lambda w: len(w.ephemerals("mina")) > before or None)
    assert "more than the $0.01 you allow" in talk.stack.workspace.ephemerals("mina")[-1].text


def test_large_file_is_uploaded_by_parts(talk: Conversation) -> None:
    talk.train()
    talk.finish()
    job = talk.job().data
    sizes = {
        file["id"]: file["bytes"] for file in talk.stack.ask_trainer("/files?purpose=fine-tune&limit=1000")["data"]
    }
    assert sizes[job.train_file] == len(next((talk.stack.home / "blobs").glob(f"*/{job.train_blob}")).read_bytes())
    assert talk.stack.front.count(("POST", "/v1/files")) == 0
    assert talk.stack.front.count(("POST", "/v1/uploads/*/parts")) > 1
    assert talk.stack.front.count(("POST", "/v1/uploads/*/complete")) == 1


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
