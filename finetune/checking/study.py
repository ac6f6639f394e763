"""What takes time to find out of a text: its tokens, what it resembles, and whether it holds something sensitive."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from finetune.checking.plain import plain
from finetune.checking.sensitive import SensitiveCode, sensitive_of, sensitive_rows
from finetune.checking.windows import SKETCH_SIZE, TEXT_MAX_CHARACTERS, sketches, sketches_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from finetune.counting.tokens import TokenCounter

Rows = Sequence[Sequence[bytes]]
"""Rows, each as its texts in UTF-8, of which every second one is a role where it is a conversation."""

_ROLES = frozenset({b"system", b"developer", b"user", b"assistant", b"tool", b"function"})
_SET_BY_THE_TEAM = frozenset({b"system", b"developer"})
"""What these messages say is the same in many rows, and makes none a near-duplicate."""


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


def look_at(rows: Rows) -> Looks:
    """Return what rows look like."""
    if any(sum(map(len, texts)) > TEXT_MAX_CHARACTERS for texts in rows):  # which are cut before anything else
        found, numbers = sketches([b" ".join(_said(texts)).decode() for texts in rows])
        sensitive = sensitive_rows([b"\n".join(texts).decode() for texts in rows])
    else:
        plain_rows = [list(map(plain, texts)) for texts in rows]
        found, numbers = sketches_of([b" ".join(_said(texts)) for texts in plain_rows])
        sensitive = sensitive_of(list(map(b"\n".join, plain_rows)))
    return Looks(found.tobytes(), numbers.tobytes(), sensitive)


class TokenStudy:
    """Counts the tokens of rows by several counters."""

    def __init__(self, counters: Sequence[TokenCounter]) -> None:
        self._counters = counters

    def of(self, rows: Rows) -> list[list[int]]:
        """Return, for each counter, the tokens of each row."""
        texts = list(chain.from_iterable(rows))
        every = [iter(counter.count_all(texts)) for counter in self._counters]
        return [[sum(islice(counts, len(row))) for row in rows] for counts in every]


def _said(texts: Sequence[bytes]) -> Sequence[bytes]:
    """Return the texts without roles, and without what the team says before the conversation."""
    rest = texts[2:] if texts and texts[0] in _SET_BY_THE_TEAM else texts
    return [text for text in rest if text not in _ROLES]
