"""The elements of a JSON document, one by one as its text goes by: those of an array, or objects one after another."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from finetune.containers.jsonl import Flaw, reason_of
from finetune.containers.lines import LINE_MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WRAPPERS: Final = ("data", "rows", "examples", "items", "records", "dataset", "train", "training")
"""Names under which a document's array of examples may stand."""

WRAPPER: Final = re.compile(rf'\s*\{{[^\[\]]*?"(?:{"|".join(WRAPPERS)})"\s*:\s*\[(?=\s*[\]{{])')

_scan = json.JSONDecoder().raw_decode
_BETWEEN: Final = re.compile(r"[\s,]*")
_NEAR_END: Final = 16
"""A parser stumbles this near the end of what it was given where it was only given too little."""


def json_rows(blocks: Iterable[bytes], head: str) -> Iterator[tuple[int, bytes | Flaw]]:
    """Yield (number from 1, element as it is written) of a document in UTF-8 that begins with `head`.

    Its elements are those of the array it is, or has under one of `WRAPPERS`; else the objects that follow one another.
    After an element that is no JSON, it goes on with the next line that begins as an element before it did.
    """
    text = _Text(iter(blocks))
    opening = WRAPPER.match(head) or re.match(r"\s*\[", head)
    text.skip(opening.end() if opening else 0)
    number, indent = 0, ""
    while True:
        between = text.between()
        if text.is_at_end() or (opening and text.starts_with("]")):
            break
        number += 1
        indent = between if "\n" in between else indent
        element = text.take()
        yield number, element
        if isinstance(element, Flaw) and not text.find(indent + "{"):
            return
    if opening and not text.starts_with("]"):
        yield number + 1, Flaw("not-json", f"After element {number}: the list has no end; the file may be cut off.")


@dataclass(slots=True)
class _Text:
    """A text that arrives in blocks, of which only what is still to be read is kept."""

    blocks: Iterator[bytes]
    buffer: str = ""
    at: int = 0
    lines_before: int = 0
    characters_before: int = 0
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("surrogateescape")
    )

    def more(self, at_least: int = 1) -> bool:
        """Read so many characters more, or one block; False where there are none."""
        parts: list[str] = []
        while at_least > 0 and (block := next(self.blocks, None)) is not None:
            parts.append(self.decoder.decode(block))
            at_least -= len(block)
        if not parts:
            return False
        newline = self.buffer.rfind("\n", 0, self.at)
        self.lines_before += self.buffer.count("\n", 0, self.at)
        self.characters_before = self.at - newline - 1 if newline >= 0 else self.characters_before + self.at
        self.buffer, self.at = "".join((self.buffer[self.at :], *parts)), 0
        return True

    def skip(self, characters: int) -> None:
        while len(self.buffer) - self.at < characters and self.more():
            pass
        self.at += characters

    def between(self) -> str:
        """Pass over blanks and commas, and return them."""
        passed = ""
        while True:
            found = _BETWEEN.match(self.buffer, self.at)
            assert found is not None
            passed, self.at = (passed + found[0])[-200:], found.end()
            if self.at < len(self.buffer) or not self.more():
                return passed.lstrip(", ") if "\n" in passed else ""

    def is_at_end(self) -> bool:
        return self.at >= len(self.buffer)

    def starts_with(self, what: str) -> bool:
        return self.buffer.startswith(what, self.at)

    def take(self) -> bytes | Flaw:
        """Return the next element as it is written, and pass over it; it is not passed over where it is no JSON."""
        while True:
            try:
                _, end = _scan(self.buffer, self.at)
            except json.JSONDecodeError as error:
                unfinished = error.msg.startswith("Unterminated") or error.pos > len(self.buffer) - _NEAR_END
                if (
                    unfinished
                    and len(self.buffer) - self.at <= LINE_MAX_BYTES
                    and self.more(len(self.buffer) - self.at)
                ):
                    continue
                return self._flaw(error)
            except (RecursionError, ValueError) as error:
                return self._flaw(error)
            if end >= len(self.buffer) - _NEAR_END and self.more():  # a number may go on
                continue
            element = self.buffer[self.at : end].encode("utf-8", "surrogateescape")
            self.at = end
            return element

    def find(self, start: str) -> bool:
        """Go on to where `start`, which begins a line, comes next; False where it does not."""
        if "\n" not in start:
            return False
        self.at = min(self.at + 1, len(self.buffer))
        while (found := self.buffer.find(start, self.at)) < 0:
            self.at = max(self.at, len(self.buffer) - len(start))
            if not self.more():
                return False
        self.at = found
        return True

    def _flaw(self, error: ValueError | RecursionError) -> Flaw:
        if len(self.buffer) - self.at > LINE_MAX_BYTES:
            return Flaw("not-json", "An element is over 32 MB, or a quote or bracket is missing before it.")
        if not isinstance(error, json.JSONDecodeError):
            return Flaw("not-json", f"{reason_of(error).capitalize()}.")
        line_start = self.buffer.rfind("\n", 0, error.pos) + 1
        line = self.lines_before + self.buffer.count("\n", 0, error.pos) + 1
        character = error.pos - line_start + 1 + (0 if line_start else self.characters_before)
        return Flaw("not-json", f"Line {line}, character {character}: {reason_of(error)}.")
