"""CSV and its kin: the records of a text, numbered as a spreadsheet numbers them."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Final

from finetune.containers.jsonl import Flaw
from finetune.containers.lines import LINE_MAX_BYTES, pieces
from finetune.containers.table_rows import known_names, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DELIMITERS: Final = (",", "\t", ";", "|")
SAMPLE_RECORDS: Final = 20
RECORD_MAX_LINES: Final = 10_000


def delimiter_of(head: str, *, whole: bool) -> str | None:
    """Return what parts the columns of a text that begins with `head`, None where nothing does.

    It is what cuts the first record into the most names that training data has, else what cuts the first records into
    equally many columns, more than one.
    """
    best, best_rank = None, (0, 0)
    for delimiter in DELIMITERS:
        records = [record for record in _records_of(head, delimiter, whole=whole) if record]
        columns = Counter(map(len, records)).most_common(1)
        named = known_names(records[0]) if records and len(records[0]) > 1 else 0
        even = columns[0][0] if columns and columns[0][0] > 1 and columns[0][1] * 10 >= len(records) * 9 else 0
        if (named, even) > best_rank:
            best, best_rank = delimiter, (named, even)
    return best


def header_of(head: str, delimiter: str, *, whole: bool) -> list[str]:
    """Return the names in a text's first record."""
    records = _records_of(head, delimiter, whole=whole)
    return records[0] if records else []


def delimited_rows(blocks: Iterable[bytes], delimiter: str) -> Iterator[tuple[int, bytes | Flaw]]:
    """Yield (record's number, the header's being 1; object as JSON) of a table in UTF-8; empty lines are counted.

    A record whose quotes are wrong, or that has more cells than the header, is a flaw.
    """
    return table_rows(_checked(blocks, delimiter))


def _checked(blocks: Iterable[bytes], delimiter: str) -> Iterator[tuple[int, list[str], Flaw | None]]:
    csv.field_size_limit(LINE_MAX_BYTES)
    lines = _Lines(blocks)
    records = csv.reader(lines, delimiter=delimiter)
    columns = 0
    for number in count(1):
        lines.taken.clear()
        try:
            cells = next(records, None)
        except csv.Error:
            yield number, [], Flaw("broken-row", f"Row {number}: a cell has no end; is a quote missing?")
            continue
        if cells is None:
            return
        if cells:
            columns = columns or len(cells)
            flaw = _quotes(lines.taken, delimiter, number) or _too_many(cells, columns, number)
            yield number, cells, flaw if number > 1 else None


def _too_many(cells: list[str], columns: int, number: int) -> Flaw | None:
    if len(cells) <= columns or not any(cell.strip() for cell in cells[columns:]):
        return None
    reason = (
        f"Row {number} has {len(cells)} cells, the first row {columns}: put a text that holds the separator in quotes."
    )
    return Flaw("broken-row", reason)


class _Lines:
    """The lines of a text in UTF-8 with their ends; `taken` holds the first of those read since it was cleared."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.taken: list[str] = []
        self._lines = _text_lines(blocks)

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if len(self.taken) <= RECORD_MAX_LINES:
                self.taken.append(line)
            yield line


def _text_lines(blocks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    pending: list[str] = []
    for block in pieces(blocks):
        first, newline, rest = decoder.decode(block).partition("\n")
        pending.append(first + newline)
        if newline or sum(map(len, pending)) > LINE_MAX_BYTES:
            yield "".join(pending)
            *whole, last = rest.split("\n")
            for line in whole:
                yield f"{line}\n"
            pending = [last]
    pending.append(decoder.decode(b"", final=True))
    if last := "".join(pending):
        yield last


def _quotes(lines: list[str], delimiter: str, number: int) -> Flaw | None:
    """Return what is wrong with the quotes of a record that was read leniently, as spreadsheets read it."""
    if not any('"' in line for line in lines):
        return None
    if len(lines) > RECORD_MAX_LINES:
        return Flaw(
            "broken-row", f"Row {number}: a quote opens a text and none closes it in {RECORD_MAX_LINES:,} lines."
        )
    try:
        for _ in csv.reader(iter(lines), delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        if "unexpected end" in str(error):
            return Flaw("broken-row", f"Row {number}: a quote opens a text and none closes it.")
        return Flaw("broken-row", f'Row {number}: a quote inside a text in quotes must be written twice, "".')
    return None


def _records_of(head: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    lines = head.splitlines(keepends=True)[: SAMPLE_RECORDS * 10]
    records: list[list[str]] = []
    try:
        for record in csv.reader(iter(lines), delimiter=delimiter):
            records.append(record)
            if len(records) == SAMPLE_RECORDS:
                return records
    except csv.Error:
        return records
    return records if whole or len(records) == 1 else records[:-1]
