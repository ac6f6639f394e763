"""The rows of any file: whatever holds them, they come out as numbered lines of JSON in UTF-8."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from finetune.containers.container import HEAD_BYTES, Container, packed, recognise, refuse
from finetune.containers.delimited import delimited_rows
from finetune.containers.encoding import Utf8Blocks, marked
from finetune.containers.gunzip import GZIP_MAGIC, gunzip
from finetune.containers.json_rows import json_rows
from finetune.containers.lines import numbered_lines, pieces, verbatim_lines
from finetune.containers.refusal import Refusal, UnreadableError
from finetune.containers.text_rows import text_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from finetune.containers.jsonl import Flaw

FILE_MAX_BYTES: Final = 512 * 1024 * 1024
"""What providers take in one file by the ordinary way."""

Row = tuple[int, "bytes | Flaw | None"]

_NESTED: Final = Refusal(
    "suspicious-archive", "This is a gzip archive inside a gzip archive.", "Unpack it, and drop the dataset inside."
)


class Rows:
    """The rows of a file, as (number a person finds them by, object as JSON); read once, as blocks come.

    In place of the object is a `Flaw` where the container itself is broken there, None for a line over 32 MB. What the
    file turned out to be is certain once all rows were read: `container`, `encoding` by Python's name, `doubts` (why,
    where it was not certain) and `refusal` (why it was not read, or not to its end).
    """

    def __init__(
        self,
        blocks: Iterable[bytes],
        filename: str,
        *,
        max_bytes: int = FILE_MAX_BYTES,
        on_block: Callable[[int], None] = lambda _: None,
        verbatim: bool = False,
    ) -> None:
        """Take a file's blocks, of which no more than `max_bytes` are read, packed or unpacked.

        `on_block` is told after each how many bytes there were before it and in it. Where `verbatim`, lines of JSONL
        keep the blanks around them.
        """
        self.container = Container("jsonl")
        self.encoding = "utf-8"
        self.doubts: list[str] = []
        self.refusal: Refusal | None = None
        self._filename = filename
        self._max_bytes = max_bytes
        self._lines = verbatim_lines if verbatim else numbered_lines
        self._blocks = self._metered(blocks, on_block)

    def __iter__(self) -> Iterator[Row]:
        try:
            yield from self._rows()
        except UnreadableError as error:
            self.refusal = error.refusal

    def _rows(self) -> Iterator[Row]:
        head, blocks = _peek(self._blocks)
        if head.startswith(GZIP_MAGIC):
            head, blocks = _peek(self._metered(gunzip(blocks)))
            if head.startswith(GZIP_MAGIC):
                raise UnreadableError(_NESTED)
        kind = packed(head)
        if kind is None:
            yield from self._text_rows(head, blocks)
            return
        self.container = Container(kind)
        from finetune.containers.limited import limited_rows  # noqa: PLC0415 - a text needs no process

        yield from limited_rows(kind, blocks, doubts=self.doubts)

    def _text_rows(self, head: bytes, blocks: Iterator[bytes]) -> Iterator[Row]:
        mark = marked(head)
        refusal = refuse(head, is_text=mark is not None)
        if refusal is not None:
            raise UnreadableError(refusal)
        text = Utf8Blocks(blocks)
        start, converted = _peek(iter(text))
        beginning = start.decode("utf-8", "ignore")
        found = recognise(beginning, self._filename, whole=len(start) < HEAD_BYTES)
        if isinstance(found, Refusal):
            raise UnreadableError(found)
        self.container = found
        if "\r" in beginning and "\n" not in beginning:  # how Macs of long ago, and their Excel, end lines
            converted = (block.replace(b"\r", b"\n") for block in converted)
        try:
            yield from self._read(found, converted, beginning)
        finally:
            self.encoding = text.encoding.name
            self.doubts += [doubt for doubt in (text.encoding.doubt, found.doubt) if doubt]

    def _read(self, container: Container, blocks: Iterator[bytes], beginning: str) -> Iterator[Row]:
        match container.name:
            case "json":
                return json_rows(blocks, beginning)
            case "csv" | "tsv":
                return delimited_rows(blocks, container.delimiter)
            case "txt":
                return text_rows(blocks)
            case _:
                return self._lines(blocks)

    def _metered(self, blocks: Iterable[bytes], on_block: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
        total = 0
        for piece in pieces(blocks):
            total += len(piece)
            if total > self._max_bytes:
                raise UnreadableError(_too_large(self._max_bytes))
            yield piece
            on_block(total)


def _too_large(limit: int) -> Refusal:
    message = f"The file is larger than {limit / 1024**2:,.0f} MB; what follows was not read."
    return Refusal("file-too-large", message, "Split it into smaller files.")


def _peek(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first 64 KiB, and all blocks again."""
    seen: list[bytes] = []
    seen_bytes = 0
    for block in blocks:
        seen.append(block)
        seen_bytes += len(block)
        if seen_bytes >= HEAD_BYTES:
            break
    return b"".join(seen)[:HEAD_BYTES], chain(seen, blocks)
