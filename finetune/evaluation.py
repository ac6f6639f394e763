"""Asking a tuned model about held-out rows: which, and what its answers come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from finetune.held_out import HeldOutRow  # noqa: TC001 - msgspec reads the annotations
from finetune.metrics import Confusion, Share, TwoClasses, accuracy, confusion, token_accuracy, two_classes, weighted_f1

if TYPE_CHECKING:
    from collections.abc import Mapping

LABEL_TOKENS_SPARE: Final = 4
"""Beyond the longest class: a space, an end, and what a model says that is no class."""

CLASSES_MIN: Final = 2
"""Labels from which on rows are to be sorted."""

EXACT_TASKS: Final = frozenset({"extraction", "fact-lookup"})
"""Tasks besides classification that have one right answer, so that comparing answers means something."""

TokenIds = Callable[[str], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: the rows in order; of a classifier the classes in alphabetical order, of two the positive one."""

    rows: tuple[HeldOutRow, ...]
    labels: tuple[str, ...] = ()
    positive: str = ""

    @property
    def max_tokens(self) -> int:
        """Enough for every class, or every answer, in any tokenizer: a token is a byte at least."""
        expected = self.labels or tuple(row.expected for row in self.rows)
        return max(len(text.encode()) for text in expected) + LABEL_TOKENS_SPARE


@dataclass(frozen=True, slots=True)
class Given:
    """What a model answered to a row: None where the provider refused to ask it. `score`: the positive class's odds."""

    answer: str | None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """What a classifier's answers come to, class by class.

    `commonest` is what always answering the commonest class, `commonest_label`, would get of the same rows.
    """

    matrix: Confusion
    weighted_f1: float | None
    commonest: Share
    commonest_label: str
    two: TwoClasses | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the answers come to: `right` are those that are just what was expected (sequence accuracy).

    `tokens` is token accuracy, None where tokens cannot be told or every answer is one. `refused` rows count nowhere.
    """

    right: Share
    tokens: Share | None = None
    classes: Classes | None = None
    refused: int = 0


def positive_of(counts: Mapping[str, int]) -> str:
    """Return the class of two that figures are about: the rarer one, which is what one looks for; "" for more classes.

    Of two that are as frequent it is the later in the alphabet ("yes" after "no").
    """
    return min(sorted(counts, reverse=True), key=lambda label: counts[label]) if len(counts) == 2 else ""


def scores_of(plan: Plan, given: Sequence[Given], token_ids: TokenIds | None = None) -> Scores | None:
    """Return what the answers so far come to, row by row; None where there is none."""
    pairs = [
        (row.expected, one.answer.strip(), one.score)
        for row, one in zip(plan.rows, given, strict=False)
        if one.answer is not None
    ]
    if not pairs:
        return None
    expected, answered, odds = (list(column) for column in zip(*pairs, strict=True))
    return Scores(
        right=accuracy(expected, answered),
        tokens=_tokens(expected, answered, token_ids) if token_ids else None,
        classes=_classes(plan, expected, answered, odds) if plan.labels else None,
        refused=len(given) - len(pairs),
    )


def _tokens(expected: Sequence[str], answered: Sequence[str], token_ids: TokenIds) -> Share | None:
    wanted = [token_ids(text) for text in expected]
    if max(map(len, wanted)) <= 1:
        return None
    return token_accuracy(wanted, [token_ids(text) for text in answered])


def _classes(plan: Plan, expected: list[str], answered: list[str], odds: Sequence[float | None]) -> Classes:
    matrix = confusion(expected, answered, plan.labels)
    label, count = min(Counter(expected).items(), key=lambda one: (-one[1], one[0]))
    is_two = len(matrix.labels) == 2 and plan.positive in matrix.labels
    return Classes(
        matrix=matrix,
        weighted_f1=weighted_f1(matrix),
        commonest=Share(count, len(expected)),
        commonest_label=label,
        two=two_classes(matrix, plan.positive, expected=expected, scores=odds) if is_two else None,
    )
