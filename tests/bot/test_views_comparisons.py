# ruff: noqa: RUF001 - ranges take an en dash, gains a minus
"""What two models made of the same rows, as the thread reads it; and within Slack's limits whatever it was."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.views.answers import answer_post, beside_post, prompt_failed_post
from bot.views.comparisons import compare_offer_message, compared_already, comparison_coming, comparison_post
from finetune.comparison import Paired
from finetune.comparison_request import CompareRequest
from jobstore.comparisons import Comparison, Side
from jobstore.evaluations import Evaluation
from jobstore.records import Record, Ref
from jobstore.refusals import Refusal
from jobstore.states import Kind
from tests.bot.block_limits import problems_of_message
from tests.bot.cards import a_job, a_prompt, buttons, shown
from tests.bot.test_views_limits import IN_FULL, NASTY, anything
from tests.support.samples import a_comparison, a_side

BASE = "gpt-4o-mini-2024-07-18"


def side(rows: int = 200, usd: float = 0.02, **changes: Any) -> Side:
    evaluation = Evaluation(plan="", rows=rows, held_out=rows, begun_ms=1, asked=rows, cost_usd=usd)
    return a_side(model=BASE, base=BASE, evaluation=evaluation, **changes)


def a_made(paired: Paired | None, **changes: Any) -> Record[Comparison]:
    usual: dict[str, Any] = {
        "job": "j7",
        "rows": 200,
        "source": "test",
        "tuned": a_side(job="j7", known_rows=200, known_usd=0.06),
        "other": side(),
        "paired": paired,
    }
    data = a_comparison(**usual | changes)
    return Record(ref=Ref("T1", Kind.COMPARISON, "c1"), state="compared", version=3, data=data)


WORTH = Paired(both=144, only=38, other=4, none=14)


def test_a_gain_is_said_with_its_interval_and_what_an_answer_costs() -> None:
    said = shown(comparison_post(a_made(WORTH)))
    assert said.startswith(
        "*m7* against its base gpt-4o-mini, 200 test rows: 91% against 74%."
        " Gain 17 points (11–23). *Worth using.* The base is 3× cheaper.\n"
    )
    assert "m7    182/200  (86–94)    $0.0003" in said
    assert "base  148/200  (68–80)    $0.0001" in said
    assert "both right on 144, only m7 on 38, only the base on 4" in said
    assert "Asking cost $0.02." in said


@pytest.mark.parametrize(
    ("paired", "words"),
    [
        (
            Paired(both=172, only=8, other=6, none=14),
            "*No proven gain* (−3 to +5): keep the base. The base is 3× cheaper.",
        ),
        (Paired(both=144, only=4, other=38, none=14), "*Worse* (−23 to −11): keep the base. The base is 3× cheaper."),
        (
            Paired(both=144, only=38, other=4, none=14, commonest=176),
            "Gain 17 points (11–23), but always giving the commonest answer would get 88%: *no proven gain* over that.",
        ),
        (Paired(both=6, only=5, other=1), "*Not enough rows to tell* (−"),
    ],
    ids=["no gain", "worse", "no more than habit", "too few"],
)
def test_the_verdict_is_honest(paired: Paired, words: str) -> None:
    assert words in shown(comparison_post(a_made(paired)))


def test_held_out_rows_are_not_called_test_rows() -> None:
    assert "200 held-out rows: 91%" in shown(comparison_post(a_made(WORTH, source="")))


def test_free_answers_have_no_price_to_compare() -> None:
    free = {"tuned": a_side(job="j7", known_rows=200), "other": side(usd=0.0)}
    said = shown(comparison_post(a_made(WORTH, **free)))
    assert "cheaper" not in said
    assert "Asking was free." in said


def test_another_model_is_called_by_its_handle_and_what_it_learnt_is_left_out() -> None:
    said = shown(comparison_post(a_made(WORTH, against="j3", other=side(job="j3"), rows=240, left_out=40)))
    assert said.startswith("*m7* against *m3*, 200 test rows")
    assert "40 rows left out: m3 was trained on them" in said


def test_of_a_model_made_elsewhere_it_is_said_that_its_rows_are_not_known() -> None:
    said = shown(comparison_post(a_made(WORTH, against="ft:gpt-4o-mini:acme::abc")))
    assert "`ft:gpt-4o-mini:acme::abc`" in said
    assert "I don't know what the other model was trained on" in said


def test_how_far_it_is_stands_there_while_it_goes_on() -> None:
    waiting = a_made(None)
    assert "Comparing *m7* with its base gpt-4o-mini on 200 test rows.\nwaiting" in shown(comparison_post(waiting))
    going = dataclasses.replace(waiting, data=waiting.having(begun_ms=1))
    assert "200 and 200 of 200 answered" in shown(comparison_post(going))


def test_why_there_is_none_is_said_with_what_to_do() -> None:
    refusal = Refusal(code="x", message="The provider has no such model.", hint="Name another one.")
    said = shown(comparison_post(a_made(None, refusal=refusal)))
    assert "I could not compare *m7* with its base gpt-4o-mini." in said
    assert "The provider has no such model." in said
    assert "Name another one." in said


def test_two_answers_to_one_prompt_stand_side_by_side() -> None:
    job, prompt = a_job("ready"), a_prompt(of="p1", model=BASE)
    said = beside_post(prompt, job, "Where is my order?", ("Shipping.", "It depends: *where* did you buy it?"))
    assert shown(said).startswith(
        "&gt; Where is my order?\n*m42*\n"
        "Shipping.\n*gpt-4o-mini*, its base\nIt depends: *where* did you buy it?\ngpt-4o-mini · 0.8 s"
    )
    assert list(buttons(said)) == ["try_model"]


def test_an_answer_offers_to_ask_the_base_too() -> None:
    press = buttons(answer_post(a_prompt(), a_job("ready"), "Hello", "Hi"))["ask_base"]
    assert (press["text"]["text"], press["value"]) == ("Ask its base too", "prompt:p1")


def test_a_base_that_did_not_answer_can_be_asked_again() -> None:
    said = prompt_failed_post(a_prompt("failed", of="p0"), a_job("ready"), "Hello", "")
    assert {name: press["text"]["text"] for name, press in buttons(said).items()} == {"ask_base": "Ask its base again"}


REQUEST = CompareRequest(
    job="j7", against="base", tuned="ft:a", other=BASE, plan="ab", tuned_rows=0, other_rows=200, tuned_usd=0.0,
    other_usd=0.074, prices_as_of="2026-11-15",
)  # fmt: skip


def test_the_button_confirms_exactly_what_was_quoted() -> None:
    data = a_made(WORTH, reserved_micros=80_000).data
    quote = compare_offer_message(REQUEST, data, "job:j7")
    assert "Comparing *m7* with its base gpt-4o-mini on 200 test rows costs at most $0.08." in shown(quote)
    assert "*m7* still has 0 rows to answer, the other 200. Prices of 2026-11-15." in shown(quote)
    press = buttons(quote)["compare_models"]
    assert press["text"]["text"] == "Compare, at most $0.08"
    assert press["value"] == f"{REQUEST.digest()[:24]}/base job:j7"


@IN_FULL
@given(data=anything(Comparison), request=anything(CompareRequest), against=st.sampled_from(["base", "j3", *NASTY]))
def test_whatever_it_was_keeps_slacks_limits(data: Comparison, request: CompareRequest, against: str) -> None:
    data = dataclasses.replace(data, against=against)
    record = Record(ref=Ref("T1", Kind.COMPARISON, "c1"), state="compared", version=1, data=data)
    for said in (comparison_post(record), comparison_coming(data), compared_already(data)):
        assert problems_of_message(said) == []
    asked = dataclasses.replace(request, against="base")
    assert problems_of_message(compare_offer_message(asked, data, "job:j7")) == []
