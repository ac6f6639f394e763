"""Two models on the same rows: how many each gets right, the gain of one over the other, and how sure that is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from finetune.metrics import Z_95, Share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.evaluation import Given
    from finetune.held_out import HeldOutRow

ROWS_MIN: Final = 20
"""From fewer rows nothing is concluded: the interval is an approximation, and so few rows are seldom like the rest."""

WORTH: Final = 0.10
"""A gain as large as this must be ruled out before it is said that there is none."""

STEPS: Final = 60
QUOTES: Final = "\"'`"


class Verdict(StrEnum):
    """What an interval allows to be said of the tuned model."""

    BETTER = "better"
    NO_GAIN = "no-gain"
    WORSE = "worse"
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True)
class Gain:
    """A difference of two shares, from -1 to 1, and the 95% interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The rows that both models answered, by who was right: `both`, the tuned model `only`, the `other` only, `none`.

    `refused` rows count nowhere: the provider would not ask one of the models. Of the counted ones `commonest` expect
    the same answer, which is what somebody who always gave that one would get right.
    """

    both: int = 0
    only: int = 0
    other: int = 0
    none: int = 0
    refused: int = 0
    commonest: int = 0

    @property
    def rows(self) -> int:
        """How many rows both have answered."""
        return self.both + self.only + self.other + self.none

    @property
    def tuned_right(self) -> int:
        """How many the tuned model got right."""
        return self.both + self.only

    @property
    def other_right(self) -> int:
        """How many the other model got right."""
        return self.both + self.other

    @property
    def gain(self) -> Gain:
        """What the tuned model gets right more often than the other."""
        return gain(self.only, self.other, self.rows)

    @property
    def is_more_than_habit(self) -> bool:
        """Whether the tuned model surely gets more right than always giving the commonest answer would."""
        return Share(self.tuned_right, self.rows).interval.low > self.commonest / max(1, self.rows)

    @property
    def verdict(self) -> Verdict:
        """What may be said, from the interval alone."""
        found = self.gain
        if self.rows < ROWS_MIN:
            return Verdict.TOO_FEW
        if found.low > 0:
            return Verdict.BETTER
        if found.high < 0:
            return Verdict.WORSE
        return Verdict.NO_GAIN if found.high < WORTH else Verdict.TOO_FEW


def compared(rows: Iterable[HeldOutRow], tuned: Iterable[Given | None], other: Iterable[Given | None]) -> Paired:
    """Return who was right, row by row; rows that one of the models was not asked (None) are left out."""
    counts: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for row, first, second in zip(rows, tuned, other, strict=False):
        if first is None or second is None:
            continue
        if first.answer is None or second.answer is None:
            counts["refused"] += 1
        else:
            counts[_WHO[is_right(first.answer, row.expected), is_right(second.answer, row.expected)]] += 1
            expected[_bare(row.expected, first_line=False)] += 1
    return Paired(**counts, commonest=max(expected.values(), default=0))


_WHO: Final = {(True, True): "both", (True, False): "only", (False, True): "other", (False, False): "none"}


def is_right(answer: str, expected: str) -> bool:
    """Whether an answer is what was expected, as a reader takes it.

    A model that was not tuned on the rows knows the answer's form only from its prompt, so of both models the same is
    overlooked: capitals, blanks, quotation marks, a full stop at the end and, of an answer of one line, lines after it.
    """
    return _bare(answer, first_line="\n" not in expected.strip()) == _bare(expected, first_line=False)


def _bare(text: str, *, first_line: bool) -> str:
    said = text.strip()
    if first_line:
        said = said.partition("\n")[0]
    return " ".join(said.strip().strip(QUOTES).removesuffix(".").strip().strip(QUOTES).casefold().split())


def gain(only: int, other: int, rows: int, z: float = Z_95) -> Gain:
    """Return the difference of two shares of the same rows, by Tango's asymptotic score interval.

    `only` and `other` are the rows that one model alone and the other alone got right. The interval is the set of
    differences that McNemar's score test does not reject, so that it leaves out 0 just where that test is significant;
    it stays within -1 to 1, and says something where both counts are 0. T. Tango, Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design, Statistics in Medicine 17 (1998), 891-908;
    recommended in M. W. Fagerland, S. Lydersen, P. Laake, Recommended tests and confidence intervals for paired
    binomial proportions, Statistics in Medicine 33 (2014), 2850-2875.
    """
    if rows <= 0:
        return Gain(0.0, -1.0, 1.0)
    found = (only - other) / rows
    return Gain(found, _limit(only, other, rows, z, found, -1.0), _limit(only, other, rows, z, found, 1.0))


def _limit(only: int, other: int, rows: int, z: float, inner: float, outer: float) -> float:
    """The difference between `inner` and `outer` that is just not rejected: the score falls as the difference grows."""
    for _ in range(STEPS):
        middle = (inner + outer) / 2
        if abs(_score(only, other, rows, middle)) <= z:
            inner = middle
        else:
            outer = middle
    return (inner + outer) / 2


def _score(only: int, other: int, rows: int, difference: float) -> float:
    """How many standard deviations the counts are from what `difference` would lead one to expect."""
    b = (2 * rows - only + other) * difference - only - other
    c = -other * difference * (1 - difference)
    chance = max(0.0, (math.sqrt(max(0.0, b * b - 8 * rows * c)) - b) / (4 * rows))  # of `other`, most likely
    variance = rows * (2 * chance + difference * (1 - difference))
    distance = only - other - rows * difference
    if variance <= 0:
        return 0.0 if abs(distance) < 1e-9 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)
