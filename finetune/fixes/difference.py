"""What became of a file's rows on the way to a new version: what was changed, by row, and where each line came from."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from finetune.findings import ROWS_SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from finetune.fixes.row import Row

RUNS_MAX: Final = 20_000
"""Of a version whose lines are out of step with the original's rows more often, where a line came from is not kept."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one fix or conversion did, or why rows were left out.

    `rows` are the first 20 that it touched, by their numbers in the original; `count` is how many there are.
    """

    code: str
    rows: tuple[int, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A new version beside the file it was made from.

    `rows_before` counts the rows that were there, `rows_after` the lines that are. `runs` are (line, row): from that
    line on, lines are the original's rows from that row on, one by one.
    """

    rows_before: int
    rows_after: int
    changes: tuple[Change, ...] = ()
    runs: tuple[tuple[int, int], ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Return whether the new version would say what the old one says."""
        return not self.changes

    def row_of(self, line: int) -> int | None:
        """Return the original's row that a line of the new version was made from, None where that is not known."""
        at = bisect_right(self.runs, line, key=lambda run: run[0]) - 1
        if at < 0 or line > self.rows_after:
            return None
        first_line, first_row = self.runs[at]
        return first_row + line - first_line


@dataclass(slots=True)
class _Touched:
    rows: list[int] = field(default_factory=list[int])
    count: int = 0


class Tally:
    """Counts what was done to rows while they go by."""

    def __init__(self) -> None:
        self._touched: dict[str, _Touched] = {}
        self._runs: list[tuple[int, int]] = []
        self._before = 0
        self._after = 0
        self._last = 0

    def lines(self, rows: Iterable[Row]) -> Iterator[bytes]:
        """Yield the lines of the rows that are kept, as JSONL."""
        for row in rows:
            is_new = row.number != self._last
            self._before += is_new
            for code in row.touched if is_new else ():
                self._count(code, row.number)
            self._last = row.number
            if row.line is not None:
                self._follow(row.number)
                yield row.line + b"\n"

    def difference(self) -> Difference:
        """Return what was counted, by code."""
        changes = [Change(code, tuple(touched.rows), touched.count) for code, touched in self._touched.items()]
        runs = tuple(self._runs) if len(self._runs) <= RUNS_MAX else ()
        return Difference(self._before, self._after, tuple(sorted(changes, key=lambda change: change.code)), runs)

    def _count(self, code: str, row: int) -> None:
        touched = self._touched.setdefault(code, _Touched())
        touched.count += 1
        if len(touched.rows) < ROWS_SHOWN:
            touched.rows.append(row)

    def _follow(self, row: int) -> None:
        self._after += 1
        if len(self._runs) > RUNS_MAX:
            return
        if not self._runs or self._runs[-1][1] + self._after - self._runs[-1][0] != row:
            self._runs.append((self._after, row))
