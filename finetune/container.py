"""What kind of file the first bytes are, so that anything but JSONL is told by name instead of line by line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from finetune.lines import BOM

HEAD_BYTES = 64 * 1024
"""How much of a file's beginning is looked at."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file is not read at all: a finding's code, sentence and hint."""

    code: str
    message: str
    hint: str


EMPTY = Refusal("empty-file", "The file is empty.", "Save the examples in it, and try again.")

_EXAMPLE = '{"prompt": "…", "completion": "…"}'
_HINT = f"Export it as JSONL: one example a line, such as {_EXAMPLE}."

_MAGIC = (
    (b"\x1f\x8b", "a gzip archive", "Unpack it, and use the JSONL file inside."),
    (b"PAR1", "a Parquet file", _HINT),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it, and use the JSONL file inside."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _HINT),
    (b"%PDF", "a PDF document", _HINT),
    (b"\x89PNG", "a picture", _HINT),
    (b"\xff\xd8\xff", "a picture", _HINT),
    (b"SQLite format 3\x00", "an SQLite database", _HINT),
)
_TABLES = {".csv": "a CSV table", ".tsv": "a TSV table", ".xlsx": "an Excel workbook", ".parquet": "a Parquet file"}
_HEADER = re.compile(r'"?\w[^,;\t{}\n]*(?:[,;\t]"?\w[^,;\t{}\n]*)+\s*')


def refuse(head: bytes, filename: str) -> Refusal | None:
    """Return why the file that begins with `head` (64 KiB at most) cannot be JSONL, or None where it may be."""
    if len(head) < HEAD_BYTES and not head.removeprefix(BOM).strip():
        return EMPTY
    return _binary(head, filename) or _text(head, filename)


def _binary(head: bytes, filename: str) -> Refusal | None:
    if _is_utf16(head):
        return Refusal("not-utf8", "The file is UTF-16 text, not UTF-8.", "Save it as UTF-8, and try again.")
    for magic, kind, hint in _MAGIC:
        if head.startswith(magic):
            table = _TABLES.get(_extension(filename)) if magic == b"PK\x03\x04" else None
            return _unknown(table or kind, _HINT if table else hint)
    if b"\x00" in head:
        return _unknown("a binary file, not text", _HINT)
    return None


def _text(head: bytes, filename: str) -> Refusal | None:
    text = head.removeprefix(BOM).decode("utf-8", "replace").lstrip()
    if text[:9].lower().startswith(("<!doctype", "<html")):
        return _unknown("a web page, perhaps a login page", "Download the data itself, and use that file.")
    first = text.split("\n", 1)[0].strip()
    if _is_json_document(first):
        return _unknown("one JSON document over all lines", f"Write one object a line, without [ ]: {_EXAMPLE}.")
    table = _TABLES.get(_extension(filename))
    if first.startswith(("{", "[")):
        return None
    if table or _HEADER.fullmatch(first):
        return _unknown(table or "a table", _HINT)
    return None


def _unknown(kind: str, hint: str) -> Refusal:
    return Refusal("unknown-format", f"This is {kind}; so far only JSONL files are read.", hint)


def _extension(filename: str) -> str:
    _, dot, extension = filename.rpartition(".")
    return f"{dot}{extension}".lower()


def _is_utf16(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    sample = head[:512]  # ASCII in UTF-16 without its mark: every other byte is NUL, and none of those between
    return len(sample) >= 8 and any(
        sample[zero::2].count(0) == len(sample[zero::2]) and 0 not in sample[1 - zero :: 2] for zero in (0, 1)
    )


def _is_json_document(first: str) -> bool:
    """Return whether the first line opens a JSON array of examples, or an object spread over lines."""
    if first in {"{", "[", "[{"}:
        return True
    if not first.startswith("["):
        return False
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return first[1:].lstrip().startswith("{")
    return bool(value) and all(isinstance(item, dict) for item in value)
