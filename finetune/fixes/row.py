"""A row on its way through fixes and conversions: where it came from, how it is written now, what touched it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from finetune.containers import jsonl
from finetune.formats.recognition import SAMPLE_BYTES, SAMPLE_ROWS, Recogniser
from finetune.formats.training_lines import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from finetune.containers.rows import Row as Numbered
    from finetune.formats.example import Example
    from finetune.report import FormatName

LEFT_OUT: Final = "left-out"

Fields = dict[str, msgspec.Raw]
"""A row's columns, each value as it is written: what a fix does not mean to change it cannot change."""

_decode = msgspec.json.Decoder(Fields).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file that is mended, and its line of JSON as it stands by now.

    `line` is None where the row is not in the new version. `example` is what the check reads of the row as it was, None
    where that is nothing, or another format than the file's. `touched` are codes: what changed it, or took it out.
    """

    number: int
    line: bytes | None
    example: Example | None = None
    touched: tuple[str, ...] = ()

    def has(self, code: str) -> bool:
        """Return whether the check found `code` in this row, and it is still there."""
        return self.line is not None and self.example is not None and code in self.example.problems

    def rewritten(self, line: bytes, code: str, example: Example | None = None) -> Row:
        """Return the row with another line, touched by `code`; read anew as `example` where its texts changed."""
        return replace(self, line=line, touched=(*self.touched, code), example=example or self.example)

    def deleted(self, code: str) -> Row:
        """Return the row as one that `code` took out."""
        return replace(self, line=None, touched=(*self.touched, code))


def read_rows(
    rows: Iterable[Numbered], format_name: FormatName | None, meant: FormatName | None = None
) -> Iterator[Row]:
    """Yield a file's rows as its check read them: those that are examples of `format_name` with their example.

    `meant` is the format that the check was told, if it was. A row that the container itself has broken, so that there
    is no line to write, is left out.
    """
    recogniser = Recogniser(meant)
    every = iter(rows)
    sample = list(_sample(every))
    recogniser.learn(sample)
    for number, row in chain(sample, every):
        if isinstance(row, bytes):
            line = on_one_line(row) if b"\n" in row else row  # an element of a JSON document may stand on several
            yield Row(number, line, _example(recogniser, line, number, format_name))
        else:
            yield Row(number, None, touched=(LEFT_OUT,))


def fields_of(line: bytes) -> Fields:
    """Return the columns of a row that is an object, in their order."""
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # half a character in a name
        return {name: raw(value) for name, value in value_of(line).items()}


def value_of(line: bytes) -> dict[str, Any]:
    """Return a row's object, halves of characters and all; empty where it is none."""
    value, _ = jsonl.parse(line, 0)
    return value or {}


def line_of(fields: Mapping[str, Any]) -> bytes:
    """Return an object as a line of JSON; halves of characters, which UTF-8 has not, are written as escapes."""
    try:
        return _encode(fields)
    except (UnicodeEncodeError, msgspec.MsgspecError, ValueError):
        plain = {name: json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value
                 for name, value in fields.items()}  # fmt: skip
        return json.dumps(plain, separators=(",", ":")).encode()


def raw(value: Any) -> msgspec.Raw:
    """Return a value as it is written."""
    try:
        return msgspec.Raw(_encode(value))
    except (UnicodeEncodeError, msgspec.MsgspecError, ValueError):
        return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())


def _sample(rows: Iterator[Numbered]) -> Iterator[Numbered]:
    """Yield the rows that a check learns a file's format from (`finetune.check`)."""
    size = 0
    for number, row in islice(rows, SAMPLE_ROWS):
        yield number, row
        size += len(row) if isinstance(row, bytes) else 0
        if size > SAMPLE_BYTES:
            return


def _example(recogniser: Recogniser, line: bytes, number: int, format_name: FormatName | None) -> Example | None:
    found = recogniser.read_plain(line)
    if found is None:
        value, _ = jsonl.parse(line, number)
        read = recogniser.read(value, line) if value is not None else None
        found = read[1] if read is not None and not isinstance(read[1], str) else None
    return found if found is not None and found.format == format_name else None
