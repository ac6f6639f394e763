"""Asking a tuned model about held-out rows: which, and what its answers come to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from finetune.held_out import HeldOutRow  # noqa: TC001 - msgspec reads the annotations
from finetune.metrics import Confusion, Share, TwoClasses, accuracy, confusion, two_classes, weighted_f1

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABEL_TOKENS_SPARE: Final = 4
"""Beyond the longest class: a space, an end, and what a model says that is no class."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: the rows in order, the classes in alphabetical order, and of two the positive one."""

    rows: tuple[HeldOutRow, ...]
    labels: tuple[str, ...]
    positive: str = ""

    @property
    def max_tokens(self) -> int:
        """Enough for every class in any tokenizer: a token is a byte at least."""
        return max(len(label.encode()) for label in self.labels) + LABEL_TOKENS_SPARE


@dataclass(frozen=True, slots=True)
class Given:
    """What a model answered to a row: None where the provider refused to ask it. `score`: the positive class's odds."""

    answer: str | None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the answers come to. `commonest`: what always answering the commonest class would get of the same rows."""

    right: Share
    weighted_f1: float | None
    matrix: Confusion
    commonest: Share
    commonest_label: str
    two: TwoClasses | None = None
    refused: int = 0


def positive_of(counts: Mapping[str, int]) -> str:
    """Return the class of two that figures are about: the rarer one, which is what one looks for; "" for more classes.

    Of two that are as frequent it is the later in the alphabet ("yes" after "no").
    """
    return min(sorted(counts, reverse=True), key=lambda label: counts[label]) if len(counts) == 2 else ""


def scores_of(plan: Plan, given: Sequence[Given]) -> Scores | None:
    """Return what the answers so far come to, row by row; None where there is none."""
    pairs = [
        (row.expected, one.answer.strip(), one.score)
        for row, one in zip(plan.rows, given, strict=False)
        if one.answer is not None
    ]
    if not pairs:
        return None
    expected, answered, scores = zip(*pairs, strict=True)
    matrix = confusion(expected, answered, plan.labels)
    label, count = min(Counter(expected).items(), key=lambda one: (-one[1], one[0]))
    is_two = len(matrix.labels) == 2 and plan.positive in matrix.labels
    return Scores(
        right=accuracy(expected, answered),
        weighted_f1=weighted_f1(matrix),
        matrix=matrix,
        commonest=Share(count, len(pairs)),
        commonest_label=label,
        two=two_classes(matrix, plan.positive, expected=expected, scores=scores) if is_two else None,
        refused=len(given) - len(pairs),
    )
