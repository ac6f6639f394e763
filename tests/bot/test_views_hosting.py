"""What is said of a model's host, read as the channel reads it."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import pytest

from bot.views.acknowledgements import started
from bot.views.details import details_blocks
from bot.views.evaluations import evaluation_post
from bot.views.home import Spend, home
from bot.views.host_offer import HostOffer, HostPrice
from bot.views.hosting import (
    hosting_post,
    not_hosted_post,
    not_stopped_post,
    wake_offer,
    woken_post,
)
from bot.views.jobs import job_card
from bot.views.launching import hosting_line
from bot.views.message import message
from bot.views.notices import jobs_list
from bot.views.unclear import name_run_modal, unclear_post
from finetune.evaluation import Given, Plan, scores_of
from finetune.held_out import HeldOutRow
from finetune.hosting import HOUR_MS, HostRequest
from jobstore.evaluations import Evaluation
from jobstore.refusals import Refusal
from jobstore.stays import Stay
from tests.bot.cards import MINUTE_MS, NOON_MS, a_job, a_request, buttons, shown

REQUEST: Final = HostRequest(job="j42", provider="together", model="ft:1", hours=1, usd_per_hour=2.4, number=1)
OFFER: Final = HostOffer(request=REQUEST, idle_min=15)
NO_PRICE: Final = HostOffer(request=None, idle_min=15)
STAY: Final = Stay(
    number=1, person="UJUN", digest="ab" * 32, hours=1, usd_per_hour=2.4, month="2026-11", confirmed_ms=NOON_MS,
    reserved_micros=2_400_000, host="ep_1/dep_1", model="acme/x", began_ms=NOON_MS, said="READY",
)  # fmt: skip
SLEPT: Final = dataclasses.replace(STAY, ended_ms=NOON_MS + 27 * MINUTE_MS, spent_micros=1_080_000, why="idle")
FAILED: Final = dataclasses.replace(
    SLEPT, spent_micros=0, why="failed", refusal=Refusal(code="x", message="No capacity.", hint="Wake it later.")
)


def trained(state: str, stay: Stay | None = None, **changes: Any) -> Any:
    return a_job(state, model="ft:1", cost_usd=3.52, stay=stay, **changes)


def test_question_names_the_price_and_the_most_it_may_come_to() -> None:
    post = hosting_post(trained("awaiting_hosting"), OFFER, NOON_MS)

    assert "<@UMINA> *support-bot* (j42) is trained." in shown(post)
    assert "Answering costs $2.40/h; it stops after 15 idle minutes." in shown(post)
    assert buttons(post)["host_model"]["text"]["text"] == "Host 1 h, at most $2.40"
    assert buttons(post)["keep_asleep"]["text"]["text"] == "Keep asleep"


def test_button_carries_the_digest_of_what_it_confirms() -> None:
    value = buttons(hosting_post(trained("awaiting_hosting"), OFFER, NOON_MS))["host_model"]["value"]
    assert value == f"1/{REQUEST.digest()[:24]} job:j42"
    for change in (
        {"hours": 2},
        {"usd_per_hour": 2.5},
        {"number": 2},
        {"model": "ft:2"},
        {"provider": "x"},
        {"job": "j1"},
    ):
        assert dataclasses.replace(REQUEST, **change).digest()[:24] not in value


def test_without_a_price_nothing_is_offered() -> None:
    post = hosting_post(trained("awaiting_hosting"), NO_PRICE, NOON_MS)
    assert list(buttons(post)) == ["keep_asleep"]
    assert "TUNEROOM_PRICE_TABLE" in shown(post)


def test_hosted_it_is_the_notice_that_says_until_when() -> None:
    post = hosting_post(trained("hosted", STAY), OFFER, NOON_MS)

    assert "answers: it is model m42" in shown(post)
    assert f"It is hosted until <!date^{(NOON_MS + HOUR_MS) // 1000}^" in shown(post)
    assert "at most, for $2.40 an hour" in shown(post)
    assert {"try_model", "stop_hosting", "code", "details", "more"} <= {*buttons(post)}


def test_asleep_it_says_why_and_what_it_cost() -> None:
    post = hosting_post(trained("asleep", SLEPT, hosted_micros=3_300_000), OFFER, NOON_MS)

    assert "is asleep." in shown(post)
    assert "Nobody asked it for a while." in shown(post)
    assert "$1.08 for 27 min of hosting. $3.30 in all." in shown(post)
    assert buttons(post)["host_model"]["text"]["text"] == "Wake, 1 h, at most $2.40"


def test_kept_asleep_it_says_what_would_wake_it() -> None:
    post = hosting_post(trained("asleep"), OFFER, NOON_MS)
    assert "It costs nothing, and answers once it is woken." in shown(post)


@pytest.mark.parametrize("state", ["deploying", "probing", "unclear_host", "evaluating"])
def test_on_the_way_it_says_what_was_confirmed_and_by_whom(state: str) -> None:
    post = hosting_post(trained(state, STAY), OFFER, NOON_MS)
    assert "For 1 hour, at most $2.40, as <@UJUN> confirmed." in shown(post)


def test_failure_is_said_to_whoever_confirmed_it() -> None:
    post = not_hosted_post(trained("asleep", FAILED), OFFER)

    assert shown(post).startswith("<@UJUN> *m42* could not be hosted.")
    assert "No capacity. Wake it later." in shown(post)
    assert "Nothing was charged for it." in shown(post)


def test_host_that_is_not_ended_is_said_with_what_it_costs() -> None:
    post = not_stopped_post(trained("stopping", STAY, note="The provider said no."))
    assert shown(post).startswith("<@UJUN> *m42* could not be put to sleep yet and still costs $2.40/h. I keep trying.")
    assert "The provider said no." in shown(post)


def test_woken_it_mentions_who_woke_it() -> None:
    assert shown(woken_post(trained("hosted", STAY))).startswith("<@UJUN> *m42* is awake, and answers.")


def test_offer_for_somebody_who_wants_to_ask_it() -> None:
    assert shown(wake_offer(trained("asleep"), OFFER)).startswith("*m42* is asleep. Answering costs $2.40/h;")
    assert list(buttons(wake_offer(trained("awaiting_hosting"), OFFER))) == ["host_model"]


def test_card_offers_what_can_be_done() -> None:
    asleep = job_card(trained("asleep", SLEPT, hosted_micros=1_080_000), NOON_MS, hosting=OFFER)
    assert list(buttons(asleep)) == ["host_model", "details"]
    assert "cost $3.52, hosting $1.08" in shown(asleep)
    assert list(buttons(job_card(trained("hosted", STAY), NOON_MS, hosting=OFFER))) == [
        "try_model", "stop_hosting", "details",
    ]  # fmt: skip
    starting = dataclasses.replace(STAY, host="")
    assert list(buttons(job_card(trained("deploying", starting), NOON_MS, hosting=OFFER))) == ["details"]


def test_run_that_ended_before_it_could_be_cancelled_is_not_cancelling() -> None:
    assert "Cancelling" not in shown(job_card(trained("hosted", STAY, cancel=True), NOON_MS))


def test_unclear_host_is_asked_about_as_a_host() -> None:
    post = unclear_post(trained("unclear_host", STAY))
    assert shown(post).startswith("<@UJUN> *support-bot* (j42): the provider's answer was lost. I found no host,")
    assert buttons(post)["name_run"]["text"]["text"] == "Name its host"
    form = name_run_modal(trained("unclear_host", STAY), metadata="")
    assert form["title"]["text"] == "Name the host"
    assert "a slash and the deployment's id, such as ep_1a2b/dep_3c4d." in str(form)


def test_answers_from_a_host_are_paid_with_it() -> None:
    done = Evaluation(plan="", rows=2, held_out=2, begun_ms=1, asked=2, right=2, scored=2, scores="s")
    found = scores_of(Plan(rows=(HeldOutRow("q", "a"), HeldOutRow("r", "a"))), [Given("a"), Given("a")])
    assert found is not None
    text = shown(evaluation_post(trained("hosted", STAY, evaluation=done), found))
    assert "asking cost nothing beside the hosting" in text


def test_details_say_what_it_costs_by_now() -> None:
    blocks = details_blocks(trained("hosted", STAY, hosted_micros=1_080_000), [], NOON_MS + 30 * MINUTE_MS)
    text = shown(message(a_text(), *blocks))
    assert "*Hosting:* $2.28 by now, at most $3.48 until" in text
    assert "confirmed by <@UJUN>" in text


def a_text() -> Any:
    return hosting_line(HostPrice(1.0))


def test_list_and_home_say_what_sleeps_and_what_it_cost() -> None:
    jobs = [trained("asleep", SLEPT, hosted_micros=1_080_000), trained("awaiting_hosting"), trained("hosted", STAY)]
    text = shown(jobs_list(jobs, []))
    assert "asleep · <@UMINA> · cost $3.52, hosting $1.08" in text
    assert "trained, not hosted" in text
    view = home(jobs, Spend(mine_usd=1, all_usd=1, cap_usd=100))
    assert "*2 models · 1 asleep · 1 waiting for you.*" in str(view)


def test_price_by_the_hour_is_quoted_with_the_training() -> None:
    assert str(hosting_line(HostPrice(2.4))) == "Then $2.40/h while it is hosted; I ask before that."
    assert "at a price that I don't know" in str(hosting_line(HostPrice(None)))
    assert str(hosting_line(None)) == ""
    assert shown(started("j42", a_request(), HostPrice(2.4))).endswith(
        "Its card shows how it goes. Then $2.40/h while it is hosted; I ask before that."
    )
