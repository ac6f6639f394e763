"""Rows that ask, or ask and answer, what another one does, found from keys after the file has been read."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from finetune.formats.example import same_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from finetune.formats.example import Example

_ANSWER_BITS = 0xFFFFFFFF
"""Of an answer's key 32 bits are kept: answers are only compared where the same is asked, or to be counted."""


def answer_key(text: str) -> int:
    """Return the key that an example has in `Keys.answered` if it answers `text`."""
    return _short(same_text(text))


def _short(answered: int) -> int:
    return answered & _ANSWER_BITS or 1


@dataclass
class Keys:
    """Of every example what it asks, what it answers and its row: 16 bytes."""

    asked: array[int] = field(default_factory=lambda: array("q"))
    answered: array[int] = field(default_factory=lambda: array("I"))
    rows: array[int] = field(default_factory=lambda: array("I"))

    def add(self, example: Example, row: int) -> None:
        """Remember one example; all are added before anything is asked."""
        self.asked.append(example.asked)
        self.answered.append(0 if example.answered is None else _short(example.answered))
        self.rows.append(row)

    def repeats(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Return the rows that repeat an earlier one, in the order of the file, and the first such row of each."""
        places, _, begins = self._same_questions
        rows = np.frombuffer(self.rows, dtype=np.uint32)[places]
        first = rows[np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))]
        order = np.argsort(rows[~begins])
        return rows[~begins][order], first[~begins][order]

    def conflicts(self) -> NDArray[np.uint32]:
        """Return the rows that ask what another row answers otherwise, in the order of the file."""
        places, groups, begins = self._same_questions
        disputed = np.bincount(groups[begins]) > 1
        return np.sort(np.frombuffer(self.rows, dtype=np.uint32)[places[disputed[groups]]])

    def conflicting(self, row: int) -> int:
        """Return the first row that answers otherwise what `row`, one of the conflicts, asks."""
        rows, asked = np.frombuffer(self.rows, dtype=np.uint32), np.frombuffer(self.asked, dtype=np.int64)
        answered = np.frombuffer(self.answered, dtype=np.uint32)
        place = np.flatnonzero(rows == row)[0]
        return int(rows[np.flatnonzero((asked == asked[place]) & (answered != answered[place]))[0]])

    def answers(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Return the keys of the different answers, and how many rows give each; rows without one do not count."""
        answered = np.frombuffer(self.answered, dtype=np.uint32)
        return np.unique(answered[answered != 0], return_counts=True)

    def same_answer(self) -> bool:
        """Return whether all examples have an answer, and the same one."""
        answered = np.frombuffer(self.answered, dtype=np.uint32)
        return len(answered) > 1 and bool((answered == (answered[0] or 1)).all())

    def same_question(self) -> bool:
        """Return whether all examples ask the same."""
        asked = np.frombuffer(self.asked, dtype=np.int64)
        return len(asked) > 1 and bool((asked == asked[0]).all())

    @cached_property
    def _same_questions(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """The examples that ask what another one asks, by question, answer and place.

        Their places, the number of each one's question, and where another answer begins.
        """
        asked = np.frombuffer(self.asked, dtype=np.int64)
        order = np.argsort(asked, kind="stable")
        after = np.flatnonzero(np.diff(asked[order]) == 0)
        if not len(after):
            return order[:0], order[:0], np.zeros(0, dtype=bool)
        places = order[np.union1d(after, after + 1)]
        asked, answered = asked[places], np.frombuffer(self.answered, dtype=np.uint32)[places]
        order = np.lexsort((answered, asked))
        asked, answered = asked[order], answered[order]
        others = np.append(np.ones(1, dtype=bool), asked[1:] != asked[:-1])
        begins = others.copy()
        begins[1:] |= answered[1:] != answered[:-1]
        return places[order], np.cumsum(others) - 1, begins
