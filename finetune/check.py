"""Checking a dataset: a stream of bytes in, a report out, whatever the bytes are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from finetune.checking.batches import Batches
from finetune.checking.conclusion import conclude, refused
from finetune.checking.overlaps import Overlap
from finetune.checking.question import Question
from finetune.checking.survey import Survey
from finetune.containers.refusal import EMPTY
from finetune.containers.rows import FILE_MAX_BYTES, Rows
from finetune.counting.tokens import TokenCounter
from finetune.formats.columns import columns_of
from finetune.formats.recognition import SAMPLE_BYTES, SAMPLE_ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from finetune.catalogue import Catalogue
    from finetune.containers.rows import Row
    from finetune.guidance import Task
    from finetune.report import FormatName, Report


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check has come: rows that are not blank, and bytes of the file as it is."""

    rows: int
    bytes_read: int


def check(  # noqa: PLR0913 - one call says all there is to say about a check
    blocks: Iterable[bytes],
    *,
    filename: str,
    catalogue: Catalogue,
    models: Sequence[str] = (),
    format_name: FormatName | None = None,
    min_examples: int = 10,
    max_bytes: int = FILE_MAX_BYTES,
    tiktoken_cache: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    alone: bool = False,
    task: Task | None = None,
    validation: Iterable[bytes] | None = None,
    validation_filename: str = "",
    test: Iterable[bytes] | None = None,
    test_filename: str = "",
) -> Report:
    """Return what is in a file and what is wrong with it; any bytes at all give a report.

    `blocks` are read once and not kept. Rows are read as `format_name` says; where it says nothing, as each row shows.
    `models` are those the data is meant for (names or aliases; UserError for an unknown one): the first one's tokenizer
    counts, the shortest context is checked, and those are priced that take the format. Without any, o200k_base counts,
    and every model on offer that takes the format is priced. `tiktoken_cache` is where ranks may be where `bpe-openai`
    is not installed (`finetune.counting.tokens`). `on_progress` is called after every block, at least every 4 MiB. A
    file of more than 4 MB of text is studied by a second process (`finetune.checking.batches`), unless `alone`.
    `task` is what the rows teach; where it is not said, it is inferred. `validation` and `test` are files of rows that
    must not be among those that are learnt; each is read once, before `blocks`.
    """
    question = Question.ask(models, catalogue, min_examples, task)
    counters = [TokenCounter.load(name, tiktoken_cache) for name in question.encodings]
    overlaps = _overlaps(validation, validation_filename, test, test_filename)
    survey = Survey(question.encodings, question.contexts, format_name, overlaps)

    def tell(bytes_read: int) -> None:
        if on_progress is not None:
            on_progress(Progress(survey.rows, bytes_read))

    rows = Rows(blocks, filename, max_bytes=max_bytes, on_block=tell)
    rows.doubts += [overlap.refusal for overlap in overlaps if overlap.refusal]
    columns: list[str] = []
    with Batches(question.encodings, tiktoken_cache, survey.weigh, alone=alone) as batches:
        for number, row in _sampled(rows, survey, columns):
            example = survey.add(number, row, rows.container.unit)
            if example is not None:
                batches.add(number, example)
        batches.finish()
    survey.finish()
    if not survey.rows:
        return refused(rows.refusal or EMPTY, rows, question, counters[0])
    return replace(conclude(survey, rows, question, counters), columns=tuple(columns))


def _overlaps(
    validation: Iterable[bytes] | None, validation_filename: str, test: Iterable[bytes] | None, test_filename: str
) -> list[Overlap]:
    """Read the files that are held out."""
    overlaps: list[Overlap] = []
    if validation is not None:
        overlaps.append(Overlap.read("validation", validation, validation_filename))
    if test is not None:
        overlaps.append(Overlap.read("test", test, test_filename))
    return overlaps


def _sampled(rows: Rows, survey: Survey, columns: list[str]) -> Iterator[Row]:
    """Yield all rows, once the survey has seen the first of them, and the names in those are among `columns`."""
    sample: list[Row] = []
    size = 0
    every = iter(rows)
    for number, row in every:
        sample.append((number, row))
        size += len(row) if isinstance(row, bytes) else 0
        if len(sample) == SAMPLE_ROWS or size > SAMPLE_BYTES:
            break
    survey.recogniser.learn(sample)
    columns += columns_of(row for _, row in sample)
    if survey.recogniser.doubt:
        rows.doubts.append(survey.recogniser.doubt)
    yield from sample
    yield from every
