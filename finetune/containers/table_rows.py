"""From a table's cells to rows of a training format: names from the header, JSON where a column holds JSON."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from finetune.containers.jsonl import Flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

STRUCTURED: Final = frozenset({"messages", "conversations", "tools", "functions", "parallel_tool_calls"})
"""Columns whose cells are JSON: lists, and true or false."""

PREFERENCE: Final = (
    frozenset({"input", "preferred_output", "non_preferred_output"}),
    frozenset({"prompt", "chosen", "rejected"}),
)
"""Columns whose cells may be JSON where a table has all three; elsewhere a prompt that looks like JSON is a text."""

KNOWN: Final = STRUCTURED.union(*PREFERENCE, {"completion", "instruction", "output"})
GUESSED: Final = frozenset(
    {
        "question",
        "answer",
        "text",
        "label",
        "response",
        "질문",
        "답변",
        "대답",
        "라벨",
        "質問",
        "回答",
        "答え",
        "ラベル",
    }
)
"""Names that columns of training data often have, though no format has them."""

_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder().decode


def known_names(cells: Sequence[str]) -> int:
    """Return how many of a record's cells are names of columns that training data has."""
    return sum(cell.strip().lower() in KNOWN | GUESSED for cell in cells)


def table_rows(records: Iterable[tuple[int, Sequence[Any], Flaw | None]]) -> Iterator[tuple[int, bytes | Flaw]]:
    """Yield (number, object as JSON or what is wrong) of the records below the first that has a cell filled.

    Records come as (number, cells, what is wrong). Those with nothing in any cell are rows where others follow, as
    a person who scrolls by sees them, and nothing at a table's end.
    """
    header: Header | None = None
    empty: list[int] = []
    for number, cells, flaw in records:
        if flaw is None and all(cell is None or cell == "" for cell in cells):
            empty.append(number)
        elif header is None:
            header, empty = Header(cells), []
        else:
            for before in empty:
                yield before, header.row((), before)
            empty.clear()
            yield number, header.row(cells, number) if flaw is None else flaw


class Header:
    """The names of a table's columns, by which its records become objects."""

    def __init__(self, cells: Sequence[Any]) -> None:
        self.names = ["" if cell is None else str(cell) for cell in cells]
        while self.names and not self.names[-1].strip():
            self.names.pop()
        self._columns = [
            (index, name, name.strip().lower())
            for index, name in enumerate(self.names)
            if name.strip() and name not in self.names[:index]
        ]
        known = {name for _, _, name in self._columns}
        self._structured = STRUCTURED.union(*(names for names in PREFERENCE if names <= known))

    def row(self, cells: Sequence[Any], number: int) -> bytes | Flaw:
        """Return a record as the JSON of an object, or why it is none; cells that are missing are empty texts."""
        values: dict[str, Any] = {}
        for index, name, known in self._columns:
            value = cells[index] if index < len(cells) else ""
            if known in self._structured:
                value = _structured(value, known)
                if value is _BROKEN:
                    return Flaw("not-json", f"Row {number}, column {known}: the cell is not JSON.")
                if value in ("", None):
                    continue
            is_kept = isinstance(value, str | list | dict) or (known in self._structured and isinstance(value, bool))
            values[name] = value if is_kept else as_text(value)
        try:
            return _encode(values)
        except UnicodeEncodeError:
            return Flaw("not-utf8", f"Row {number}: a character that its encoding does not have; type it again.")


def as_text(value: Any) -> str:
    """Return a cell's value as a spreadsheet shows it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case bytes():
            return value.decode("utf-8", "replace")
        case dt.datetime():
            return value.isoformat(" ").removesuffix(" 00:00:00")
        case _:
            return str(value)


_BROKEN: Final = object()


def _structured(value: Any, known: str) -> Any:
    if isinstance(value, list | dict):
        return cast("Any", value)
    if known == "parallel_tool_calls":
        return {"true": True, "false": False, "1": True, "0": False}.get(as_text(value).strip().lower(), value)
    if not isinstance(value, str):
        return as_text(value)
    text = value.strip()
    if not text.startswith(("[", "{")):
        return value
    try:
        return _decode(text.encode())
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return _BROKEN if known in STRUCTURED else value
