"""Some rows of a file, as they stand in it: what a finding's numbers point at, for the person who is to mend them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from finetune.checking.sensitive import sensitive_rows
from finetune.containers import jsonl
from finetune.containers.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from finetune.findings import Finding
    from finetune.report import Report

ROWS_MAX: Final = 5
ROWS_OF_A_FINDING: Final = 2
PACKED_MAX_BYTES: Final = 1024 * 1024

Hidden = Literal["", "sensitive", "broken", "too-far"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One row for a person's eyes: its number, its text, and what was found of it.

    `hidden` says why there is no text: it holds what nobody should read in passing, the container is broken there, or
    it was not reached.
    """

    number: int
    messages: tuple[str, ...]
    text: str = ""
    hidden: Hidden = ""


def may_be_opened(report: Report, size_bytes: int) -> bool:
    """Return whether a file's first rows come at once: a large workbook is opened whole before its first row comes."""
    return report.container not in {"xlsx", "parquet"} or size_bytes <= PACKED_MAX_BYTES


def rows_worth_showing(report: Report) -> dict[int, tuple[str, ...]]:
    """Return the first rows of a report's errors and warnings, with what is wrong with each: five at most.

    What is found in every row says nothing of one, and is left out.
    """
    telling = [finding for finding in report.findings if _tells(finding, report)]
    numbers = list(dict.fromkeys(row for finding in telling for row in finding.rows[:ROWS_OF_A_FINDING]))[:ROWS_MAX]
    return {
        number: tuple(finding.message for finding in telling if number in finding.rows) for number in sorted(numbers)
    }


def excerpt(
    blocks: Iterable[bytes], filename: str, wanted: dict[int, tuple[str, ...]], *, go_on: Callable[[], bool]
) -> list[Shown]:
    """Return the rows of some numbers, read for as long as `go_on` says so."""
    found: dict[int, Shown] = {}
    rows = Rows(blocks, filename)
    for number, row in rows:
        if number in wanted:
            found[number] = _shown(number, wanted[number], row)
        if len(found) == len(wanted) or not go_on():
            break
    return [found.get(number) or Shown(number, messages, hidden="too-far") for number, messages in wanted.items()]


def _tells(finding: Finding, report: Report) -> bool:
    is_grave = finding.severity != "advice"
    return is_grave and bool(finding.rows) and (finding.count < report.rows or report.rows <= ROWS_OF_A_FINDING)


def _shown(number: int, messages: tuple[str, ...], row: object) -> Shown:
    if not isinstance(row, bytes):
        return Shown(number, messages, hidden="broken")
    value, _ = jsonl.parse(row, number)
    text = row.decode("utf-8", "replace") if value is None else json.dumps(value, ensure_ascii=False)
    return Shown(number, messages, hidden="sensitive") if sensitive_rows([text]) else Shown(number, messages, text)
