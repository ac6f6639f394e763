"""Fixes of columns: those that training does not read go, and those it reads get their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.fixes.row import fields_of, line_of
from finetune.formats import chat, foreign, preference, prompt_completion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from finetune.fixes.row import Fields, Row
    from finetune.report import FormatName

_ALPACA: Final = foreign.ALPACA | {"system", "history", "text"}


def extra_column(rows: Iterable[Row]) -> Iterator[Row]:
    """Delete the columns that training does not read, where the check found such."""
    for row in rows:
        yield _without_extra(row) if row.has("extra-column") else row


def column_case(rows: Iterable[Row]) -> Iterator[Row]:
    """Name `prompt` and `completion` exactly, where the check found capitals or blanks."""
    for row in rows:
        yield _named(row) if row.has("column-case") else row


def _without_extra(row: Row) -> Row:
    assert row.line is not None
    assert row.example is not None
    fields = fields_of(row.line)
    read = _read(fields, row.example.format)
    return row.rewritten(line_of({name: value for name, value in fields.items() if name in read}), "extra-column")


def _named(row: Row) -> Row:
    assert row.line is not None
    fields = fields_of(row.line)
    names = {name: column for column, name in prompt_completion.canonical_names(fields).items()}
    return row.rewritten(line_of({names.get(name, name): value for name, value in fields.items()}), "column-case")


def _read(fields: Fields, format_name: FormatName) -> Collection[str]:
    """Return the names of a row's columns that training reads."""
    match format_name:
        case "prompt-completion":
            return prompt_completion.canonical_names(fields).values()
        case "preference":
            is_flat = fields.keys() >= {"chosen", "rejected"} or not fields.keys() & {*preference.NESTED}
            return preference.FLAT if is_flat else preference.NESTED
        case "alpaca":
            return _ALPACA
        case _:
            return chat.COLUMNS
