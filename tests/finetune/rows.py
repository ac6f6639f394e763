"""Rows for datasets, and the check called as the tests need it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from finetune.catalogue import Catalogue
from finetune.check import check

if TYPE_CHECKING:
    from finetune.findings import Finding
    from finetune.report import Report

MANY_PAIRS = 501
"""One more than are advised of prompts and completions."""

WORDS = ("red kettle", "old teapot", "new ladder", "blue chair", "wide mirror")

CATALOGUE = Catalogue.load()


def message(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def chat(number: int = 0, *extra: dict[str, Any], **columns: Any) -> dict[str, Any]:
    """A whole chat row; `number` makes it unlike the others, `extra` messages follow."""
    messages = [message("system", "You sort tickets."), message("user", f"Ticket {number}: it is broken."), *extra]
    return {"messages": messages if extra else [*messages, message("assistant", f"Desk {number}.")], **columns}


def pair(number: int = 0, **columns: Any) -> dict[str, Any]:
    """A whole pair that no rule about pairs finds anything in, among others of its kind."""
    return {"prompt": f"Ticket {number} ->", "completion": f" {WORDS[number % 5]} {number} END", **columns}


def jsonl(rows: list[Any]) -> bytes:
    """Rows as a file; what is bytes already is put in as it stands."""
    return b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)


def with_row(row: Any, *, at: int = 17, of: int = 60) -> bytes:
    """A file of good chat rows with `row` on line `at`."""
    return jsonl([*map(chat, range(1, at)), row, *map(chat, range(at + 1, of + 1))])


def with_pair(row: Any, *, at: int = 17, of: int = MANY_PAIRS) -> bytes:
    return jsonl([*map(pair, range(1, at)), row, *map(pair, range(at + 1, of + 1))])


def report_of(content: bytes, *, filename: str = "data.jsonl", **more: Any) -> Report:
    return check([content], filename=filename, catalogue=CATALOGUE, **more)


def found(report: Report) -> dict[str, Finding]:
    """The findings by code; no code comes twice."""
    by_code = {finding.code: finding for finding in report.findings}
    assert len(by_code) == len(report.findings)
    return by_code
