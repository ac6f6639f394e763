"""One line of JSONL: its object, or what is wrong with it in words that say what to type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

import msgspec

_decode = msgspec.json.Decoder().decode

_REASONS = {
    "Expecting property name enclosed in double quotes": 'a name in "double quotes" missing, or a comma too much',
    "Expecting ':' delimiter": "colon missing",
    "Expecting ',' delimiter": "comma missing, or a quote inside a text that needs a backslash before it",
    "Expecting value": "a value is missing",
    "Unterminated string starting at": "quote missing",
    "Invalid control character at": "a tab or line break inside a text; write \\t or \\n",
    "Invalid \\escape": "a backslash that needs another one before it",
    "Invalid \\uXXXX escape": "\\u needs four hexadecimal digits after it",
    "Extra data": "something follows the closing brace; one object a line",
    "Illegal trailing comma before end of object": "a comma too much",
    "Illegal trailing comma before end of array": "a comma too much",
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a line cannot be taken as it is: a finding's code, and where and why (no content of the line)."""

    code: str
    reason: str


class _NotANumberError(ValueError):
    pass


def parse(line: bytes, number: int, unit: str = "Line") -> tuple[dict[str, Any] | None, Flaw | None]:
    """Return the line's object and its flaw. Both, where the object can be read but holds half a surrogate pair.

    `unit` is what `number` counts, for the flaw's words.
    """
    try:
        value, flaw = _decode(line), None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value, flaw = _read_slowly(line, f"{unit} {number}")
    if value is None and flaw is not None:
        return None, flaw
    if not isinstance(value, dict):
        return None, Flaw("not-an-object", "")
    return cast("dict[str, Any]", value), flaw


def reason_of(error: ValueError | RecursionError) -> str:
    """Return why Python's parser stumbled, in words that say what to type, without any of the text."""
    match error:
        case json.JSONDecodeError():
            return _REASONS.get(error.msg, "not JSON")
        case _NotANumberError():
            return "NaN and Infinity are not JSON; write a number or null"
        case RecursionError():
            return "brackets nested too deeply"
        case _:
            return "a number is too long"


def _read_slowly(line: bytes, place: str) -> tuple[Any, Flaw | None]:
    """Read what the fast parser refused with Python's own, which says where and why."""
    try:
        value: Any = json.loads(line.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        return None, Flaw("not-utf8", f"{place}, byte {error.start + 1}: not a UTF-8 character.")
    except (ValueError, RecursionError) as error:
        where = f", character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        return None, Flaw("not-json", f"{place}{where}: {reason_of(error)}.")
    if _holds_surrogate(value):
        return value, Flaw("not-utf8", f"{place}: half a character (a lone \\ud8…); type it again.")
    return value, None


def _refuse_constant(_: str) -> Any:
    raise _NotANumberError


def _holds_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (RecursionError, ValueError):
        return False
    return False
