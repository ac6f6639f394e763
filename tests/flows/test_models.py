"""Models that stop: seen in time, quoted on others, and the form for the next one a press away."""

from __future__ import annotations

import json
import re
import signal
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from jobstore.connections import connect
from jobstore.offers import Listing, Offers
from sandbox.people import TEAM_ID
from tests.flows.conftest import tidy
from tests.flows.conversation import PATIENCE_S, Conversation, rows
from tests.support.stack import Stack, fresh_name
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

NEXT: Final = {
    "name": "toy-next", "provider": "trainer", "training_usd_per_million": 1000, "context": 1024,
    "exact_tokens": False, "methods": ["supervised"], "formats": ["chat"],
}  # fmt: skip


@pytest.fixture(scope="module")
def dated_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A Tuneroom that has a second model on offer, which costs money and lasts."""
    table = tmp_path_factory.mktemp("prices") / "prices.json"
    table.write_text(json.dumps({"models": [NEXT]}))
    variables = {"TUNEROOM_PRICE_TABLE": str(table), "TUNEROOM_MODELS": "toy-gpt,toy-next"}
    with Stack(tmp_path_factory.mktemp("dated") / "home", variables=variables) as stack:
        yield stack


@pytest.fixture
def stack(dated_stack: Stack) -> Iterator[Stack]:
    """That Tuneroom, in order."""
    yield from tidy(dated_stack)


@pytest.fixture
def offers(stack: Stack) -> Iterator[Offers]:
    """What its follower keeps of the trainer."""
    connection = connect(stack.redis.url)
    yield Offers(connection)
    connection.close()


def told(talk: Conversation, line: str) -> Any:
    """Type a command; return what only the one who typed it is told."""
    name = talk.person.name
    before = len(talk.stack.workspace.ephemerals(name))
    talk.person.command("/tune", line)
    talk.stack.workspace.wait_for(lambda w: len(w.ephemerals(name)) > before or None, PATIENCE_S)
    return talk.stack.workspace.ephemerals(name)[-1]


def in_54_days(offers: Offers) -> date:
    """Return that day, by the clock that the bot goes by."""
    return datetime.fromtimestamp(offers.now_ms() / 1000, UTC).date() + timedelta(days=54)


def tell_days(offers: Offers, stops: date) -> None:
    """Let the provider have told when its base model stops."""
    listing: Any = wait_for(lambda: offers.listing("trainer"), timeout_s=PATIENCE_S)
    changed = Listing(at_ms=listing.at_ms, stops={"toy-gpt": stops}, tuned=listing.tuned)
    offers.keep("trainer", changed, again_in_ms=3_600_000)


def test_a_model_that_stops_is_seen_quoted_and_trained_elsewhere(talk: Conversation, offers: Offers) -> None:
    talk.train()
    talk.finish()
    handle = talk.job().ref.id.replace("j", "m")
    assert f"{talk.name}" in told(talk, "list models").text
    assert "Quote elsewhere" not in told(talk, "list models").buttons, "nobody knows a day"

    day = in_54_days(offers)
    tell_days(offers, day)
    listed = told(talk, "list models")
    assert f"stops on {day}" in listed.text
    talk.person.click(listed, "Quote elsewhere")
    quote = talk.person.view("The same rows elsewhere")
    assert "toy-next" in quote.text
    talk.person.click(quote, "Train…")
    form = talk.person.view(f"The same as {talk.job().ref.id}")
    assert form.values["Model to tune"] == "toy-next"
    assert form.values["Name"] == talk.name
    assert form.values["Epochs"] == "1"
    assert "$" in form.text
    assert len(talk.stack.jobs(talk.name)) == 1, "nothing is started before it is confirmed"
    talk.person.close(form)

    typed = told(talk, f"migrate {handle}")
    assert f"*{talk.name}* ({handle}) is a toy-gpt; it stops on {day}" in typed.text
    talk.person.click(typed, "Train…")
    form = talk.person.view(f"The same as {talk.job().ref.id}")
    assert form.values["Model to tune"] == "toy-next"
    talk.person.close(form)

    talk.person.open_home()
    home = talk.person.home(f"stops on {day}", timeout_s=PATIENCE_S)
    assert talk.name in home.text
    talk.person.click(home, "Quote a replacement")
    assert "toy-next" in talk.person.view("The same rows elsewhere").text


def test_the_accounts_other_fine_tunes_are_shown_to_admins_only(
    talk: Conversation, stack: Stack, offers: Offers
) -> None:
    """One was made by hand, one by a job, which belongs to its channel. The follower asks again when it is started."""
    by_hand = fresh_name("byhand")
    run = stack.start_run(by_hand, rows(by_hand))
    assert talk.launch(talk.report(talk.drop(talk.many_rows())), holdout="40").closed
    card = talk.finish()
    wait_for(lambda: _run(stack, run)["status"] == "succeeded", timeout_s=2 * PATIENCE_S)
    offers.keep("trainer", None, again_in_ms=0)  # what it was told is too old
    stack.kill("follower", signal.SIGTERM)
    ours = talk.job().data
    wait_for(lambda: {run, ours.run} <= {one.run for one in _tuned(offers)}, timeout_s=PATIENCE_S)

    jun = Conversation(stack, stack.workspace.as_user("jun"), talk.name)
    shown = told(jun, "list models").text
    assert _run(stack, run)["fine_tuned_model"] in shown
    assert ours.model not in shown
    assert talk.name in shown, "it is the channel's"
    seen = told(talk, "list models").text
    assert by_hand not in seen
    assert "Admins also see" in seen
    assert ours.run in offers.own_runs(TEAM_ID, "trainer")

    old = _run(stack, run)["fine_tuned_model"]
    line = f"compare m{talk.job().ref.id[1:]} with={old}"
    assert "Only admins" in told(talk, line).text
    assert "What comes of it is in its thread" in told(jun, line).text
    said = talk.notice(card, f"against `{old}`, 24 held-out rows")
    assert "I don't know what the other model was trained on" in said.text


def test_a_dataset_is_quoted_on_every_model_and_opens_the_form(talk: Conversation) -> None:
    talk.report(talk.drop())
    quote = told(talk, f"quote {talk.dataset().ref.id}")
    assert re.search(r"\*toy-gpt\* at .+ · free", quote.text)
    talk.person.click(quote, "Train…")
    assert talk.person.view("Train").values["Model to tune"] in {"toy-gpt", "toy-next"}


@pytest.mark.parametrize("line", ["quote", "quote m99999", "migrate j99999"])
def test_near_misses_are_told_what_to_name(talk: Conversation, line: str) -> None:
    said = told(talk, line).text
    assert "I know no" in said or "I don't know which one you mean." in said


def _run(stack: Stack, run: str) -> dict[str, Any]:
    return stack.ask_trainer(f"/fine_tuning/jobs/{run}")


def _tuned(offers: Offers) -> list[Any]:
    listing = offers.listing("trainer")
    return list(listing.tuned) if listing else []
