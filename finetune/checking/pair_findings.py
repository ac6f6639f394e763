"""Findings about what prompts and completions share: the rules of OpenAI's `prepare_data`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.checking.rules import file_finding, row_finding
from finetune.shape import (
    COMPLETION_PREFIX_GOOD_CHARACTERS,
    PROMPT_PREFIX_GOOD_CHARACTERS,
    SEPARATOR_GOOD_CHARACTERS,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from finetune.checking.first_rows import FirstRows
    from finetune.checking.pairs import Pairs
    from finetune.findings import Finding
    from finetune.guidance import Task
    from finetune.shape import Shape

_FEWEST_ROWS = 2
"""What a single row has in common with itself says nothing."""


def pair_findings(pairs: Pairs, shape: Shape, task: Task | None, total: int, *, for_base: bool) -> Iterator[Finding]:
    """Yield the findings about pairs, for a file of `total` rows; `for_base` as `finetune.checking.rules` has it."""
    if shape.rows < _FEWEST_ROWS:
        return
    if not shape.open_ended:
        yield from _prompts(shape, pairs.prompts.suffix.inside(), total, for_base=for_base)
    yield from _completions(shape, task, for_base=for_base)
    if shape.leading_spaces_expected and pairs.spaceless.count:
        spaceless = pairs.spaceless
        yield row_finding("completion-space-missing", tuple(spaceless.rows), spaceless.count, total, for_base=for_base)
    if shape.upper_case:
        yield file_finding("upper-case", columns=" and ".join(f"the {column}s" for column in shape.upper_case))


def _prompts(shape: Shape, inside: FirstRows, total: int, *, for_base: bool) -> Iterator[Finding]:
    if shape.prompts_identical:
        yield file_finding("prompts-identical")
        return
    separator = written(shape.suggested_separator)
    if not shape.separator:
        yield file_finding("separator-missing", for_base=for_base, separator=separator)
    elif inside.count:
        yield row_finding(
            "separator-inside", tuple(inside.rows), inside.count, total, for_base=for_base, separator=separator
        )
    if len(shape.separator) > SEPARATOR_GOOD_CHARACTERS:
        length = len(shape.separator)
        yield file_finding("separator-long", for_base=for_base, characters=f"{length:,}", separator=separator)
    if len(shape.prompt_prefix) > PROMPT_PREFIX_GOOD_CHARACTERS:
        yield file_finding("prompt-prefix-common", for_base=for_base, characters=f"{len(shape.prompt_prefix):,}")


def _completions(shape: Shape, task: Task | None, *, for_base: bool) -> Iterator[Finding]:
    if shape.completions_identical:
        yield file_finding("completions-identical")
        return
    if len(shape.completion_prefix) > COMPLETION_PREFIX_GOOD_CHARACTERS:
        length = len(shape.completion_prefix)
        yield file_finding("completion-prefix-common", for_base=for_base, characters=f"{length:,}")
    if not shape.ending and task not in {"open-ended", "classification"}:
        yield file_finding("completion-suffix-missing", for_base=for_base, ending=written(shape.suggested_ending))
