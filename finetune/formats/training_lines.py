"""What goes to a provider of a dataset that was checked: the same rows, each a line of JSON in UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from finetune.containers.refusal import UnreadableError
from finetune.containers.rows import Rows
from finetune.formats import chat, preference, prompt_completion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COLUMNS = {
    "chat": chat.COLUMNS,
    "prompt-completion": prompt_completion.COLUMNS,
    "preference": preference.COLUMNS,
}
"""What a provider reads of a table's columns; of a reinforcement item it reads all."""


def training_lines(blocks: Iterable[bytes], filename: str = "", format_name: str = "") -> Iterator[tuple[int, bytes]]:
    """Yield (number, line without its end) of a file's rows, as they were checked and in their order.

    Lines of JSONL stay as they stand, but in UTF-8 and without a mark. Elements of a JSON document are written on one
    line each. Of tables, only the columns of the format go, under the names that it has for them. Rows that are broken,
    which an accepted dataset has none of, are left out. UnreadableError where the file cannot be read to its end.
    """
    rows = Rows(blocks, filename, verbatim=True)
    for number, row in rows:
        if not isinstance(row, bytes):
            continue
        if rows.container.name == "jsonl":
            yield number, row
        elif rows.container.name == "json":
            yield number, on_one_line(row)
        else:
            yield number, _canonical(row, _COLUMNS.get(format_name))
    if rows.refusal is not None:
        raise UnreadableError(rows.refusal)


def on_one_line(element: bytes) -> bytes:
    """Return an element of a JSON document as a line, its values as they are."""
    try:
        return msgspec.json.format(element, indent=-1)
    except msgspec.MsgspecError:  # half a character, which the check has said
        return element.replace(b"\n", b" ").replace(b"\r", b" ")


def _canonical(row: bytes, columns: frozenset[str] | None) -> bytes:
    if columns is None:
        return row
    values = cast("dict[str, Any]", msgspec.json.decode(row))
    named = {name.strip().lower(): value for name, value in values.items()}
    return msgspec.json.encode({name: value for name, value in (named | values).items() if name in columns})
