"""Why a file is not read, or not read further."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """A finding about a whole file, before its rows are known: code, sentence and hint."""

    code: str
    message: str
    hint: str


EMPTY: Final = Refusal("empty-file", "The file is empty.", "Save the examples in it, and try again.")
TOO_MUCH: Final = Refusal(
    "suspicious-archive",
    "Opening the file takes more memory or time than a dataset of its size needs.",
    "Save the rows as CSV or JSONL, and drop that.",
)
DAMAGED: Final = Refusal(
    "unknown-format",
    "The file is damaged, or not what it begins as; it cannot be opened.",
    "Open it where it was made, save it again, and drop that.",
)


class UnreadableError(Exception):
    """What was read so far is all that can be read of a file; raised among its rows, and made a finding there."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
