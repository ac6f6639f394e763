"""Which training format a row is in, and the example in it; told from a file's first rows where one row cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from finetune.formats import chat, foreign, preference, prompt_completion, reinforcement
from finetune.report import FormatName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.containers.rows import Row
    from finetune.formats.example import Example

FORMATS: Final[tuple[FormatName, ...]] = get_args(FormatName)

SAMPLE_ROWS: Final = 200
SAMPLE_BYTES: Final = 4 * 1024 * 1024

MISSING: Final[dict[FormatName, str]] = {
    "chat": "messages-missing",
    "prompt-completion": "missing-column",
    "preference": "pair-incomplete",
    "reinforcement": "messages-missing",
    "alpaca": "missing-column",
    "sharegpt": "messages-missing",
}
"""What a row is found to lack that has nothing of the file's format."""


def lack_of(row: dict[str, Any]) -> str:
    """Return the code of what a row of no format lacks: two columns of text are a pair under other names."""
    return "missing-column" if sum(isinstance(value, str) for value in row.values()) > 1 else "unknown-format"


class Recogniser:
    """Reads rows by the format that each is in, or all by the one that was `meant`."""

    def __init__(self, meant: FormatName | None = None) -> None:
        self.doubt = ""
        self._meant: FormatName | None = meant
        self._references: frozenset[str] = frozenset()
        self._conversations: FormatName = "chat"

    def learn(self, sample: Iterable[Row]) -> None:
        """Look at a file's first rows, to tell chat from reinforcement items."""
        rows = [value for _, row in sample if isinstance(row, bytes) and (value := _object(row)) is not None]
        self._references = reinforcement.references(rows)
        if self._references and self._meant is None:
            self._conversations = "reinforcement"
            names = ", ".join(f"`{name}`" for name in sorted(self._references)[:3] if name.isidentifier())
            beside = f" and have {names} beside" if names else ""
            self.doubt = f"The rows were read as reinforcement items: most end with the user{beside}."

    def read_plain(self, line: bytes) -> Example | None:
        """Return the example in a row of the two commonest formats that has nothing unusual, None where it is not."""
        if self._conversations == "chat" and self._meant in {None, "chat"} and (found := chat.read_plain(line)):
            return found
        return prompt_completion.read_plain(line) if self._meant in {None, "prompt-completion"} else None

    def read(self, row: dict[str, Any], line: bytes) -> tuple[FormatName, Example | str] | None:
        """Return the format of a row, with the example in it or the code of what keeps it from being one.

        None where it is of no format.
        """
        name = self._meant or self._format_of(row)
        if name is None:
            return None
        return name, self._read_as(name, row, line)

    def _format_of(self, row: dict[str, Any]) -> FormatName | None:
        if "messages" in row:
            return self._conversations
        if preference.is_one(row):
            return "preference"
        if "conversations" in row:
            return "sharegpt"
        if prompt_completion.canonical_names(row):
            return "prompt-completion"
        return "alpaca" if "instruction" in row else None

    def _read_as(self, name: FormatName, row: dict[str, Any], line: bytes) -> Example | str:
        match name:
            case "chat":
                return chat.read(row, line) if "messages" in row else "messages-missing"
            case "reinforcement":
                return reinforcement.read(row, line, self._references)
            case "prompt-completion":
                return prompt_completion.read(row)
            case "preference":
                return preference.read(row, line)
            case "alpaca":
                return foreign.read_alpaca(row, line)
            case "sharegpt":
                return foreign.read_sharegpt(row, line)


def _object(row: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(row, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
