"""Checking a dataset: a stream of bytes in, a report out, whatever the bytes are."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from finetune.conclusion import Question, conclude, refused
from finetune.container import EMPTY, HEAD_BYTES, refuse
from finetune.lines import BOM, numbered_lines, pieces
from finetune.survey import Survey
from finetune.tokens import TokenCounter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from finetune.catalogue import Catalogue
    from finetune.report import Report

FILE_MAX_BYTES = 512 * 1024 * 1024
"""What providers take in one file by the ordinary way."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check has come: rows that are not blank, and bytes."""

    rows: int
    bytes_read: int


def check(  # noqa: PLR0913 - one call says all there is to say about a check
    blocks: Iterable[bytes],
    *,
    filename: str,
    catalogue: Catalogue,
    models: Sequence[str] = (),
    min_examples: int = 10,
    max_bytes: int = FILE_MAX_BYTES,
    tiktoken_cache: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Return what is in a file and what is wrong with it; any bytes at all give a report.

    `blocks` are read once and not kept. `models` are those the data is meant for (names or aliases; UserError for an
    unknown one): the first one's tokenizer counts, the shortest context is checked, and those are priced that take the
    format. Without any, o200k_base counts, and every model on offer that takes the format is priced. `tiktoken_cache`
    is where ranks may be where `bpe-openai` is not installed (`finetune.tokens`). `on_progress` is called after every
    block, at least every 4 MiB.
    """
    question = Question.ask(models, catalogue, min_examples)
    counters = [TokenCounter.load(name, tiktoken_cache) for name in question.encodings]
    survey = Survey(counters, question.contexts)
    meter = _Meter(blocks, max_bytes)
    head, rest = _peek(iter(meter))
    refusal = refuse(head, filename)
    if refusal is not None:
        return refused(refusal, question, counters[0])
    if on_progress is not None:
        meter.on_block = lambda: on_progress(Progress(survey.rows, meter.bytes_read))
    for number, line in numbered_lines(rest):
        survey.add(number, line)
    if not survey.rows:
        return refused(EMPTY, question, counters[0])
    encoding = "utf-8-sig" if head.startswith(BOM) else "utf-8"
    return conclude(survey, question, counters, encoding, cut_at=max_bytes if meter.is_cut else None)


@dataclass(slots=True)
class _Meter:
    """Passes blocks on, counts them, and stops where the file is larger than allowed."""

    blocks: Iterable[bytes]
    max_bytes: int
    bytes_read: int = 0
    is_cut: bool = False
    on_block: Callable[[], None] = field(default=lambda: None)

    def __iter__(self) -> Iterator[bytes]:
        for piece in pieces(self.blocks):
            if self.bytes_read + len(piece) > self.max_bytes:
                self.is_cut = True
                return
            yield piece
            self.bytes_read += len(piece)
            self.on_block()


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
