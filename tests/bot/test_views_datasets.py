"""The reply to a dropped file, read as the person who dropped it reads it."""

from __future__ import annotations

import pytest

from bot.views.datasets import dataset_card
from finetune.findings import Finding, Severity
from finetune.report import PriceRange
from jobstore.refusals import Refusal
from tests.bot.cards import LABELS, a_dataset, a_finding, a_report, buttons, shown


def test_a_file_on_its_way_is_named_with_its_size() -> None:
    card = dataset_card(a_dataset("received", declared_bytes=3_400_000), None, model_labels=LABELS)
    assert shown(card) == "Got *tickets.csv* (3.4 MB). Fetching it now."


def test_a_check_says_how_far_it_is() -> None:
    card = dataset_card(a_dataset("checking", rows_seen=40_000), None, model_labels=LABELS)
    assert shown(card) == card.text == "Checking *tickets.csv*: 40,000 rows so far."
    assert buttons(card) == {}


@pytest.mark.parametrize(
    ("expected", "said"),
    [(111_826, "40,000 of about 112,000 rows"), (40_010, "40,000 rows so far"), (0, "40,000 rows so far")],
)
def test_a_check_says_of_about_how_many_rows_where_it_can_tell(expected: int, said: str) -> None:
    card = dataset_card(a_dataset("checking", rows_seen=40_000, rows_expected=expected), None, model_labels=LABELS)
    assert shown(card) == f"Checking *tickets.csv*: {said}."


def test_a_clean_dataset_has_its_price_and_a_button() -> None:
    card = dataset_card(a_dataset("accepted"), a_report(), model_labels=LABELS)
    assert shown(card) == (
        "*1,204 rows · chat · 412k tokens.* Ready to train.\n"
        "3 epochs: about $3.71 on gpt-4o-mini, about $3.71 on gpt-4.1-mini.\n"
        "d12 · tickets.csv · longest row 900 tokens · prices of 2026-11-15\n"
        "[Train…]\n"
        "[⋯ Split: train, validation, test, One example per reply, Convert to prompt and completion]"
    )
    assert card.text == "tickets.csv: *1,204 rows · chat · 412k tokens.* Ready to train."
    assert buttons(card)["train"]["value"] == "dataset:d12"
    assert buttons(card)["train"]["style"] == "primary"


def test_only_models_on_offer_are_priced() -> None:
    card = dataset_card(a_dataset("accepted"), a_report(), model_labels={"gpt-4o-mini-2024-07-18": "gpt-4o-mini"})
    assert "3 epochs: about $3.71 on gpt-4o-mini.\n" in shown(card)


def test_without_labels_every_price_of_the_report_is_shown() -> None:
    card = dataset_card(a_dataset("accepted"), a_report(), model_labels={})
    assert "3 epochs: about $3.71 on gpt-4o-mini, about $3.71 on gpt-4.1-mini.\n" in shown(card)


def test_training_that_costs_nothing_is_called_free() -> None:
    report = a_report(price_usd={"toy-gpt": PriceRange(0, 0)})
    card = dataset_card(a_dataset("accepted"), report, model_labels={"toy-gpt": "Toy model"})
    assert "Training is free on Toy model." in shown(card)
    assert "[Train (free)…]" in shown(card)


@pytest.mark.parametrize("expected_s", [float("inf"), float("nan"), -1.0])
def test_time_that_is_none_is_not_said(expected_s: float) -> None:
    report = a_report(price_usd={"toy-gpt": PriceRange(0, 0)})
    card = dataset_card(a_dataset("accepted", expected_s=expected_s), report, model_labels={"toy-gpt": "Toy model"})
    assert "[Train (free)…]" in shown(card)


@pytest.mark.parametrize(
    ("expected_s", "about"),
    [(0.4, "5 s"), (13.6, "15 s"), (30.1, "40 s"), (60, "60 s"), (61, "2 min"), (5401, "1 h 40 min")],
)
def test_training_that_costs_nothing_says_how_long_it_takes_where_that_is_known(expected_s: float, about: str) -> None:
    report = a_report(price_usd={"toy-gpt": PriceRange(0, 0)})
    record = a_dataset("accepted", expected_s=expected_s)
    card = dataset_card(record, report, model_labels={"toy-gpt": "Toy model"})
    assert f"[Train (free, about {about})…]" in shown(card)


def test_an_estimate_is_a_range_and_says_about() -> None:
    report = a_report(price_usd={"gpt-4o-mini-2024-07-18": PriceRange(3.4, 3.9)}, counted_with="estimate")
    card = dataset_card(a_dataset("accepted"), report, model_labels=LABELS)
    assert "about 412k tokens.*" in shown(card)
    assert "$3.40–3.90 on gpt-4o-mini" in shown(card)  # noqa: RUF001


def test_errors_block_training_and_say_what_to_do() -> None:
    report = a_report(a_finding(17), a_finding(40))
    card = dataset_card(a_dataset("rejected"), report, model_labels=LABELS)
    assert shown(card) == (
        "*1,204 rows · chat · 412k tokens.* 2 errors block training.\n"
        "*Error:* Row 17 has no assistant reply.\nAdd the reply to learn.\n"
        "*Error:* Row 40 has no assistant reply.\nAdd the reply to learn.\n"
        "d12 · tickets.csv · longest row 900 tokens\n"
        "[Show rows]"
    )
    assert [*buttons(card)] == ["show_rows"]


def test_errors_come_before_warnings_and_advice() -> None:
    findings = [a_finding(3, Severity.ADVICE), a_finding(2, Severity.WARNING), a_finding(1)]
    text = shown(dataset_card(a_dataset("rejected"), a_report(*findings), model_labels=LABELS))
    assert "1 error blocks training." in text
    assert text.index("*Error:* Row 1") < text.index("*Warning:* Row 2") < text.index("*Advice:* Row 3")


def test_warnings_do_not_block() -> None:
    card = dataset_card(a_dataset("accepted"), a_report(a_finding(3, Severity.WARNING)), model_labels=LABELS)
    assert "Ready to train, with 1 warning." in shown(card)
    assert "train" in buttons(card)


def test_a_finding_of_many_rows_lists_more_of_them_than_its_sentence() -> None:
    rows = tuple(range(1, 21))
    finding = Finding("x", Severity.WARNING, rows, 212, "Rows 1, 2, 3 and 209 more repeat an earlier row.", "Keep one.")
    text = shown(dataset_card(a_dataset("accepted"), a_report(finding), model_labels=LABELS))
    assert "Keep one.\nRows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 202 more." in text


def test_a_finding_of_every_row_lists_none() -> None:
    finding = Finding("x", Severity.ADVICE, tuple(range(1, 21)), 1204, "Every row has no system message.", "Add one.")
    text = shown(dataset_card(a_dataset("accepted"), a_report(finding), model_labels=LABELS))
    assert "*Advice:* Every row has no system message.\nAdd one.\n3 epochs" in text


def test_eight_findings_are_shown_and_the_rest_named_with_their_rows() -> None:
    report = a_report(*(a_finding(row) for row in range(1, 12)))
    text = shown(dataset_card(a_dataset("rejected"), report, model_labels=LABELS))
    assert text.count("*Error:*") == 8
    assert "And 3 more: assistant-missing (1 row), assistant-missing (1 row), assistant-missing (1 row)." in text
    assert "11 errors block training." in text


def test_column_names_in_a_finding_are_set_as_code() -> None:
    finding = Finding("x", Severity.ERROR, (), 1, "The file has no `prompt`.", "Name it `prompt` or `messages`.")
    text = shown(dataset_card(a_dataset("rejected"), a_report(finding), model_labels=LABELS))
    assert "*Error:* The file has no `prompt`.\nName it `prompt` or `messages`." in text


def test_an_unreadable_file_says_why_and_what_to_do() -> None:
    refusal = Refusal(code="binary", message="It is not text.", hint="Export it as JSONL.")
    card = dataset_card(a_dataset("unreadable", refusal=refusal), None, model_labels=LABELS)
    assert shown(card) == "I could not read *tickets.csv*. It is not text.\nExport it as JSONL.\nd12"
    assert buttons(card) == {}


def test_a_file_without_one_example_shows_its_findings() -> None:
    report = a_report(a_finding(1), examples=0, format=None)
    text = shown(dataset_card(a_dataset("unreadable"), report, model_labels=LABELS))
    assert "No row can be read as a training example." in text
    assert "Row 1 has no assistant reply." in text


def test_the_same_bytes_again_point_to_the_first_check() -> None:
    card = dataset_card(a_dataset("accepted", same_as="dataset:d3"), a_report(), model_labels=LABELS)
    assert shown(card).startswith("Already checked: the same bytes as d3.\n*1,204 rows · chat")
    assert buttons(card)["train"]["value"] == "dataset:d12"


def test_a_broadcast_as_a_file_name_reaches_nobody() -> None:
    card = dataset_card(a_dataset("accepted", filename="<!channel>.jsonl"), a_report(), model_labels=LABELS)
    assert "&lt;!channel&gt;.jsonl" in shown(card)
    assert "<!channel>" not in shown(card) + card.text


def test_what_the_rows_seem_to_teach_is_said_with_what_to_aim_for() -> None:
    report = a_report(task="extraction", examples=200)
    said = shown(dataset_card(a_dataset("accepted"), report, model_labels=LABELS))
    assert "This looks like extraction: aim for 500 rows or more." in said
    told = shown(dataset_card(a_dataset("accepted"), report, model_labels=LABELS, task="open-ended"))
    assert "This is open-ended writing" in told
    assert "extraction" not in told
