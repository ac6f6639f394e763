"""Rows that say nearly what an earlier row says, found within fixed memory whatever the size of the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from finetune.checking.windows import NONE, SKETCH_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROWS_KEPT = 250_000
"""Sketches of so many rows are kept: 22 MB, and at most 20 MB more while they are compared."""

SIMILAR = 0.65
"""Two rows are near-duplicates if they share this part of their windows, by estimate, and have the same numbers."""

_FIRST = 4
"""Rows are compared that share one of the four smallest hashes of both: of pairs that share two thirds, 97% do."""

_PASSES = 4
_PAIRS_AT_ONCE = 10_000


@dataclass(slots=True)
class NearDuplicates:
    """Sketches of rows; where there are too many, only those of every second, fourth, ... kind of row.

    Which rows stay when memory runs out follows from their smallest hash, so that near-duplicates stay or go together.
    `one_in` says how many rows there are for each one looked at.
    """

    capacity: int = ROWS_KEPT
    one_in: int = 1
    _size: int = 0
    _sketches: NDArray[np.uint32] | None = None
    _numbers: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    _rows: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype=np.uint32))

    def add(self, sketches: NDArray[np.uint32], numbers: NDArray[np.uint32], rows: NDArray[np.uint32]) -> None:
        """Remember rows by their sketches (`finetune.checking.windows`); rows without any window are like no other."""
        wanted = self._looked_at(sketches)
        sketches, numbers, rows = sketches[wanted], numbers[wanted], rows[wanted]
        while self._size + len(rows) > self.capacity:
            self.one_in *= 2
            self._thin_out()
            wanted = self._looked_at(sketches)
            sketches, numbers, rows = sketches[wanted], numbers[wanted], rows[wanted]
        if self._sketches is None:  # memory is taken by the system only where something is written
            self._sketches = np.empty((self.capacity, SKETCH_SIZE), dtype=np.uint32)
            self._numbers = np.empty(self.capacity, dtype=np.uint32)
            self._rows = np.empty(self.capacity, dtype=np.uint32)
        end = self._size + len(rows)
        self._sketches[self._size : end] = sketches
        self._numbers[self._size : end] = numbers
        self._rows[self._size : end] = rows
        self._size = end

    def pairs(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return the rows that nearly repeat an earlier one, in the order of the file, and the first such row of each.

        Rows that repeat one exactly are among them.
        """
        first = np.arange(self._size, dtype=np.uint32)
        for part in range(_PASSES):
            for earlier, later in self._candidates(part):
                near = self._shared(earlier, later) >= SIMILAR
                np.minimum.at(first, later[near], earlier[near].astype(np.uint32))
        repeated = np.flatnonzero(first != np.arange(self._size))
        return self._rows[repeated], self._rows[first[repeated]]

    def _looked_at(self, sketches: NDArray[np.uint32]) -> NDArray[np.bool_]:
        smallest = sketches[:, 0]
        return (smallest != NONE) & (smallest % np.uint32(self.one_in) == 0)

    def _thin_out(self) -> None:
        if self._sketches is None:
            return
        kept = np.flatnonzero(self._looked_at(self._sketches[: self._size]))
        for kept_in in (self._sketches, self._numbers, self._rows):
            for start in range(0, len(kept), _PAIRS_AT_ONCE):  # rows only move forwards, a piece at a time
                piece = kept[start : start + _PAIRS_AT_ONCE]
                kept_in[start : start + len(piece)] = kept_in[piece]
        self._size = len(kept)

    def _candidates(self, part: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield indices of pairs that share one of their smallest hashes, a quarter of the hashes at a time."""
        if self._sketches is None:
            return
        smallest = self._sketches[: self._size, :_FIRST]
        rows, columns = np.nonzero((smallest % np.uint32(_PASSES) == part) & (smallest != NONE))
        if not len(rows):
            return
        rows = rows.astype(np.uint32)
        keys = (smallest[rows, columns].astype(np.uint64) << np.uint64(32)) | self._numbers[rows]
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], rows[order]
        begins = np.append(np.ones(1, dtype=bool), keys[1:] != keys[:-1])
        leaders = rows[np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))]
        yield from _in_pieces(leaders[~begins], rows[~begins])
        inner = ~begins
        inner[1:] &= ~begins[:-1]  # the second of a group has its leader before it, and was yielded
        inner[:1] = False
        after = np.flatnonzero(inner)
        yield from _in_pieces(rows[after - 1], rows[after])

    def _shared(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the part of windows that each pair shares: exactly for short rows, estimated for others."""
        assert self._sketches is not None
        both = np.sort(np.hstack([self._sketches[one], self._sketches[other]]), axis=1)
        real = both != NONE
        twice = np.zeros(both.shape, dtype=bool)
        twice[:, 1:] = (both[:, 1:] == both[:, :-1]) & real[:, 1:]
        ranks = np.cumsum(~twice & real, axis=1, dtype=np.uint8)
        distinct = np.minimum(ranks[:, -1], SKETCH_SIZE)
        shared = (twice & (ranks <= SKETCH_SIZE)).sum(axis=1)
        return shared / np.maximum(distinct, 1)


def _in_pieces(
    earlier: NDArray[np.uint32], later: NDArray[np.uint32]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    for start in range(0, len(later), _PAIRS_AT_ONCE):
        piece = slice(start, start + _PAIRS_AT_ONCE)
        yield earlier[piece].astype(np.int64), later[piece].astype(np.int64)
