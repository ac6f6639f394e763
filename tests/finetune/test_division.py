"""A line says how a dataset is divided; what cannot be done is said with what to write."""

from __future__ import annotations

import pytest

from finetune.errors import UserError
from finetune.splitting.division import TEST_USUALLY, Division, Parts, divisions, of_part
from tests.finetune.rows import chat, jsonl, report_of


def asked(**values: str) -> dict[str, Division]:
    return {one.part: one for one in divisions(values, seed=99, format_name="chat")}


def test_without_words_there_are_three_parts_by_the_usual_shares() -> None:
    found = asked()
    assert list(found) == ["test", "valid", "train"]
    assert {(one.valid, one.test, one.seed) for one in found.values()} == {(None, TEST_USUALLY, 99)}


@pytest.mark.parametrize(("typed", "share"), [("10", 0.1), ("12.5%", 0.125), (" 20 % ", 0.2), ("none", 0), ("0", 0)])
def test_shares_are_percentages(typed: str, share: float) -> None:
    assert asked(valid=typed)["train"].valid == share


def test_a_part_that_is_not_wanted_is_not_made() -> None:
    assert list(asked(valid="none")) == ["test", "train"]
    assert list(asked(test="none", seed="7")) == ["valid", "train"]
    assert asked(test="none", seed="7")["valid"].seed == 7


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"valid": "60"}, "share-invalid"),
        ({"test": "-1"}, "share-invalid"),
        ({"test": "auto"}, "share-invalid"),
        ({"valid": "nan"}, "share-invalid"),
        ({"valid": "none", "test": "0"}, "nothing-to-split"),
    ],
)
def test_shares_that_cannot_be_are_refused(values: dict[str, str], code: str) -> None:
    with pytest.raises(UserError) as refused:
        asked(**values)
    assert refused.value.code == code
    assert refused.value.hint


@pytest.mark.parametrize(("part", "verdict"), [("train", "rejected"), ("valid", "accepted"), ("test", "accepted")])
def test_few_rows_are_enough_to_measure_with(part: str, verdict: str) -> None:
    report = of_part(report_of(jsonl([*map(chat, range(4))])), part)
    assert report.verdict == verdict
    broken = of_part(report_of(jsonl([*map(chat, range(4)), {"messages": []}])), part)
    assert broken.verdict == "rejected"


def test_a_division_comes_back_from_where_it_is_kept_and_gives_its_part() -> None:
    division = Division.from_json(asked(valid="20", test="20")["test"].as_json())
    split = division.split([jsonl([*map(chat, range(60))])], "a.jsonl")
    came = Parts.of(division, split)
    assert (came.rows, came.own_rows, came.train_rows) == (60, 12, 36)
    assert len(list(division.lines(split))) == 12
