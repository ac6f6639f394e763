"""One problem in a dataset, as a value: what it is, which rows have it, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ROWS_SHOWN = 20
"""A finding carries at most this many row numbers: enough to open the file and see; `count` has them all."""


class Severity(StrEnum):
    """How much a finding matters: an error blocks the launch, the others do not."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem, with the rows that have it.

    `rows` holds the first 20 at most, numbered as a person finds them in the file (JSONL: the line, blank lines
    counted), empty where the whole file is meant; `count` is how many rows have it, 1 for the whole file. `message` is
    a sentence without any content of the rows, so it may be shown in a channel and logged; `hint` says what to do.
    """

    code: str
    severity: Severity
    rows: tuple[int, ...]
    count: int
    message: str
    hint: str
    fixable: bool = False
