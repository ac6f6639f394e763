"""Rows that repeat an earlier one, found from 64-bit keys after the file has been read."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

LARGE = 50_000
"""From here on NumPy sorts the keys: a set of Python integers would take nine times the memory."""


@dataclass(slots=True)
class Keys:
    """The keys of all examples, 8 bytes each, and the rows they stand in, another 8."""

    keys: array[int] = field(default_factory=lambda: array("Q"))
    rows: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, key: int, row: int) -> None:
        """Remember one example."""
        self.keys.append(key)
        self.rows.append(row)

    def repeats(self) -> list[tuple[int, int]]:
        """Return (row, the first row it repeats), in the order of the file."""
        return self._sorted() if len(self.keys) > LARGE else self._looked_up()

    def _looked_up(self) -> list[tuple[int, int]]:
        first: dict[int, int] = {}
        pairs = ((row, first.setdefault(key, row)) for key, row in zip(self.keys, self.rows, strict=True))
        return [(row, original) for row, original in pairs if row != original]

    def _sorted(self) -> list[tuple[int, int]]:
        import numpy as np  # noqa: PLC0415 - only large files are worth its 0.1 s

        keys, rows = np.frombuffer(self.keys, dtype=np.uint64), np.frombuffer(self.rows, dtype=np.uint64)
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        originals = rows[first][which]
        repeated = np.flatnonzero(rows != originals)
        return [(int(rows[index]), int(originals[index])) for index in repeated]
