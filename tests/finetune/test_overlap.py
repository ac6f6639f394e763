"""Rows that two files share: found however they are written, and only those."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from finetune.checking.overlaps import shared_rows
from finetune.containers.rows import Rows


def shared(train: list[bytes], valid: list[bytes]) -> list[int]:
    return shared_rows(Rows(train, "train.jsonl"), Rows(valid, "valid.jsonl"))


def lines(*prompts: object) -> list[bytes]:
    return [json.dumps({"prompt": f"{prompt}", "completion": "x"}).encode() + b"\n" for prompt in prompts]


def test_rows_of_both_files_are_named_by_their_numbers() -> None:
    valid = [b"\n", *lines("c", "b"), b'{"prompt": "a"}\n']
    assert shared(lines("a", "b"), valid) == [3]


def test_the_same_row_written_otherwise_is_the_same() -> None:
    train = ['{"prompt": "Ｈello  there", "completion": "caf\u00e9"}'.encode()]  # noqa: RUF001
    valid = [b'{ "completion":"CAFE\xcc\x81" , "prompt":"hello there" }']
    assert shared(train, valid) == [1]


@given(st.lists(st.integers(), unique=True), st.lists(st.integers(), unique=True))
def test_what_is_shared_is_what_both_have(train: list[int], valid: list[int]) -> None:
    expected = [number for number, row in enumerate(valid, start=1) if row in train]
    assert shared(lines(*train), lines(*valid)) == expected


@given(st.lists(st.binary()), st.lists(st.binary()))
def test_any_bytes_are_compared(train: list[bytes], valid: list[bytes]) -> None:
    shared(train, valid)
