"""Plain text: each line is an example that has no prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from finetune.containers.jsonl import Flaw
from finetune.containers.lines import all_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_encode = msgspec.json.Encoder().encode


def text_rows(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes | Flaw]]:
    """Yield (line's number, object as JSON) of a text in UTF-8; blank lines are rows, but for those at its end."""
    blank: list[int] = []
    for number, line in enumerate(all_lines(blocks), start=1):
        if line is not None and not line.strip():
            blank.append(number)
            continue
        for before in blank:
            yield before, _row("")
        blank.clear()
        yield number, _read(line, number)


def _read(line: bytes | None, number: int) -> bytes | Flaw:
    if line is None:
        return Flaw("not-json", f"Line {number}: over 32 MB; one example a line.")
    try:
        return _row(line.decode().removesuffix("\r"))
    except UnicodeDecodeError as error:
        return Flaw("not-utf8", f"Line {number}, byte {error.start + 1}: not a UTF-8 character.")


def _row(text: str) -> bytes:
    return _encode({"prompt": "", "completion": text})
