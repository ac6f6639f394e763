"""Rows that belong together, found within memory that grows by some forty bytes a row."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from finetune.splitting.resemblance import Resemblance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from finetune.splitting.likeness import Likeness

BATCH_CHARACTERS: Final = 200_000

MASS_ROWS: Final = 10
MASS_SHARE: Final = 0.2
"""Where more rows than both resemble one another, it is a template they have in common: they are parted."""

QUESTION_ROWS: Final = 20
TALK_ROWS: Final = 100
COMMON_SHARE: Final = 0.02
"""A question asked by more rows ("Write a joke."), or a beginning ("Hello!"), is common, and parts may share it."""


@dataclass(frozen=True, slots=True)
class Families:
    """Which family each row is of, by the number of the family's first row.

    `alike` counts rows that belong to an earlier one; `parted` those whose resemblance was passed over since too many
    have it. Of `one_in` rows, one was compared for near-duplicates.
    """

    of_row: NDArray[np.int64]
    alike: int = 0
    parted: int = 0
    one_in: int = 1


@dataclass
class Kinship:
    """Gathers what rows are like while they go by."""

    keys: array[int] = field(default_factory=lambda: array("Q"))
    _said: array[int] = field(default_factory=lambda: array("Q"))
    _asked: array[int] = field(default_factory=lambda: array("Q"))
    _conversations: array[int] = field(default_factory=lambda: array("Q"))
    _talks: array[int] = field(default_factory=lambda: array("Q"))
    _begins: array[int] = field(default_factory=lambda: array("Q"))
    _begin_rows: array[int] = field(default_factory=lambda: array("I"))
    _near: Resemblance = field(default_factory=Resemblance)
    _texts: list[str] = field(default_factory=list[str])
    _characters: int = 0

    def add(self, row: Likeness) -> None:
        """Take one row more."""
        for begin in row.begins:
            self._begins.append(begin)
            self._begin_rows.append(len(self.keys))
        self.keys.append(row.key)
        self._said.append(row.said)
        self._asked.append(row.asked)
        self._conversations.append(row.conversation)
        self._talks.append(row.talk)
        self._texts.append(row.text)
        self._characters += len(row.text)
        if self._characters >= BATCH_CHARACTERS:
            self._compare()

    def families(self) -> Families:
        """Return the families of all rows that were added."""
        self._compare()
        union = Union(len(self.keys))
        for keys in (self.keys, self._said, self._conversations):
            union.join_equal(_numbers(keys))
        union.join_equal(_rare(_numbers(self._asked), QUESTION_ROWS))
        self._join_talks(union)
        resembling = union.copy()
        for some, others in self._near.pairs():
            resembling.join(some, others)
        of_row, parted = _without_masses(resembling.roots(), union.roots())
        alike = len(of_row) - len(np.unique(of_row))
        return Families(of_row, alike, parted, self._near.one_in)

    def _compare(self) -> None:
        if not self._texts:
            return
        end = len(self.keys)
        self._near.add(self._texts, np.arange(end - len(self._texts), end))
        self._texts.clear()
        self._characters = 0

    def _join_talks(self, union: Union) -> None:
        """Join the rows of one conversation, which begins with the same replies in all of them."""
        if not self._begins:
            return
        rows = np.append(np.arange(len(self.keys)), np.frombuffer(self._begin_rows, dtype=np.uint32))
        talks = np.append(_numbers(self._talks), _numbers(self._begins))
        union.join_equal(_rare(talks, TALK_ROWS), rows.astype(np.int64))


class Union:
    """Sets of rows that grow together; each is known by its first row."""

    def __init__(self, rows: int, parents: list[int] | None = None) -> None:
        self._parents = list(range(rows)) if parents is None else parents

    def copy(self) -> Union:
        """Return the same sets, to grow apart from these."""
        return Union(len(self._parents), self._parents.copy())

    def join_equal(self, keys: NDArray[np.uint64], rows: NDArray[np.int64] | None = None) -> None:
        """Join the rows whose keys are equal; 0 is no key. `rows` are those of the keys, each its own without them."""
        places = np.flatnonzero(keys)
        places = places[np.argsort(keys[places], kind="stable")]
        same = np.flatnonzero(keys[places[1:]] == keys[places[:-1]]) if len(places) else places
        earlier, later = places[same], places[same + 1] if len(places) else places
        self.join(*((earlier, later) if rows is None else (rows[earlier], rows[later])))

    def join(self, some: NDArray[np.int64], others: NDArray[np.int64]) -> None:
        """Join rows pair by pair."""
        for one, other in zip(some.tolist(), others.tolist(), strict=True):
            first, second = self._root(one), self._root(other)
            if first != second:
                self._parents[max(first, second)] = min(first, second)

    def roots(self) -> NDArray[np.int64]:
        """Return the first row of every row's set."""
        return np.array([self._root(row) for row in range(len(self._parents))], dtype=np.int64)

    def _root(self, row: int) -> int:
        parents = self._parents
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row


def _rare(keys: NDArray[np.uint64], rows: int) -> NDArray[np.uint64]:
    """Return the keys, 0 in place of those that very many have: over `rows` of them, and 2%."""
    _, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.where(counts[which] > max(rows, int(COMMON_SHARE * len(keys))), np.uint64(0), keys)


def _without_masses(resembling: NDArray[np.int64], related: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return the families, those that are a mass of rows parted into what is `related`; and how many rows that are."""
    if not len(resembling):
        return resembling, 0
    sizes = np.bincount(resembling, minlength=len(resembling))
    strict = np.bincount(related, minlength=len(related))
    most = max(MASS_ROWS, int(MASS_SHARE * len(resembling)))
    mass = (sizes[resembling] > most) & (sizes[resembling] > strict[related])
    return np.where(mass, related, resembling), int(mass.sum())


def _numbers(keys: array[int]) -> NDArray[np.uint64]:
    return np.frombuffer(keys, dtype=np.uint64) if len(keys) else np.empty(0, dtype=np.uint64)
