"""What the examples of one format have in common, gathered as they go by, for the findings about all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from finetune.checking.cues import LABEL_MAX_CHARACTERS, Cues
from finetune.checking.duplicates import Keys
from finetune.checking.pairs import Pairs

if TYPE_CHECKING:
    from finetune.formats.example import Example
    from finetune.report import FormatName
    from finetune.shape import Shape

LABELS_MAX: Final = 256
"""So many completions are kept to be counted, should they turn out to be labels."""


@dataclass(slots=True)
class Traits:
    """Keys and cues of examples; for a format of prompts and completions, what those share.

    `labels` are the first different completions that are short enough for one.
    """

    pairs: Pairs | None = None
    keys: Keys = field(default_factory=Keys)
    cues: Cues = field(default_factory=Cues)
    labels: set[str] = field(default_factory=set[str])

    @classmethod
    def of(cls, name: FormatName) -> Traits:
        """Return what is to be gathered of a format."""
        return cls(Pairs() if name == "prompt-completion" else None)

    def add(self, example: Example, row: int) -> None:
        """Take one example more into account, of a row later than those before."""
        self.keys.add(example, row)
        if self.pairs is not None:
            self.pairs.add(example.prompt, example.completion, row)
            if len(self.labels) < LABELS_MAX and len(example.completion) <= LABEL_MAX_CHARACTERS:
                self.labels.add(example.completion)
        if example.prompt and example.completion:
            self.cues.add(example.prompt, example.completion, row)

    def shape(self) -> Shape | None:
        """Return what prompts and completions share; None for a format that has none."""
        return None if self.pairs is None else self.pairs.shape(len(self.keys.answers()[0]))
