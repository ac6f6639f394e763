"""The app's Home, read as the person who opens it reads it, and within Slack's limits whatever it holds."""

from __future__ import annotations

import dataclasses

import pytest

from bot.views.home import SHOWN, Spend, closed_home, home
from finetune.errors import UserError
from jobstore.records import Ref
from jobstore.states import TABLES, Kind
from sandbox.blockkit.surfaces import view_problems
from tests.bot.cards import FREE, a_job, a_request, a_training_job, shown

NOTHING = Spend(mine_usd=0, all_usd=0, cap_usd=500)
NASTY = "<!channel> *_~`" * 40


def test_who_has_nothing_is_told_how_to_begin() -> None:
    assert shown(home([], NOTHING)) == (
        "*Nothing of yours is training.*\n"
        "Spent or held back this month: $0 by you, $0 of $500 by everybody here.\n"
        "Drop a dataset in a channel that I am in: I check it, quote the price and train a model on it.\n"
        "`/tune help` says what else I do."
    )


def test_jobs_models_and_money_stand_there() -> None:
    ready = a_job("ready", cost_usd=3.52, model="ft:1")
    text = shown(home([a_training_job(), ready, a_job("failed")], Spend(mine_usd=5, all_usd=14.2, cap_usd=100)))
    assert text.startswith(
        "*1 model · 1 training.*\nSpent or held back this month: $5 by you, $14.20 of $100 by everybody here.\n"
    )
    assert "*Going on*\n*support-bot* (j42)\ntraining 37% · gpt-4o-mini · " in text
    assert "*My models*\n*support-bot* (m42)\nready · gpt-4o-mini · cost $3.52" in text
    assert "*Ended*\n*support-bot* (j42)\nfailed" in text


def test_a_model_can_be_tried_from_there_and_a_job_looked_at() -> None:
    view = home([a_job("ready"), a_training_job()], NOTHING)
    acts = [block["accessory"]["action_id"] for block in view["blocks"] if "accessory" in block]
    assert acts == ["details", "try_model"]


def test_a_question_that_waits_for_the_person_is_counted() -> None:
    assert shown(home([a_job("unclear"), a_job("uploading")], NOTHING)).startswith(
        "*1 waiting for you · 1 on the way.*"
    )


def test_many_are_cut_and_the_rest_is_named() -> None:
    many = [dataclasses.replace(a_job("ready"), ref=Ref("T1", Kind.JOB, f"j{n}")) for n in range(SHOWN + 7)]
    text = shown(home(many, NOTHING))
    assert "(m9)" in text
    assert "(m10)" not in text
    assert "7 more in `/tune list`." in text


@pytest.mark.parametrize("state", sorted(TABLES[Kind.JOB]))
def test_it_is_within_slacks_limits_whatever_it_holds(state: str) -> None:
    request = dataclasses.replace(a_request(quote=FREE), model=NASTY)
    jobs = [a_job(state, title=NASTY, request=request)] * 150
    view = home(jobs, Spend(mine_usd=1e9, all_usd=1e12, cap_usd=0.001))
    assert view_problems(view, "home") == []
    assert "<!channel>" not in shown(view)


def test_who_may_not_use_the_bot_is_told_so_and_nothing_else() -> None:
    view = closed_home(UserError("guest-refused", "Guests cannot use Tuneroom.", "Ask a full member."))
    assert shown(view) == "Guests cannot use Tuneroom.\nAsk a full member."
    assert view_problems(view, "home") == []
