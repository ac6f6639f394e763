"""How well answers fit what was expected: pure arithmetic, checked against scikit-learn's (tests/finetune).

Figures are shares from 0 to 1; None where a figure does not exist, such as precision where nothing was predicted.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Token = TypeVar("Token", bound="Hashable")

Z_95: Final = 1.959963984540054
"""Standard normal deviations on either side of the mean that hold 95%."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a share probably lies: 95%, by Wilson's score."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """`right` of `total`, and the interval around that share."""

    right: int
    total: int

    @property
    def value(self) -> float:
        """The share itself; 0 of nothing."""
        return self.right / self.total if self.total else 0.0

    @property
    def interval(self) -> Interval:
        """Wilson's interval."""
        return wilson(self.right, self.total)


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each class (row) was answered by each class (column), in the order of `labels`.

    The last column, beyond `labels`, counts answers that are no class at all.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def support(self, label: str) -> int:
        """How many rows are of a class."""
        return sum(self.counts[self.labels.index(label)])

    def hits(self, label: str) -> int:
        """How many of a class were answered right."""
        place = self.labels.index(label)
        return self.counts[place][place]

    def answered(self, label: str) -> int:
        """How many answers named a class, rightly or not."""
        place = self.labels.index(label)
        return sum(row[place] for row in self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoClasses:
    """Figures about `positive`, one class of two.

    `precision`, `recall` and `f1` are of the answers, which at temperature 0 is the class above 0.5. `auroc` and
    `auprc` need a probability for each row and both classes among them.
    """

    positive: str
    precision: float | None
    recall: float | None
    f1: float | None
    auroc: float | None = None
    auprc: float | None = None


def wilson(right: int, total: int, z: float = Z_95) -> Interval:
    """Return the interval in which a share of `right` in `total` lies, by Wilson's score; 0 to 1 for nothing at all.

    Unlike the share plus and minus its deviation it stays within 0 to 1 and says something of 10 in 10.
    """
    if total <= 0:
        return Interval(0.0, 1.0)
    share, square = right / total, z * z
    middle = (share + square / (2 * total)) / (1 + square / total)
    reach = z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    low = 0.0 if right == 0 else max(0.0, middle - reach)
    return Interval(low, 1.0 if right == total else min(1.0, middle + reach))


def accuracy(expected: Sequence[str], answered: Sequence[str]) -> Share:
    """Return how many answers are what was expected; ValueError where the lengths differ."""
    return Share(sum(want == got for want, got in zip(expected, answered, strict=True)), len(expected))


def confusion(expected: Sequence[str], answered: Sequence[str], labels: Sequence[str] = ()) -> Confusion:
    """Return the confusion matrix over `labels` and every class expected besides, in alphabetical order."""
    names = tuple(sorted({*labels, *expected}))
    pairs = Counter(zip(expected, answered, strict=True))
    strays = Counter(dict.fromkeys(names, 0))
    for (want, got), count in pairs.items():
        strays[want] += 0 if got in names else count
    return Confusion(names, tuple((*(pairs[want, got] for got in names), strays[want]) for want in names))


def weighted_f1(matrix: Confusion) -> float | None:
    """Return the mean of the classes' F1, each weighed by its rows; None without rows."""
    rows = sum(matrix.support(label) for label in matrix.labels)
    if not rows:
        return None
    return sum(f1_of(matrix, label) * matrix.support(label) for label in matrix.labels) / rows


def f1_of(matrix: Confusion, label: str) -> float:
    """Return a class's F1, 0 where it was neither expected nor answered."""
    named = matrix.support(label) + matrix.answered(label)
    return 2 * matrix.hits(label) / named if named else 0.0


def two_classes(
    matrix: Confusion, positive: str, *, expected: Sequence[str] = (), scores: Sequence[float | None] = ()
) -> TwoClasses:
    """Return the figures of a matrix of two classes; `scores` are each row's probability of `positive`.

    Rows without a score are left out of AUROC and AUPRC. ValueError where there are not two classes.
    """
    if len(matrix.labels) != 2:
        raise ValueError(f"{len(matrix.labels)} classes, not two")
    scored = [(want == positive, score) for want, score in zip(expected, scores, strict=False) if score is not None]
    truths, known = [truth for truth, _ in scored], [score for _, score in scored]
    support, named, hits = matrix.support(positive), matrix.answered(positive), matrix.hits(positive)
    return TwoClasses(
        positive=positive,
        precision=hits / named if named else None,
        recall=hits / support if support else None,
        f1=f1_of(matrix, positive) if support or named else None,
        auroc=auroc(truths, known),
        auprc=auprc(truths, known),
    )


def auroc(truths: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Return the chance that a positive row scores above a negative one, ties counting half; None of one class."""
    positives = sum(truths)
    negatives = len(truths) - positives
    if not positives or not negatives:
        return None
    ranked = sorted(zip(scores, truths, strict=True))
    below, won = 0, 0.0
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        group = [truth for _, truth in tied]
        up = sum(group)
        down = len(group) - up
        won += up * (below + down / 2)
        below += down
    return won / (positives * negatives)


def auprc(truths: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Return the average precision: precision at each threshold, weighed by the recall it gains; None of one class.

    This is scikit-learn's `average_precision_score`, without the optimism of drawing straight lines between points.
    """
    positives = sum(truths)
    if not positives or positives == len(truths):
        return None
    ranked = sorted(zip(scores, truths, strict=True), reverse=True)
    seen, found, area = 0, 0, 0.0
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        group = [truth for _, truth in tied]
        seen, gained = seen + len(group), sum(group)
        found += gained
        area += gained / positives * (found / seen)
    return area


def sequence_accuracy(expected: Sequence[Sequence[Token]], answered: Sequence[Sequence[Token]]) -> Share:
    """Return how many whole sequences are the same: [1,2],[0,5],[4,2] against [1,1],[0,5],[4,2] is 2 of 3."""
    pairs = zip(expected, answered, strict=True)
    return Share(sum(list(want) == list(got) for want, got in pairs), len(expected))


def token_accuracy(expected: Sequence[Sequence[Token]], answered: Sequence[Sequence[Token]]) -> Share:
    """Return how many expected tokens stand in their places: [1,2],[0,5],[4,2] against [1,1],[0,5],[4,2] is 5 of 6.

    What an answer has beyond its expected length counts neither way; what it lacks is wrong.
    """
    right = sum(
        want == got
        for wants, gots in zip(expected, answered, strict=True)
        for want, got in zip(wants, gots, strict=False)
    )
    return Share(right, sum(map(len, expected)))
