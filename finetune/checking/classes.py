"""Findings about classes: how many examples each has, and how its label is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from finetune.checking.duplicates import answer_key
from finetune.checking.rules import file_finding, row_finding
from finetune.findings import ROWS_SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from finetune.checking.duplicates import Keys
    from finetune.findings import Finding

EXAMPLES_A_CLASS: Final = 100
IMBALANCE_TIMES: Final = 3
"""From so many times the examples of the smallest class on, the largest one is said to be too large."""

_FEWEST_CLASSES: Final = 2
_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a file: the answers' keys, and how many rows give each."""

    keys: Keys
    total: int

    def findings(self) -> Iterator[Finding]:
        """Yield the findings about the classes' sizes."""
        answers, counts = self.keys.answers()
        if len(answers) < _FEWEST_CLASSES:
            return
        small = counts < EXAMPLES_A_CLASS
        if small.any():
            yield self._too_small(answers[small], int(counts.min()), len(answers))
        times = int(counts.max() // counts.min())
        if times >= IMBALANCE_TIMES:
            yield file_finding("class-imbalance", times=f"{times:,}")

    def many_tokens(self, labels: Iterable[str], stop: str, count: Callable[[str], int]) -> Iterator[Finding]:
        """Yield the finding about labels that are longer than a token without the `stop` they end with.

        Those in Korean and Japanese aside, where hardly any word is one token.
        """
        long = [label for label in labels if _is_long(label.removesuffix(stop), count)]
        if long and len(self.keys.answers()[0]) >= _FEWEST_CLASSES:
            rows, number = self._rows_of(np.array([answer_key(label) for label in long], dtype=np.uint32))
            classes = "1 label" if len(long) == 1 else f"{len(long):,} labels"
            yield row_finding("label-many-tokens", rows, number, self.total, detail=f" ({classes} in all)")

    def _too_small(self, answers: NDArray[np.uint32], smallest: int, classes: int) -> Finding:
        rows, count = self._rows_of(answers)
        which = f"{len(answers):,} of {classes:,}" if len(answers) < classes else f"All {classes:,}"
        have = "has" if len(answers) == 1 else "have"
        message = f"{which} classes {have} fewer than {EXAMPLES_A_CLASS} examples; the smallest has {smallest:,}."
        return replace(row_finding("class-too-small", rows, count, self.total), message=message)

    def _rows_of(self, answers: NDArray[np.uint32]) -> tuple[tuple[int, ...], int]:
        answered = np.frombuffer(self.keys.answered, dtype=np.uint32)
        places = np.flatnonzero(np.isin(answered, answers))
        first = np.frombuffer(self.keys.rows, dtype=np.uint32)[places[:ROWS_SHOWN]]
        return tuple(first.tolist()), len(places)


def _is_long(label: str, count: Callable[[str], int]) -> bool:
    """Return whether a label is several tokens, with or without a space before it."""
    text = label.strip()
    return bool(text) and not _EAST_ASIAN.search(text) and min(count(text), count(f" {text}")) > 1
