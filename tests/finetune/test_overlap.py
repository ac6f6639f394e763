"""Rows that two files share: found however they are written, and only those."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from finetune.overlap import shared_rows


def lines(*rows: object) -> list[bytes]:
    return [json.dumps(row).encode() + b"\n" for row in rows]


def test_rows_of_both_files_are_named_by_their_numbers() -> None:
    train = lines({"prompt": "a", "completion": "1"}, {"prompt": "b", "completion": "2"})
    valid = lines({"prompt": "c", "completion": "3"}, {"prompt": "b", "completion": "2"}, {"prompt": "a"})
    assert shared_rows(train, valid) == [2]


def test_the_same_row_written_otherwise_is_the_same() -> None:
    train = ['{"prompt": "Ｈello  there", "completion": "caf\u00e9"}'.encode()]  # noqa: RUF001
    valid = [b'{ "completion":"CAFE\xcc\x81" , "prompt":"hello there" }']
    assert shared_rows(train, valid) == [1]


@given(st.lists(st.integers(), unique=True), st.lists(st.integers(), unique=True))
def test_what_is_shared_is_what_both_have(train: list[int], valid: list[int]) -> None:
    expected = [number for number, row in enumerate(valid, start=1) if row in train]
    assert shared_rows(lines(*train), lines(*valid)) == expected


@given(st.lists(st.binary()), st.lists(st.binary()))
def test_any_bytes_are_compared(train: list[bytes], valid: list[bytes]) -> None:
    shared_rows(train, valid)
    assert shared_rows(train, train) == list(range(1, len(train) + 1))
