"""Guidance says in a sentence or two what to aim for, fits the file at hand, and can be told what the task is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from finetune.contract import Label, PromptContract
from finetune.errors import UserError
from finetune.findings import Finding, Severity
from finetune.guidance import FEW_EPOCHS, TASKS, Task, advice, guidance_for, parse_task
from finetune.report import Report, Tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

LABELS = (Label("billing", 120, 1), Label("returns", 34, 1))


def a_report(task: str | None, *, labels: Sequence[Label] = (), **changes: Any) -> Report:
    report = Report(
        format="chat",
        rows=200,
        examples=200,
        tokens=Tokens(4_000, 40, 20, 30),
        epochs=3,
        price_usd={},
        findings=(),
        contract=PromptContract("chat", labels=tuple(labels)),
        task=task,
    )
    return dataclasses.replace(report, **changes)


def test_a_classifier_is_told_of_its_smallest_class() -> None:
    first, second = advice(a_report("classification", labels=LABELS))
    assert first == (
        "This looks like classification into 2 labels: aim for 100 rows of each or more; the smallest has 34."
    )
    assert second == "Answer with the label alone, one token long, always spelt the same."


def test_a_classifier_with_enough_rows_is_not_told_of_its_smallest_class() -> None:
    enough = [dataclasses.replace(label, rows=100) for label in LABELS]
    assert advice(a_report("classification", labels=enough))[0].endswith("aim for 100 rows of each or more.")


def test_long_labels_are_named_before_anything_general() -> None:
    labels = [*LABELS, Label("out of scope", 20, 3)]
    assert advice(a_report("classification", labels=labels))[1].startswith("1 label is longer than a token")
    many = [Label(f"class {number}", 5, 2) for number in range(40)]
    hint = advice(a_report("classification", labels=many))[1]
    assert hint == "40 of 40 labels are longer than a token: make each a number, and keep a list of them."


@pytest.mark.parametrize("task", ["conditional-generation", "extraction", "open-ended"])
def test_what_writes_is_trained_for_one_or_two_epochs_at_a_low_rate(task: Task) -> None:
    said = " ".join(advice(a_report(task)))
    assert "aim for 500 rows or more" in said
    assert "Train 1 to 2 epochs at a low rate (x0.5)." in said
    assert guidance_for(task).epochs(200) == FEW_EPOCHS
    assert guidance_for(task).epochs(20_000) == 1
    assert guidance_for(task).epochs(0) == 0


def test_enough_rows_are_not_asked_for_again() -> None:
    assert "aim for" not in advice(a_report("conditional-generation", examples=800))[0]


@pytest.mark.parametrize("code", ["too-few-examples", "class-too-small"])
def test_a_number_that_a_finding_has_said_is_not_said_again(code: str) -> None:
    finding = Finding(code, Severity.ADVICE, (), 1, "There are few.", "Add some.")
    said = advice(a_report("classification", labels=LABELS, findings=(finding,)))
    assert said[0] == "This looks like classification into 2 labels."


def test_what_sorts_is_trained_as_the_provider_would() -> None:
    guidance = guidance_for("classification")
    assert (guidance.rate, guidance.epochs(200), guidance.epochs(10)) == (None, 3, 10)


def test_pairs_are_told_of_separators_and_chats_are_not() -> None:
    assert "separator" in advice(a_report("conditional-generation", format="prompt-completion"))[1]
    assert "separator" not in " ".join(advice(a_report("conditional-generation")))


def test_facts_are_refused_kindly() -> None:
    assert "Tuning is not a database" in advice(a_report("fact-lookup"))[1]


def test_the_task_can_be_said_when_it_was_guessed_wrongly() -> None:
    report = a_report("classification", labels=LABELS)
    assert advice(report, "extraction")[0] == "This is extraction: aim for 500 rows or more."


@pytest.mark.parametrize("report", [a_report(None), a_report("poetry"), a_report("chat", examples=0)])
def test_nothing_is_said_where_nothing_is_known(report: Report) -> None:
    assert advice(report) == ()


@pytest.mark.parametrize("task", TASKS)
def test_guidance_is_short_and_says_nothing_of_the_rows(task: Task) -> None:
    said = advice(a_report(task, labels=[Label("secret label", 9, 2)]))
    assert 1 <= len(said) <= 2
    assert all(len(sentence) <= 250 for sentence in said)
    assert "secret" not in " ".join(said)


@pytest.mark.parametrize("typed", ["conditional-generation", " Conditional generation", "CONDITIONAL_GENERATION"])
def test_a_task_is_understood_however_it_is_typed(typed: str) -> None:
    assert parse_task(typed) == "conditional-generation"


def test_an_unknown_task_is_answered_with_those_there_are() -> None:
    with pytest.raises(UserError) as refused:
        parse_task("poetry")
    assert all(task in refused.value.hint for task in TASKS)
