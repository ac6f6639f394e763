"""What takes time to find out of a text: its tokens, what it resembles, and whether it holds something sensitive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from finetune.checking.sensitive import SensitiveCode, sensitive_rows
from finetune.checking.windows import SKETCH_SIZE, sketches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from finetune.counting.tokens import TokenCounter

_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_SET_BY_THE_TEAM = frozenset({"system", "developer"})
"""What these messages say is the same in many rows, and makes none a near-duplicate."""

_REMEMBERED = 512
_REMEMBERED_MAX_CHARACTERS = 5_000
"""The counts of so many texts are kept, no longer than this: roles, system messages and labels come again and again."""


class Looks(msgspec.Struct, gc=False):
    """What a batch of rows looks like.

    `sketches` are 20 unsigned 32-bit numbers a row, and `numbers` one (`finetune.checking.windows`); `sensitive` has
    (index of the row, code, what it is).
    """

    sketches: bytes
    numbers: bytes
    sensitive: list[tuple[int, SensitiveCode, str]]

    def sketched(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return the sketches, a row each, and the numbers."""
        return (
            np.frombuffer(self.sketches, dtype=np.uint32).reshape(-1, SKETCH_SIZE),
            np.frombuffer(self.numbers, dtype=np.uint32),
        )


class Studied(msgspec.Struct, gc=False):
    """What was found of a batch of rows: for each counter, the tokens of every row's texts; and their looks."""

    tokens: list[list[int]]
    looks: Looks


def look_at(rows: Sequence[Sequence[str]]) -> Looks:
    """Return what `rows`, each given as its texts, look like."""
    found, numbers = sketches([" ".join(_said(texts)) for texts in rows])
    return Looks(found.tobytes(), numbers.tobytes(), sensitive_rows(["\n".join(texts) for texts in rows]))


class TokenStudy:
    """Counts the tokens of rows, each given as its texts, by several counters."""

    def __init__(self, counters: Sequence[TokenCounter]) -> None:
        self._counters = counters
        self._remembered: list[dict[str, int]] = [{} for _ in counters]

    def of(self, rows: Sequence[Sequence[str]]) -> list[list[int]]:
        """Return, for each counter, the tokens of each row."""
        return [
            [self._count(counter, known, texts) for texts in rows]
            for counter, known in zip(self._counters, self._remembered, strict=True)
        ]

    @staticmethod
    def _count(counter: TokenCounter, known: dict[str, int], texts: Sequence[str]) -> int:
        total = 0
        for text in texts:
            tokens = known.get(text)
            if tokens is None:
                tokens = counter.count(text)
                if len(known) < _REMEMBERED and len(text) <= _REMEMBERED_MAX_CHARACTERS:
                    known[text] = tokens
            total += tokens
        return total


def _said(texts: Sequence[str]) -> Sequence[str]:
    """Return the texts without roles, and without what the team says before the conversation."""
    rest = texts[2:] if texts and texts[0] in _SET_BY_THE_TEAM else texts
    return [text for text in rest if text not in _ROLES]
