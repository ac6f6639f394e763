"""What a tuned model's answers cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.catalogue import Model


def price_usd(model: Model | None, prompt_tokens: int, answer_tokens: int) -> float | None:
    """Return what an answer of a model tuned from `model` costs, in US dollars; None where nobody knows."""
    price = model.tuned_price if model else None
    return price.usd(prompt_tokens, answer_tokens) if price else None
