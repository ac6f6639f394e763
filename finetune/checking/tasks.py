"""What a file's rows are to teach, inferred from what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from finetune.checking.cues import Cues
    from finetune.checking.traits import Traits
    from finetune.guidance import Task
    from finetune.report import FormatName
    from finetune.shape import Shape

ROWS_A_CLASS: Final = 3
"""Fewer different completions than a third of the rows are classes: the rule of `prepare_data`."""

_LEAST_ROWS: Final = 3
_SHORT_SHARE, _COPIED_SHARE, _LISTS_SHARE, _FACTS_SHARE = 0.9, 0.6, 0.2, 0.5
_OF_CHAT: Final = frozenset({"chat", "alpaca", "sharegpt"})


def infer_task(name: FormatName, examples: int, traits: Traits, shape: Shape | None) -> Task | None:
    """Return the task of `examples` of a format, None for preferences and reinforcement items.

    Of pairs, open-ended text and classification are told apart as `prepare_data` did; conversations are classified
    where nearly all of them are one question and a short answer, too.
    """
    cues = traits.cues
    if shape is not None:
        if shape.open_ended:
            return "open-ended"
        if shape.distinct_completions * ROWS_A_CLASS < shape.rows:
            return "classification"
        return _narrower(cues) or "conditional-generation"
    if name not in _OF_CHAT:
        return None
    answers = len(traits.keys.answers()[0])
    is_sorted = 1 < answers < examples / ROWS_A_CLASS and cues.short >= examples * _SHORT_SHARE
    return "classification" if is_sorted else _narrower(cues) or "chat"


def _narrower(cues: Cues) -> Task | None:
    if cues.rows < _LEAST_ROWS:
        return None
    if cues.copied >= cues.rows * _COPIED_SHARE and cues.lists >= cues.rows * _LISTS_SHARE:
        return "extraction"
    return "fact-lookup" if cues.facts >= cues.fact_rows * _FACTS_SHARE else None
