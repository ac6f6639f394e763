"""The names that rows have their values under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS_MAX: Final = 50
NAME_MAX_CHARACTERS: Final = 200

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def columns_of(rows: Iterable[object]) -> tuple[str, ...]:
    """Return the names in some rows, those that are JSON of an object, in the order in which they first come.

    At most 50, and no longer than 200 characters: a table has fewer, and what has more is none.
    """
    names: dict[str, None] = {}
    for row in rows:
        if isinstance(row, bytes):
            names |= dict.fromkeys(_names(row))
        if len(names) > COLUMNS_MAX:
            break
    return tuple(name for name in names if name.strip() and len(name) <= NAME_MAX_CHARACTERS)[:COLUMNS_MAX]


def _names(row: bytes) -> Iterable[str]:
    try:
        return _decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
