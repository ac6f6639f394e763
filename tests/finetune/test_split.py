"""Held-out rows are drawn by the seed, leak no repeated row, and nothing is lost or changed."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.containers.refusal import UnreadableError
from finetune.formats.training_lines import training_lines
from finetune.split import TRAIN_MIN, hold_out, split_jsonl
from tests.finetune.rows import chat, jsonl, report_of

if TYPE_CHECKING:
    from collections.abc import Callable

KEYS = st.lists(st.integers(0, 40), max_size=120)
FRACTIONS = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.5, 0.95])


@settings(deadline=None)
@given(KEYS, FRACTIONS, st.integers(0, 2**31 - 1))
def test_every_example_is_on_one_side_and_equal_ones_on_the_same(keys: list[int], fraction: float, seed: int) -> None:
    train, valid = hold_out(keys, fraction, seed)
    assert sorted([*train, *valid]) == list(range(len(keys)))
    assert list(train) == sorted(train)
    assert list(valid) == sorted(valid)
    assert not {keys[index] for index in train} & {keys[index] for index in valid}
    assert len(train) >= min(TRAIN_MIN, len(keys))
    assert len(valid) <= max(1, round(fraction * len(keys)))
    assert (train, valid) == hold_out(keys, fraction, seed)


@pytest.mark.parametrize(
    ("rows", "fraction", "held_out"),
    [(100, 0.2, 20), (12, 0.5, 2), (11, 0.1, 1), (10, 0.5, 0), (9, 0.5, 0), (100, 0, 0), (60, 0.001, 1)],
)
def test_the_share_is_met_but_for_ten_rows_to_train_on(rows: int, fraction: float, held_out: int) -> None:
    train, valid = hold_out(range(rows), fraction, seed=7)
    assert (len(train), len(valid)) == (rows - held_out, held_out)


def test_another_seed_draws_other_rows() -> None:
    assert hold_out(range(100), 0.2, seed=1) != hold_out(range(100), 0.2, seed=2)


def test_the_order_of_the_rows_does_not_change_what_is_drawn() -> None:
    keys = list(range(100, 200))
    _, valid = hold_out(keys, 0.2, seed=1)
    _, reverse = hold_out(keys[::-1], 0.2, seed=1)
    assert {keys[index] for index in valid} == {keys[::-1][index] for index in reverse}


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5])
def test_a_fraction_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="shares"):
        hold_out(range(20), fraction, seed=1)


def test_lines_come_out_as_they_stand_in_order_without_blank_ones() -> None:
    lines = [f'  {{"prompt":  "질문 {number}", "completion":"\\u00e9"}} '.encode() for number in range(40)]
    content = b"\xef\xbb\xbf" + b"\r\n\r\n".join(lines)
    split = split_jsonl([content[:100], content[100:]], 0.25, seed=3)
    train, valid = list(split.train), list(split.valid)
    assert (len(train), len(valid)) == (split.train_rows, split.valid_rows) == (30, 10)
    held_out = [line for line in lines if line + b"\n" in set(valid)]
    assert b"".join(valid) == b"".join(line + b"\n" for line in held_out)
    assert b"".join(train) == b"".join(line + b"\n" for line in lines if line not in held_out)


def test_rows_that_are_the_same_json_stay_together_however_they_are_written() -> None:
    rows = [chat(number) for number in range(15)]
    twice = (
        jsonl(rows)
        + b"\n"
        + b"\n".join(json.dumps(row, indent=None, separators=(", ", " : ")).encode() for row in rows)
    )
    split = split_jsonl([twice], 0.4, seed=5)
    train, valid = ({json.dumps(json.loads(line)) for line in part} for part in (split.train, split.valid))
    assert valid
    assert not train & valid


def test_a_one_time_iterator_can_be_split_too() -> None:
    content = jsonl([*map(chat, range(20))])
    split = split_jsonl((content[start : start + 7] for start in range(0, len(content), 7)), 0.2, seed=1)
    assert len(b"".join(split.train)) + len(b"".join(split.valid)) == len(content) + 1
    assert list(split.train) == list(split.train)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20), max_size=30), FRACTIONS)
def test_any_bytes_can_be_split_or_are_refused(blocks: list[bytes], fraction: float) -> None:
    try:
        split = split_jsonl(blocks, fraction, seed=1)
    except UnreadableError:
        return
    lines = [*split.train, *split.valid]
    assert all(line.strip() and line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)


@pytest.mark.parametrize(
    ("text", "encoding", "filename"),
    [
        ("Prompt,completion,id\n" + "".join(f"질문 {n},답변 {n},{n}\n" for n in range(60)), "cp949", "a.csv"),
        ("completion\tprompt\n" + "".join(f"답변 {n}\t질문 {n}\n" for n in range(60)), "utf-16", "a.tsv"),
        (
            json.dumps([{"prompt": f"질문 {n}", "completion": f"답변 {n}"} for n in range(60)], indent=2),
            "utf-8-sig",
            "a.json",
        ),
        (
            "\n".join(json.dumps({"prompt": f"질문 {n}", "completion": f"답변 {n}"}) for n in range(60)),
            "utf-8",
            "a.jsonl",
        ),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_is_launched_is_what_was_checked_whatever_held_it(
    text: str, encoding: str, filename: str, pack: Callable[[bytes], bytes]
) -> None:
    content = pack(text.encode(encoding))
    assert report_of(content, filename=filename).examples == 60
    split = split_jsonl([content], 0.2, seed=3, filename=filename, format_name="prompt-completion")
    assert (split.train_rows, split.valid_rows) == (48, 12)
    launched = [json.loads(line) for line in (*split.train, *split.valid)]
    expected = [{"prompt": f"질문 {n}", "completion": f"답변 {n}"} for n in range(60)]
    assert sorted(launched, key=lambda row: int(row["prompt"][3:])) == expected


def test_plain_text_is_launched_as_completions_without_prompts() -> None:
    lines = training_lines([b"one\ntwo\n"], "a.txt", "prompt-completion")
    assert list(lines) == [(1, b'{"prompt":"","completion":"one"}'), (2, b'{"prompt":"","completion":"two"}')]


def test_what_cannot_be_read_to_its_end_is_not_launched() -> None:
    content = gzip.compress(jsonl([*map(chat, range(6_000))]))
    with pytest.raises(UnreadableError):
        split_jsonl([content[:-20]], 0.2, seed=1)
