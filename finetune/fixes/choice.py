"""Which fixes there are, in the order in which they are applied, and which of them may be applied without a thought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.findings import Severity
from finetune.fixes import texts
from finetune.fixes.columns import column_case, extra_column
from finetune.fixes.deletions import duplicate_row, empty_completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from finetune.fixes.row import Row
    from finetune.report import Report
    from finetune.shape import Shape

    Fix = Callable[[Iterable[Row]], Iterator[Row]]

SAFE: Final = ("column-case", "extra-column", "duplicate-row")
"""Fixes that take nothing away that training would have learnt from."""

BY_ITSELF: Final = ("empty-completion",)
"""Fixes that a person asks for one by one: an answer may be written in place of deleting its row."""

OF_TEXTS: Final[dict[str, Callable[[Shape], Fix]]] = {
    "prompt-prefix-common": texts.prompt_prefix,
    "completion-prefix-common": texts.completion_prefix,
    "upper-case": texts.upper_case,
    "separator-missing": texts.separator,
    "completion-suffix-missing": texts.completion_suffix,
    "completion-space-missing": texts.completion_space,
}
"""Fixes for base-completion models, made from what the rows share. They teach an instruct model junk.

What is taken off comes before what is put on: capitals of an ending stay.
"""

_PLAIN: Final[dict[str, Fix]] = {
    "column-case": column_case,
    "extra-column": extra_column,
    "empty-completion": empty_completion,
}


def fixes(codes: Iterable[str], shape: Shape) -> list[Fix]:
    """Return the fixes of some findings, in the order in which they must be applied.

    Columns first, then texts, then what is deleted for want of an answer; repetitions last, as the rows stand by then.
    KeyError for a code that has no fix.
    """
    wanted = set(codes)
    unknown = wanted - {*_PLAIN, *OF_TEXTS, "duplicate-row"}
    if unknown:
        raise KeyError(*sorted(unknown))
    chosen = [fix for code, fix in _PLAIN.items() if code in wanted and code not in BY_ITSELF]
    chosen += [make(shape) for code, make in OF_TEXTS.items() if code in wanted]
    chosen += [_PLAIN[code] for code in BY_ITSELF if code in wanted]
    return [*chosen, duplicate_row] if "duplicate-row" in wanted else chosen


def safe(report: Report) -> tuple[str, ...]:
    """Return the codes of a report's findings that have a safe fix."""
    found = {finding.code for finding in report.findings}
    return tuple(code for code in SAFE if code in found)


def for_base(report: Report) -> tuple[str, ...]:
    """Return the codes of findings about texts that matter to the models meant: base-completion ones alone."""
    found = {finding.code for finding in report.findings if finding.severity is Severity.WARNING}
    return tuple(code for code in OF_TEXTS if code in found)


def by_itself(report: Report) -> tuple[str, ...]:
    """Return the codes of a report's findings whose fix is offered one by one."""
    found = {finding.code for finding in report.findings}
    return tuple(code for code in BY_ITSELF if code in found)
