"""Fixes that take rows out: those that repeat an earlier one, and those without an answer."""

from __future__ import annotations

from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from finetune.fixes.row import Row

_UNSIGNED: Final = (1 << 64) - 1
_BUCKETS: Final = (1 << 16) - 1


def duplicate_row(rows: Iterable[Row]) -> Iterator[Row]:
    """Delete the rows that are the same example as an earlier one, however they are written.

    What the check compares is compared (`Example.key`), so the same rows are found.
    """
    seen = _Seen()
    for row in rows:
        is_repeated = row.line is not None and row.example is not None and not seen.add(row.example.key)
        yield row.deleted("duplicate-row") if is_repeated else row


def empty_completion(rows: Iterable[Row]) -> Iterator[Row]:
    """Delete the rows whose answer is empty: nothing can be learnt from them."""
    for row in rows:
        yield row.deleted("empty-completion") if row.has("empty-completion") else row


class _Seen:
    """Keys of 64 bits, 8 bytes each: a set of Python's would take nine times the memory for millions of rows."""

    def __init__(self) -> None:
        self._buckets: defaultdict[int, array[int]] = defaultdict(lambda: array("Q"))

    def add(self, key: int) -> bool:
        """Remember a key; return whether it is new."""
        bucket = self._buckets[key & _BUCKETS]
        if key & _UNSIGNED in bucket:
            return False
        bucket.append(key & _UNSIGNED)
        return True
