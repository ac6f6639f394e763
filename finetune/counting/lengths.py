"""The distribution of example lengths, kept as counts so that memory does not grow with the file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from finetune.report import Tokens


@dataclass(slots=True)
class Lengths:
    """How many examples there are of each length in tokens."""

    counts: dict[int, int] = field(default_factory=dict[int, int])

    def add(self, tokens: int) -> None:
        """Count one example more."""
        self.counts[tokens] = self.counts.get(tokens, 0) + 1

    def capped(self, context: int) -> int:
        """Return the tokens training reads: of each example no more than `context`."""
        return sum(min(tokens, context) * examples for tokens, examples in self.counts.items())

    def summary(self) -> Tokens:
        """Return total, longest, median and 95th percentile, the last two by nearest rank."""
        if not self.counts:
            return Tokens()
        total = sum(tokens * examples for tokens, examples in self.counts.items())
        return Tokens(total, max(self.counts), self._percentile(0.5), self._percentile(0.95))

    def _percentile(self, share: float) -> int:
        rank = math.ceil(share * sum(self.counts.values()))
        seen = 0
        for tokens in sorted(self.counts):
            seen += self.counts[tokens]
            if seen >= rank:
                return tokens
        return 0
