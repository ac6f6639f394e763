"""Which rows nearly repeat one another, looked for more thoroughly than a report needs: a split must not leak.

The measure is the report's (`finetune.checking.near_duplicates`): two rows nearly repeat one another if they share
two thirds of their windows, by estimate, and have the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from finetune.checking.near_duplicates import SIMILAR
from finetune.checking.windows import NONE, SKETCH_SIZE, sketches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

ROWS_KEPT: Final = 250_000
"""Sketches of so many rows are kept: 22 MB."""

_FIRST: Final = 4
"""Rows are compared that share one of the four smallest hashes of both ..."""

_NEIGHBOURS: Final = 12
"""... with so many of those that come next and share it too: all with all where they are no more."""

_PAIRS_AT_ONCE: Final = 10_000
_BLOCK_ROWS: Final = 4_096


@dataclass
class Resemblance:
    """Sketches of rows, within fixed memory: of more than `capacity`, those of every second, fourth, ... kind of row.

    `one_in` says how many rows there are for each one that is compared.
    """

    capacity: int = ROWS_KEPT
    one_in: int = 1
    _size: int = 0
    _sketches: NDArray[np.uint32] = field(default_factory=lambda: np.empty((0, SKETCH_SIZE), dtype=np.uint32))
    _numbers: NDArray[np.uint32] = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    _rows: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def add(self, texts: Sequence[str], rows: NDArray[np.int64]) -> None:
        """Remember rows by their texts; those without any window are like no other."""
        found, numbers = sketches(texts)
        self._append(found, numbers, rows)
        while self._size > self.capacity:
            self.one_in *= 2
            self._keep(self._is_compared())

    def pairs(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Yield rows that nearly repeat one another, pair by pair."""
        smallest = self._sketches[: self._size, :_FIRST]
        places, columns = np.nonzero(smallest != NONE)
        numbers = self._numbers[places].astype(np.uint64)
        keys = (smallest[places, columns].astype(np.uint64) << np.uint64(32)) | numbers
        order = np.argsort(keys, kind="stable")
        keys, places = keys[order], places[order]
        for step in range(1, _NEIGHBOURS + 1):
            same = np.flatnonzero(keys[step:] == keys[:-step])
            for start in range(0, len(same), _PAIRS_AT_ONCE):
                piece = same[start : start + _PAIRS_AT_ONCE]
                one, other = places[piece], places[piece + step]
                near = self._shared(one, other) >= SIMILAR
                yield self._rows[one[near]], self._rows[other[near]]

    def _append(self, found: NDArray[np.uint32], numbers: NDArray[np.uint32], rows: NDArray[np.int64]) -> None:
        wanted = (found[:, 0] != NONE) & (found[:, 0] % np.uint32(self.one_in) == 0)
        end = self._size + int(wanted.sum())
        if end > len(self._rows):
            self._grow(end)
        self._sketches[self._size : end] = found[wanted]
        self._numbers[self._size : end] = numbers[wanted]
        self._rows[self._size : end] = rows[wanted]
        self._size = end

    def _grow(self, rows: int) -> None:
        room = max(rows, _BLOCK_ROWS, min(2 * len(self._rows), self.capacity + _BLOCK_ROWS))
        self._sketches = np.resize(self._sketches, (room, SKETCH_SIZE))
        self._numbers = np.resize(self._numbers, room)
        self._rows = np.resize(self._rows, room)

    def _is_compared(self) -> NDArray[np.bool_]:
        return self._sketches[: self._size, 0] % np.uint32(self.one_in) == 0

    def _keep(self, wanted: NDArray[np.bool_]) -> None:
        kept = int(wanted.sum())
        for values in (self._sketches, self._numbers, self._rows):
            values[:kept] = values[: self._size][wanted]
        self._size = kept

    def _shared(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the part of windows that each pair shares: exactly for short rows, estimated for others."""
        both = np.sort(np.hstack([self._sketches[one], self._sketches[other]]), axis=1)
        real = both != NONE
        twice = np.zeros(both.shape, dtype=bool)
        twice[:, 1:] = (both[:, 1:] == both[:, :-1]) & real[:, 1:]
        ranks = np.cumsum(~twice & real, axis=1, dtype=np.uint8)
        shared = (twice & (ranks <= SKETCH_SIZE)).sum(axis=1)
        return shared / np.maximum(np.minimum(ranks[:, -1], SKETCH_SIZE), 1)
