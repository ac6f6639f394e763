"""What is remembered of asking a tuned model about held-out rows: how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["", "test"]
"""Where rows are from: rows held out for validation, or the frozen test part of a split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """An evaluation of a job's model, while it goes on and after it. Rows, classes and answers are blobs.

    `plan` is a `finetune.evaluation.Plan`, `answers` a list of `Given`, `scores` a `Scores`, each as JSON, `chart` the
    picture of the confusion matrix, which only a classifier has. `rows` of the `held_out` rows are asked, `asked` of
    them have been. `stopped` says why not all were: "time", "price" or "provider". `cost_usd` is what asking has cost.
    `source`: where the rows are from.
    """

    plan: str
    rows: int
    held_out: int
    begun_ms: int
    is_classifier: bool = True
    with_odds: bool = True
    answers: str = ""
    asked: int = 0
    cost_usd: float = 0.0
    stopped: str = ""
    right: int = 0
    scored: int = 0
    scores: str = ""
    chart: str = ""
    source: Source = ""
