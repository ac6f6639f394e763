"""Every view, given any values at all, stays within Slack's limits and mentions nobody it was not asked to."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import types
import typing
from functools import cache
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.views import acknowledgements, answers, datasets, hosting, jobs, launching, modals, notices, outcomes, unclear
from bot.views.host_offer import HostOffer, HostPrice
from finetune.errors import UserError
from finetune.findings import Finding
from finetune.hosting import HOURS_MAX, HostRequest
from finetune.launch import Quote
from finetune.report import Report, Tokens
from jobstore.jobs import Job
from jobstore.records import Dataset, Prompt, Record, Ref
from jobstore.states import TABLES, Kind
from tests.bot.block_limits import PERSON, problems_of_message, problems_of_modal
from tests.bot.cards import a_job

NASTY = (
    "",
    " ",
    "<!channel>",
    "<@U666> <!here|x> <https://evil.example|click>",
    "&lt;!channel&gt; &amp;",
    "```\n<!everyone>\n```",
    "`" * 50,
    "*_~" * 40,
    ">>> a\n> b\n\n\n",
    "\u202egpj.exe\u202c",
    "שלום עולם .csv",
    "👩‍👩‍👧‍👦" * 40,
    "half \ud83d character",
    "\x00\x07\x1b[31m",
    "&" * 10_000,
    "<" * 10_000,
    "😀" * 10_000,
    "<!channel> " * 1_000,
    "a" * 10_000,
    "\n" * 10_000,
    '"\\' * 5_000,
    "{title} {0} {person.__class__}",
)
TEXT = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=()), max_size=80)
WHOLE = st.integers(0, 4_000_000_000_000)
MONEY = st.sampled_from([0.0, 1e-12, 0.000_2, 0.009_999, 3.71, 999.999, 1e9]) | st.floats(0, 1e9)
ANY_FLOAT = st.floats()
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"type": TEXT, "at_ms": WHOLE}, optional={"person": TEXT, "run": TEXT, "code": TEXT, "x": TEXT}
    ),
    max_size=40,
)
IN_FULL = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def anything(cls: type) -> st.SearchStrategy[Any]:
    """Return values of a dataclass with any value in any field; only the people in it are who they are."""
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: _field(field.name, hints[field.name]) for field in dataclasses.fields(cls)})


def _field(name: str, hint: Any) -> st.SearchStrategy[Any]:
    if name == "person":
        # a text that has the shape of another id would be mentioned, and rightly
        return st.just(PERSON) | TEXT.filter(lambda text: not re.fullmatch("[UW][A-Z0-9]+", text))
    if hint is float and ("usd" in name or name in {"low", "high"}):
        return MONEY
    if name == "hours":
        return st.integers(1, HOURS_MAX)
    return st.one_of(MONEY, st.none()) if name in {"cost_usd", "told_usd_per_hour", "usd_per_hour"} else _value(hint)


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: WHOLE,
    float: ANY_FLOAT,
    bool: st.booleans(),
    type(None): st.none(),
}


def _value(hint: Any) -> st.SearchStrategy[Any]:
    if hint in SIMPLE:
        return SIMPLE[hint]
    if arguments := typing.get_args(hint):
        return _combined(typing.get_origin(hint), arguments)
    return st.sampled_from(list(hint)) if issubclass(hint, enum.Enum) else anything(hint)


def _combined(origin: Any, arguments: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return st.tuples(*(_value(argument) for argument in arguments))
    if origin is tuple:
        return st.lists(_value(arguments[0]), max_size=20).map(tuple)
    if origin is dict:
        return st.dictionaries(_value(arguments[0]), _value(arguments[1]), max_size=8)
    assert origin in {types.UnionType, typing.Union}
    return st.one_of(*(_value(argument) for argument in arguments))


def records(kind: Kind, data: type, name: str, states: list[str] | None = None) -> st.SearchStrategy[Record[Any]]:
    """Return records of a kind in any of its states, with any data."""
    return st.builds(
        Record,
        ref=st.just(Ref("T1", kind, name)),
        state=st.sampled_from(states or list(TABLES[kind])),
        version=st.just(1),
        data=anything(data),
        cancel=st.booleans(),
    )


JOBS = records(Kind.JOB, Job, "j42")
DATASETS = records(Kind.DATASET, Dataset, "d12")
PROMPTS = records(Kind.PROMPT, Prompt, "p1")
REPORTS = anything(Report)
OFFERS = st.builds(HostOffer, request=st.none() | anything(HostRequest), idle_min=st.floats(0.01, 1e6))
FORM_TEXTS = ("dataset_ref", "filename", "name_preview", "notice", "advice", "digest", "provider")
FORM_NAMES = ("model", "suffix", "epochs", "valid", "holdout", "beta", "grader", "seed", "batch", "lr", "wandb")
# more than a menu holds, of few texts: drawing hundreds takes twenty seconds, and shows no more
MODELS_AND_LABELS = st.builds(
    list.__mul__,
    st.lists(st.tuples(st.sampled_from(["gpt-4o-mini", "toy-gpt"]), TEXT), min_size=1, max_size=13),
    st.sampled_from([1, 3, 10]),
)
FORMS = st.builds(
    launching.LaunchForm,
    method=st.sampled_from(list(launching.METHODS)),
    starts=st.dictionaries(
        TEXT.filter(bool),
        MODELS_AND_LABELS,
        min_size=1,
        max_size=3,
    ),
    values=st.dictionaries(st.sampled_from(FORM_NAMES), TEXT),
    validations=st.lists(st.tuples(st.sampled_from(["d1", "d2"]), TEXT), max_size=30).map(tuple),
    classes=st.lists(TEXT, max_size=2).map(tuple),
    not_offered=st.lists(st.tuples(TEXT, TEXT), max_size=12).map(tuple),
    rate=st.sampled_from(["multiplier", "absolute"]),
    folded=st.booleans(),
    wandb=st.booleans(),
    quote=st.none() | anything(Quote),
    cap_usd=MONEY,
    hosting=st.none() | anything(HostPrice),
    rows=WHOLE,
    **dict.fromkeys(FORM_TEXTS, TEXT),
)


@given(DATASETS, REPORTS | st.none(), st.dictionaries(TEXT, TEXT, max_size=8))
@IN_FULL
def test_dataset_cards_keep_the_limits(record: Record[Dataset], report: Report | None, labels: dict[str, str]) -> None:
    if report is not None:
        labels |= dict.fromkeys(report.price_usd, "a label")
    assert problems_of_message(datasets.dataset_card(record, report, model_labels=labels)) == []


@given(
    st.lists(anything(Finding), min_size=9, max_size=30), st.sampled_from(["accepted", "rejected", "unreadable"]), TEXT
)
@IN_FULL
def test_cards_with_many_findings_keep_the_limits(findings: list[Finding], state: str, file: str) -> None:
    report = Report("chat", 10, 10, Tokens(), 3, {}, tuple(findings))
    data = Dataset(channel="C1", person=PERSON, message_ts="1", file_id="F1", filename=file)
    record = Record(ref=Ref("T1", Kind.DATASET, "d12"), state=state, version=1, data=data)
    assert problems_of_message(datasets.dataset_card(record, report, model_labels={})) == []


@given(JOBS, WHOLE)
@IN_FULL
def test_job_cards_keep_the_limits(record: Record[Job], now_ms: int) -> None:
    assert problems_of_message(jobs.job_card(record, now_ms)) == []


@pytest.mark.parametrize(
    "view",
    [
        outcomes.results_post,
        outcomes.ready_post,
        outcomes.cancelled_post,
        unclear.unclear_post,
    ],
)
@given(record=JOBS)
@IN_FULL
def test_posts_in_a_jobs_thread_keep_the_limits(view: Any, record: Record[Job]) -> None:
    assert problems_of_message(view(record)) == []
    assert 0 < len(outcomes.results_file_title(record)) < 255


@given(JOBS, OFFERS, WHOLE)
@IN_FULL
def test_what_is_said_of_hosting_keeps_the_limits(record: Record[Job], offer: HostOffer, now_ms: int) -> None:
    for message in (
        hosting.hosting_post(record, offer, now_ms),
        hosting.wake_offer(record, offer),
        hosting.woken_post(record),
        hosting.not_hosted_post(record, offer),
        hosting.not_stopped_post(record),
        jobs.job_card(record, now_ms, hosting=offer),
    ):
        assert problems_of_message(message) == []


@given(JOBS, TEXT)
@IN_FULL
def test_failures_keep_the_limits(record: Record[Job], said: str) -> None:
    assert problems_of_message(outcomes.failed_post(record, said)) == []


@given(PROMPTS, JOBS, TEXT, TEXT)
@IN_FULL
def test_answers_keep_the_limits(record: Record[Prompt], job: Record[Job], prompt: str, answer: str) -> None:
    assert problems_of_message(answers.answer_post(record, job, prompt, answer)) == []
    assert problems_of_message(answers.prompt_failed_post(record, job, prompt, answer)) == []
    assert problems_of_message(answers.beside_post(record, job, prompt, (answer, prompt))) == []


@given(st.lists(JOBS, max_size=25), st.lists(DATASETS, max_size=25))
@settings(IN_FULL, max_examples=25)
def test_lists_keep_the_limits(some_jobs: list[Record[Job]], some_datasets: list[Record[Dataset]]) -> None:
    assert problems_of_message(notices.jobs_list(some_jobs, some_datasets)) == []


@given(JOBS, EVENTS, WHOLE)
@IN_FULL
def test_details_keep_the_limits(record: Record[Job], events: list[dict[str, Any]], now_ms: int) -> None:
    assert problems_of_message(notices.job_details(record, events, now_ms)) == []
    assert problems_of_modal(modals.details_modal(record, events, now_ms)) == []


@given(TEXT, TEXT, TEXT)
@IN_FULL
def test_notices_keep_the_limits(one: str, two: str, three: str) -> None:
    for message in (
        notices.near_miss(one),
        notices.not_training_data(one),
        notices.something_failed(one),
        notices.refusal(UserError(one, two, three)),
    ):
        assert problems_of_message(message) == []


@given(JOBS, st.sampled_from(["flagged", "already", "too-late"]))
@IN_FULL
def test_acknowledgements_keep_the_limits(job: Record[Job], outcome: str) -> None:
    assert problems_of_message(acknowledgements.asked(job)) == []
    assert problems_of_message(acknowledgements.cancel_outcome(job, outcome)) == []
    for said in (hosting.hosting_coming, hosting.sleep_coming, hosting.kept_asleep):
        assert problems_of_message(said(job)) == []


def test_fixed_notices_keep_the_limits() -> None:
    assert problems_of_message(notices.help_message()) == []
    assert problems_of_message(notices.welcome()) == []


@given(FORMS)
@IN_FULL
def test_launch_modals_keep_the_limits(form: launching.LaunchForm) -> None:
    assert problems_of_modal(launching.launch_modal(form, metadata=json.dumps({"d": form.digest[:64]}))) == []


@given(JOBS, TEXT, TEXT)
@IN_FULL
def test_small_modals_keep_the_limits(job: Record[Job], prompt: str, notice: str) -> None:
    assert problems_of_modal(modals.try_modal(job, prompt=prompt, metadata="{}", notice=notice)) == []
    assert problems_of_modal(unclear.name_run_modal(job, metadata="{}")) == []


def test_metadata_that_would_not_come_back_is_refused() -> None:
    with pytest.raises(ValueError, match="metadata"):
        unclear.name_run_modal(a_job("unclear"), metadata="x" * 3_001)


def test_the_checker_sees_what_it_is_for() -> None:
    message = notices.not_training_data("tickets.csv")
    message.blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>" + "x" * 3_000}})
    message.blocks[-1]["text"]["verbatim"] = True
    assert len(problems_of_message(message)) == 2
