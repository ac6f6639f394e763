"""Which rows are asked, and what they should be answered with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.contract import PromptContract
from finetune.held_out import HeldOutRow, chosen, read_row

CHAT = PromptContract(kind="chat", system="Route it.")
PAIRS = PromptContract(kind="completion", separator=" ->", stop=("\n",))


def chat(question: Any, answer: Any, system: str | None = None) -> bytes:
    first = [] if system is None else [{"role": "system", "content": system}]
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": [*first, *turns]}).encode()


def pair(prompt: str, completion: Any) -> bytes:
    return json.dumps({"prompt": prompt, "completion": completion}).encode()


@pytest.mark.parametrize(
    ("line", "contract", "row"),
    [
        (chat("Where?", " billing\n", "Route it."), CHAT, HeldOutRow("Where?", "billing")),
        (chat("Where?", "billing", "Be kind."), CHAT, HeldOutRow("Where?", "billing", "Be kind.")),
        (chat("Where?", "billing"), CHAT, HeldOutRow("Where?", "billing")),
        (pair("Where? ->", " billing\n"), PAIRS, HeldOutRow("Where?", "billing")),
        (pair("Where? ->", " \n"), PAIRS, None),
        (chat("Where?", None), CHAT, None),
        (chat("Where?", "  "), CHAT, None),
        (chat([{"type": "text", "text": "Where?"}], "billing"), CHAT, None),
        (b"not json", CHAT, None),
        (b"[]", PAIRS, None),
        (pair("", "billing"), PAIRS, None),
        (pair("Where? ->", 7), PAIRS, None),
    ],
)
def test_a_row_is_a_question_and_its_answer(line: bytes, contract: PromptContract, row: HeldOutRow | None) -> None:
    assert read_row(line, contract) == row


def labelled(rows: int, *labels: str) -> list[bytes]:
    return [chat(f"ticket {number}", labels[number % len(labels)]) for number in range(rows)]


def test_rows_are_drawn_by_the_seed() -> None:
    lines = labelled(50, "a", "b")
    drawn, total = chosen(lines, CHAT, limit=10, seed=7)
    assert (len(drawn), total) == (10, 50)
    assert chosen(lines, CHAT, limit=10, seed=7) == (drawn, 50)
    assert chosen(lines, CHAT, limit=4, seed=7)[0] == drawn[:4]
    assert chosen(lines, CHAT, limit=10, seed=8)[0] != drawn


@given(st.integers(0, 80), st.integers(1, 100), st.integers(0, 9))
def test_no_row_is_drawn_twice_and_none_is_left_where_there_is_room(rows: int, limit: int, seed: int) -> None:
    lines = labelled(rows, "a")
    drawn, total = chosen([*lines, b"broken"], CHAT, limit=limit, seed=seed)
    assert total == rows
    assert len({row.question for row in drawn}) == len(drawn) == min(rows, limit)
