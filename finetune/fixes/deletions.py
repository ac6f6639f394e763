"""Fixes that take rows out: those that repeat an earlier one, and those without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from finetune.fixes.row import Row


def duplicate_row(rows: Iterable[Row]) -> Iterator[Row]:
    """Delete the rows that are the same example as an earlier one, however they are written.

    What the check compares is compared (`Example.key`), so the same rows are found: 64 bits an example, remembered.
    """
    seen: set[int] = set()
    for row in rows:
        if row.line is None or row.example is None:
            yield row
        elif row.example.key in seen:
            yield row.deleted("duplicate-row")
        else:
            seen.add(row.example.key)
            yield row


def empty_completion(rows: Iterable[Row]) -> Iterator[Row]:
    """Delete the rows whose answer is empty: nothing can be learnt from them."""
    for row in rows:
        yield row.deleted("empty-completion") if row.has("empty-completion") else row
