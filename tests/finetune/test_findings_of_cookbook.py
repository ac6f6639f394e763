"""What OpenAI's cookbook notebook finds in chat rows is found here, in the same rows, without its mistakes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.finetune.cookbook import cookbook
from tests.finetune.rows import found, jsonl, report_of

FILES = 200
CODES = {
    "not-an-object",
    "messages-missing",
    "message-key-missing",
    "message-key-unknown",
    "role-unknown",
    "content-missing",
    "assistant-missing",
    "system-missing",
    "user-missing",
}
CALL = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}


def some_message(draw: random.Random, role: str, number: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": role, "content": f"{role} says {number}"}
    match draw.randint(0, 60):
        case 0:
            del message["content"]
        case 1:
            del message["role"]
        case 2:
            message["mood"] = "bad"
        case 3:
            message["role"] = draw.choice(["robot", "User", "gpt"])
        case 4:
            message["content"] = draw.choice(["", None, 0, [], 7])
        case 5:
            message["name"] = "mina"
        case 6:
            message["content"] = [{"type": "text", "text": f"part {number}"}]
        case 7 if role == "assistant":
            message["content"], message["tool_calls"] = None, [CALL]
        case _:
            pass
    return message


def some_rows(seed: int) -> list[Any]:
    """A file of chat rows with a mixture of faults, the same for a seed."""
    draw = random.Random(seed)
    rows: list[Any] = []
    for number in range(draw.randint(3, 40)):
        roles = ["system", *["user", "assistant"] * draw.randint(1, 3)]
        if draw.random() < 0.1:
            roles.remove(draw.choice(roles))
        row: Any = {"messages": [some_message(draw, role, number) for role in roles]}
        odd: list[Any] = [[], {"messages": []}, {"messages": None}, 5]
        rows.append(draw.choice(odd) if draw.random() < 0.04 else row)
    return rows


@pytest.mark.parametrize("block", range(4))
def test_what_the_notebook_finds_is_found_here_and_nothing_else_of_its_kind(block: int) -> None:
    for seed in range(block * FILES // 4, (block + 1) * FILES // 4):
        rows = some_rows(seed)
        if not any(isinstance(row, dict) for row in rows):
            continue
        ours = found(report_of(jsonl(rows), alone=True))
        theirs = cookbook(rows)
        assert {code: finding.count for code, finding in ours.items() if code in CODES} == {
            code: len(numbers) for code, numbers in theirs.items()
        }, f"file {seed}"
        for code, numbers in theirs.items():
            assert ours[code].rows == tuple(numbers[:20]), f"file {seed}: {code}"


def test_the_files_have_every_fault_many_times() -> None:
    met = [code for seed in range(FILES) for code in cookbook(some_rows(seed))]
    assert {code for code in CODES if met.count(code) < 5} == set()
