"""The first rows of many, and how many there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from finetune.findings import ROWS_SHOWN


@dataclass(slots=True)
class FirstRows:
    """The first 20 rows that were added, and the number of all."""

    rows: list[int] = field(default_factory=list[int])
    count: int = 0

    def add(self, row: int) -> None:
        """Count a row later than those before."""
        self.count += 1
        if len(self.rows) < ROWS_SHOWN:
            self.rows.append(row)

    def join(self, other: FirstRows) -> None:
        """Count the rows of `other` as well, none of which is here."""
        self.count += other.count
        self.rows = sorted(self.rows + other.rows)[:ROWS_SHOWN]
