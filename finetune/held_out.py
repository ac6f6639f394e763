"""Rows kept out of training, as questions with the answers they should get."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from finetune.formats.question import question_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.contract import PromptContract


@dataclass(frozen=True, slots=True)
class HeldOutRow:
    """What is asked, what should come back, and the row's own system message (None: the contract's)."""

    question: str
    expected: str
    system: str | None = None


def chosen(lines: Iterable[bytes], contract: PromptContract, *, limit: int, seed: int) -> tuple[list[HeldOutRow], int]:
    """Return at most `limit` rows that can be asked, drawn by `seed`, and how many there are.

    The same lines and seed give the same rows in the same order, and a smaller limit the first of them.
    """
    readable = ((number, row) for number, line in enumerate(lines) if (row := read_row(line, contract)))
    total = 0

    def ranked() -> Iterable[tuple[bytes, int, HeldOutRow]]:
        nonlocal total
        for number, row in readable:
            total += 1
            yield hashlib.blake2b(f"{seed} {number}".encode(), digest_size=16).digest(), number, row

    drawn = heapq.nsmallest(limit, ranked(), key=lambda one: one[:2])
    return [row for _, _, row in drawn], total


def read_row(line: bytes, contract: PromptContract) -> HeldOutRow | None:
    """Return a row of training data as question and answer; None where it is none that one message could ask."""
    question = question_of(line, contract)
    if not question:
        return None
    fields: Any = msgspec.json.decode(line)
    if contract.kind == "completion":
        answer = _without_stop(fields.get("completion"), contract)
        return HeldOutRow(question, answer) if answer else None
    messages: list[dict[str, Any]] = fields["messages"]
    answer = messages[-1].get("content")
    system = next((one.get("content") for one in messages if one.get("role") in ("system", "developer")), None)
    if not isinstance(answer, str) or not answer.strip() or not isinstance(system, str | None):
        return None
    return HeldOutRow(question, answer.strip(), None if system == contract.system else system)


def _without_stop(completion: Any, contract: PromptContract) -> str:
    if not isinstance(completion, str):
        return ""
    for stop in contract.stop:
        completion = completion.removesuffix(stop)
    return completion.strip()
