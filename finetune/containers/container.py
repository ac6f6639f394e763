"""What holds the rows: told from a file's first bytes, and from its name only where those leave it open."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Literal

from finetune.containers.delimited import delimiter_of, header_of
from finetune.containers.json_rows import WRAPPER
from finetune.containers.refusal import Refusal
from finetune.containers.table_rows import known_names

HEAD_BYTES: Final = 64 * 1024
"""How much of a file's beginning is looked at."""

ContainerName = Literal["jsonl", "json", "csv", "tsv", "xlsx", "parquet", "txt"]
Packed = Literal["xlsx", "parquet"]

_HINT: Final = 'Save it as JSONL, CSV, TSV, XLSX or Parquet; a line of JSONL is {"prompt": "…", "completion": "…"}.'
_MAGIC: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook, or one with a password", "Save it as .xlsx without a password."),
    (b"%PDF", "a PDF document", _HINT),
    (b"\x89PNG", "a picture", _HINT),
    (b"\xff\xd8\xff", "a picture", _HINT),
    (b"GIF8", "a picture", _HINT),
    (b"SQLite format 3\x00", "an SQLite database", _HINT),
    (b"BZh", "a bzip2 archive", "Unpack it, or pack it with gzip."),
    (b"\xfd7zXZ\x00", "an xz archive", "Unpack it, or pack it with gzip."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it, or pack it with gzip."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Unpack it, or pack it with gzip."),
    (b"Rar!", "a RAR archive", "Unpack it, or pack it with gzip."),
)
_SEPARATORS: Final = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Container:
    """What a text's rows are in; `delimiter` parts a table's columns, `doubt` says why where it is not certain."""

    name: ContainerName
    delimiter: str = ""
    doubt: str = ""

    @property
    def unit(self) -> str:
        """Return what a row's number counts."""
        return {"jsonl": "Line", "txt": "Line", "json": "Element"}.get(self.name, "Row")


def packed(head: bytes) -> Packed | None:
    """Return which container that is no text begins with `head`, None where it is none of them."""
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    return "parquet" if head.startswith(b"PAR1") else None


def refuse(head: bytes, *, is_text: bool) -> Refusal | None:
    """Return why a file that begins with `head` and is not `packed` is no text, or None where it may be."""
    for magic, kind, hint in _MAGIC:
        if head.startswith(magic):
            return Refusal("unknown-format", f"This is {kind}.", hint)
    if b"\x00" in head and not is_text:
        return Refusal("unknown-format", "This is a binary file, not text.", _HINT)
    return None


def recognise(head: str, filename: str, *, whole: bool) -> Container | Refusal:
    """Return the container of a text that begins with `head`, and is no longer where `whole`."""
    text, extension = head.lstrip(), _extension(filename)
    if text[:9].lower().startswith(("<!doctype", "<html")):
        message = "This is a web page, perhaps a login page, not a dataset."
        return Refusal("unknown-format", message, "Download the data itself, and use that file.")
    if text.startswith("{"):
        return _of_objects(text, extension)
    if text.startswith("["):
        return _of_arrays(text, extension)
    return _table(text, extension, whole=whole) or _prose(extension)


def _of_objects(text: str, extension: str) -> Container:
    first, newline, rest = text.partition("\n")
    if WRAPPER.match(text) and (not newline or not rest.lstrip().startswith("{")):
        return _named("json", extension)
    if _is_json(first) or not newline:
        return _named("jsonl", extension)
    spread = re.match(r'\{\s*\n\s*["}]', text) or _spans_lines(text)
    return _named("json", extension) if spread else Container("jsonl")


def _of_arrays(text: str, extension: str) -> Container:
    first, _, rest = text.partition("\n")
    if not re.match(r"\[\s*(?:[{\]]|\n)", text) or (_is_json(first) and rest.lstrip().startswith(("[", "{"))):
        return Container("jsonl")
    return _named("json", extension)


def _named(name: ContainerName, extension: str) -> Container:
    """Return the container, with what was doubtful where the file's name says another one."""
    meant = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}.get(extension, name)
    if meant == name or (extension == ".json" and name == "jsonl"):
        return Container(name)
    what = {"json": "one JSON document", "jsonl": "JSONL"}.get(name, "a table")
    return Container(name, doubt=f"The name ends in {extension}, but the content is {what}, and was read as that.")


def _table(text: str, extension: str, *, whole: bool) -> Container | None:
    delimiter = delimiter_of(text, whole=whole)
    known = known_names(header_of(text, delimiter or ",", whole=whole))
    usual = "\t" if extension == ".tsv" else ","
    is_named = extension in {".csv", ".tsv"}
    if not is_named and (delimiter is None or known < (2 if extension == ".txt" and delimiter != "\t" else 1)):
        return None
    used = delimiter or usual
    doubt = (
        "" if is_named and used == usual else f"It was read as a table whose columns are parted by {_SEPARATORS[used]}."
    )
    return Container("tsv" if used == "\t" else "csv", used, doubt)


def _prose(extension: str) -> Container:
    if extension != ".txt":
        return Container("jsonl")
    return Container("txt", doubt="It was read as plain text: each line is one completion, without a prompt.")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _spans_lines(text: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return False
    return "\n" in text[:end]


def _extension(filename: str) -> str:
    _, dot, extension = filename.removesuffix(".gz").rpartition(".")
    return f"{dot}{extension}".lower()
