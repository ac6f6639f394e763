"""Rows that must not be learnt are found among those that are: exactly, but for case and blanks, or nearly."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from tests.finetune.rows import chat, found, jsonl, message, pair, report_of

if TYPE_CHECKING:
    from finetune.report import Report

COMPLAINTS = (
    "The delivery man left my parcel with a neighbour whom I have never met in my life",
    "주문한 주전자가 도착했는데 뚜껑이 깨져 있어서 물을 끓일 수가 없습니다",
    "昨日の夜に注文した商品の届け先の住所を新しい住所に変更したいと思っています",
)


def complaint(text: str, system: str = "You help.") -> dict[str, Any]:
    return {"messages": [message("system", system), message("user", text), message("assistant", "We look into it.")]}


LEARNT = jsonl([*map(chat, range(60)), *map(complaint, COMPLAINTS)])


def overlap(*held: dict[str, Any]) -> Report:
    return report_of(LEARNT, validation=[jsonl([chat(900), *held])], alone=True)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_row_that_is_in_both_files_is_an_error_whatever_its_system_message(number: int) -> None:
    report = overlap(complaint(COMPLAINTS[number - 1], system="Another one."))
    finding = found(report)["train-validation-overlap"]
    assert (finding.severity, finding.rows, finding.count) == ("error", (60 + number,), 1)
    assert finding.hint.startswith(f"Row {60 + number} is row 2 of the validation file.")
    assert report.verdict == "rejected"


@pytest.mark.parametrize("text", [COMPLAINTS[0].upper(), "  ".join(COMPLAINTS[0].split(" "))])
def test_case_and_blanks_make_no_difference(text: str) -> None:
    assert found(overlap(complaint(text)))["train-validation-overlap"].severity == "error"


def test_how_a_text_is_encoded_makes_no_difference() -> None:
    decomposed = unicodedata.normalize("NFD", COMPLAINTS[1])
    assert decomposed != COMPLAINTS[1]
    assert found(overlap(complaint(decomposed)))["train-validation-overlap"].rows == (62,)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_row_that_is_nearly_in_both_files_is_a_warning(number: int) -> None:
    report = overlap(complaint(f"{COMPLAINTS[number - 1]}!!"), complaint(f"{COMPLAINTS[number - 1]} 네"))
    finding = found(report)["train-validation-overlap"]
    assert finding.rows == (60 + number,)
    assert (finding.severity, report.verdict) == ("warning", "accepted")
    assert "nearly" in finding.message


def test_files_that_share_nothing_have_no_overlap_and_other_formats_are_compared() -> None:
    assert overlap(chat(901)).findings == ()
    shared = {"prompt": COMPLAINTS[0], "completion": "We look into it."}
    assert found(overlap(shared))["train-validation-overlap"].rows == (61,)


def test_many_rows_in_both_are_counted_and_the_first_are_named() -> None:
    rows = [*map(pair, range(3_000))]
    finding = found(report_of(jsonl(rows), test=[jsonl(rows[500:2_500])]))["train-test-overlap"]
    assert (finding.count, finding.rows) == (2_000, tuple(range(501, 521)))
    assert "Row 501 is row 1 of the test file." in finding.hint


def test_a_file_held_out_that_cannot_be_read_is_said() -> None:
    report = report_of(LEARNT, validation=[b"%PDF-1.7"], test=[b"\xff\xfe"], alone=True)
    assert [doubt.partition(":")[0] for doubt in report.doubts] == [
        "The validation file was not read to its end",
        "No example could be read in the test file.",
    ]
    assert report.verdict == "accepted"
