"""Every template's sample is a dataset that one could train on at once, and says what it says it does."""

from __future__ import annotations

import json

import pytest

from finetune.errors import UserError
from finetune.findings import Severity
from finetune.templates.shelf import LANGUAGES, SAMPLES, TEMPLATES, Sample, Template, find_sample
from tests.finetune.rows import report_of

EVERY = [(template, sample) for template in TEMPLATES for sample in template.samples]
NAMES = [sample.name for _, sample in EVERY]
TOO_SHORT = {"class-too-small"}
"""What a sample of a screen or two cannot help, and is told: a class wants 100 rows."""

SCRIPTS = {"ko": range(0xAC00, 0xD7A4), "ja": range(0x3040, 0x3100)}


@pytest.mark.parametrize("model", ["gpt-4o-mini", "toy-gpt"])
@pytest.mark.parametrize(("template", "sample"), EVERY, ids=NAMES)
def test_a_sample_checks_without_error_or_warning_but_that_it_is_short(
    template: Template, sample: Sample, model: str
) -> None:
    report = report_of(sample.content(), filename=sample.filename, models=[model])
    assert report.verdict == "accepted"
    assert {finding.code for finding in report.findings if finding.severity is not Severity.ADVICE} <= TOO_SHORT
    assert 30 <= report.examples <= 60
    assert report.contract is not None
    assert report.contract.system
    if template.task == "classification":
        assert len(report.contract.labels) > 1
        assert report.contract.has_single_token_labels


@pytest.mark.parametrize(("template", "sample"), EVERY, ids=NAMES)
def test_no_row_of_a_sample_resembles_another(template: Template, sample: Sample) -> None:
    codes = {finding.code for finding in report_of(sample.content()).findings}
    assert not codes & {"near-duplicate", "duplicate-row", "conflicting-label", "secret-in-data", "personal-data"}


@pytest.mark.parametrize(("template", "sample"), EVERY, ids=NAMES)
def test_a_sample_is_in_its_language(template: Template, sample: Sample) -> None:
    texts = [json.loads(line)["messages"][1]["content"] for line in sample.content().splitlines()]
    for language, script in SCRIPTS.items():
        written = sum(any(ord(character) in script for character in text) for text in texts)
        assert written == (len(texts) if sample.language == language else 0)


def test_classes_of_a_sample_are_of_about_one_size() -> None:
    for template, sample in EVERY:
        if template.task == "classification":
            contract = report_of(sample.content()).contract
            assert contract is not None
            rows = [label.rows for label in contract.labels]
            assert max(rows) <= 1.5 * min(rows), sample.name


def test_a_third_of_the_questions_and_more_have_no_answer() -> None:
    content = find_sample("question-answering")[1].content()
    answers = [json.loads(line)["messages"][-1]["content"] for line in content.splitlines()]
    unanswered = answers.count("The text does not say.")
    assert len(answers) / 3 <= unanswered <= len(answers) * 0.6


def test_every_file_of_rows_belongs_to_a_template() -> None:
    assert sorted(path.stem for path in SAMPLES.iterdir()) == sorted(NAMES)
    assert {sample.language for _, sample in EVERY} == set(LANGUAGES)


@pytest.mark.parametrize("typed", ["sentiment-ko", " Sentiment_KO ", "sentiment-ko.jsonl", "sentiment ko"])
def test_a_sample_is_found_however_it_is_typed(typed: str) -> None:
    assert find_sample(typed)[1].filename == "sentiment-ko.jsonl"


def test_a_name_that_is_none_is_told_what_was_meant() -> None:
    with pytest.raises(UserError) as refused:
        find_sample("sentimental")
    assert refused.value.hint == "Did you mean sentiment?"
    with pytest.raises(UserError) as refused:
        find_sample("xyz")
    assert "ad-truthfulness" in refused.value.hint
