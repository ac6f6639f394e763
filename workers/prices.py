"""What a model's answers cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.catalogue import Model


def price_usd(model: Model | None, prompt_tokens: int, answer_tokens: int) -> float | None:
    """Return what an answer costs, in US dollars; None where the table has no price for it."""
    if model is None or model.input_usd_per_million is None or model.output_usd_per_million is None:
        return None
    return (prompt_tokens * model.input_usd_per_million + answer_tokens * model.output_usd_per_million) / 1_000_000
