"""What a check is asked: for which models, and how much there must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.catalogue import Catalogue, Model
    from finetune.counting.tokens import EncodingName
    from finetune.guidance import Task


@dataclass(frozen=True, slots=True)
class Question:
    """What a check is asked.

    The models the data is `asked` for, those to be `priced`, the fewest examples, and the task, where it was said.
    """

    catalogue: Catalogue
    asked: tuple[Model, ...]
    priced: tuple[Model, ...]
    min_examples: int
    task: Task | None = None

    @classmethod
    def ask(cls, models: Sequence[str], catalogue: Catalogue, min_examples: int, task: Task | None = None) -> Question:
        """Return the question; UserError where the catalogue does not know a model."""
        asked = tuple(_known(name, catalogue) for name in models)
        on_offer = tuple(model for model in catalogue.on_offer() if "supervised" in model.methods)
        return cls(catalogue, asked, asked or on_offer, min_examples, task)

    @property
    def encodings(self) -> tuple[EncodingName, ...]:
        """Return the tokenizers needed, the one that the report shows first."""
        first: tuple[EncodingName, ...] = () if self.asked else ("o200k_base",)
        return tuple(dict.fromkeys([*first, *(model.encoding for model in self.priced)]))

    @property
    def contexts(self) -> dict[str, int]:
        """Return, by encoding, the shortest context of the models asked about; the longest on offer, if about none."""
        if not self.asked:
            longest = max((model.context for model in self.priced), default=None)
            return {} if longest is None else {self.encodings[0]: longest}
        shortest: dict[str, int] = {}
        for model in self.asked:
            shortest[model.encoding] = min(model.context, shortest.get(model.encoding, model.context))
        return shortest

    @property
    def is_for_base(self) -> bool:
        """Return whether one of the models asked about only completes texts, and was never taught to converse."""
        return any("chat" not in model.formats and "prompt-completion" in model.formats for model in self.asked)

    @property
    def contexts_in_words(self) -> str:
        """Return how much the model with the shortest context reads, or the one with the longest if none was named."""
        if not self.asked:
            return f"none on offer reads more than {max(self.contexts.values(), default=0):,} tokens"
        shortest = min(self.asked, key=lambda model: model.context)
        return f"{shortest.name} reads {shortest.context:,} tokens"


def _known(name: str, catalogue: Catalogue) -> Model:
    model = catalogue.get(name)
    if model is None:
        known = ", ".join(model.name for model in catalogue.on_offer())
        raise UserError("unknown-model", "The price table has no model of that name.", f"It has {known}.")
    return model
