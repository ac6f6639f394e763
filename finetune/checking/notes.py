"""Findings while they are being gathered: by code, the first rows and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finetune.checking.rules import row_finding
from finetune.findings import ROWS_SHOWN, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.ADVICE: 2}


@dataclass(slots=True)
class _Note:
    rows: list[int] = field(default_factory=list[int])
    count: int = 0
    hint: str = ""


@dataclass(slots=True)
class Notes:
    """Codes of findings with the rows that have them."""

    _by_code: dict[str, _Note] = field(default_factory=dict[str, _Note])

    def add(self, code: str, row: int, *, hint: str = "") -> None:
        """Note that `row`, later than all before it, has `code`; of the hints given, the first is kept."""
        note = self._by_code.setdefault(code, _Note())
        note.count += 1
        if len(note.rows) < ROWS_SHOWN:
            note.rows.append(row)
        note.hint = note.hint or hint

    def count(self, code: str) -> int:
        """Return how many rows have `code`."""
        return self._by_code[code].count if code in self._by_code else 0

    def drop(self, code: str) -> None:
        """Forget `code`."""
        self._by_code.pop(code, None)

    def move(self, code: str, other: Notes, other_code: str) -> None:
        """Add the rows that have `code` to those that have `other_code` in `other`, and forget `code`."""
        moved = self._by_code.pop(code, None)
        if moved is not None:
            note = other._by_code.setdefault(other_code, _Note())
            note.rows = sorted(note.rows + moved.rows)[:ROWS_SHOWN]
            note.count += moved.count
            note.hint = note.hint or moved.hint

    def findings(self, total: int, details: Mapping[str, str]) -> list[Finding]:
        """Return the findings, for a file of `total` rows; `details` are what some sentences end with."""
        return [
            row_finding(code, tuple(note.rows), note.count, total, detail=details.get(code, ""), hint=note.hint)
            for code, note in self._by_code.items()
        ]


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings in the order a person should read them: errors first, then by row."""
    return tuple(sorted(findings, key=lambda finding: (_ORDER[finding.severity], finding.rows, finding.code)))
