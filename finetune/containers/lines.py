"""Lines of a file that arrives in blocks, numbered as an editor numbers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK_BYTES = 4 * 1024 * 1024
LINE_MAX_BYTES = 32 * 1024 * 1024
"""A longer line is passed over, so that one line cannot take all memory."""

BOM = b"\xef\xbb\xbf"


def numbered_lines(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield (number from 1, line without its surrounding blanks); None for a line over 32 MiB.

    Blank lines are counted and not yielded. A byte order mark at the start is dropped.
    """
    for number, line in enumerate(all_lines(blocks), start=1):
        if line is None:
            yield number, None
            continue
        stripped = (line.removeprefix(BOM) if number == 1 else line).strip()
        if stripped:
            yield number, stripped


def verbatim_lines(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield (number from 1, line as it stands but for its end) of lines neither blank nor over 32 MiB.

    A byte order mark at the start is dropped.
    """
    for number, line in enumerate(all_lines(blocks), start=1):
        kept = b"" if line is None else line.removesuffix(b"\r")
        kept = kept.removeprefix(BOM) if number == 1 else kept
        if kept.strip():
            yield number, kept


def all_lines(blocks: Iterable[bytes]) -> Iterator[bytes | None]:
    pending: list[bytes] = []
    pending_bytes = 0
    for block in pieces(blocks):
        first, *rest = block.split(b"\n")
        pending_bytes += len(first)
        if pending_bytes <= LINE_MAX_BYTES:
            pending.append(first)
        else:
            pending.clear()
        if rest:
            yield b"".join(pending) if pending_bytes <= LINE_MAX_BYTES else None
            *whole, last = rest
            yield from whole
            pending, pending_bytes = [last], len(last)
    yield b"".join(pending) if pending_bytes <= LINE_MAX_BYTES else None


def pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in blocks of 4 MiB at most."""
    for block in blocks:
        if len(block) <= BLOCK_BYTES:
            yield block
        else:
            yield from (block[start : start + BLOCK_BYTES] for start in range(0, len(block), BLOCK_BYTES))
