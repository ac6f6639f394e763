"""Drawing parts by a seed: whole families, each class in proportion, the same whatever the order of the rows."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

TRAIN_MIN: Final = 10
"""Providers refuse fewer training rows."""

TRAIN, VALID, TEST = range(3)


@dataclass(frozen=True, slots=True)
class Family:
    """Rows that stay on one side: how many, of which class, and a key that does not depend on their order."""

    key: int
    size: int
    label: str = ""


@dataclass(slots=True)
class _Room:
    """How many rows a part still takes: in all, and of each class."""

    left: int
    of_class: dict[str, int] = field(default_factory=dict[str, int])


def draw(families: Sequence[Family], *, valid: float, test: float, seed: int) -> list[int]:
    """Return the part of each family: `TRAIN`, `VALID` or `TEST`.

    `valid` and `test` are shares of all rows. The test rows are drawn first, so that they are the same whatever
    `valid` is. Each part has at least one row where its share is above 0, never so many that fewer than 10 are left to
    train on, and fewer where families do not fit. Of each class as much as of all goes into a part, but one family
    always stays to be learnt from. ValueError unless both shares are 0 or more, and together below 1.
    """
    if min(valid, test) < 0 or valid + test >= 1:
        raise ValueError(f"the shares held out are {valid} and {test}, not from 0 up to 1 in all")
    rows = sum(family.size for family in families)
    order = sorted(range(len(families)), key=lambda index: _rank(families[index].key, seed))
    parts = [TRAIN] * len(families)
    wanted = _wanted(rows, (test, valid))
    unused = Counter(family.label for family in families)
    for part, share in ((TEST, wanted[0]), (VALID, wanted[1])):
        _fill(part, _Room(share, _quotas(families, share)), families, order, parts, unused)
    return parts


def _wanted(rows: int, shares: Sequence[float]) -> list[int]:
    """Return how many rows each part may have; training comes first, then the earlier part."""
    room = max(0, rows - TRAIN_MIN)
    wanted: list[int] = []
    for share in shares:
        part = min(max(1, round(share * rows)), room) if share else 0
        wanted.append(part)
        room -= part
    return wanted


def _quotas(families: Sequence[Family], share: int) -> dict[str, int]:
    """Return how many rows of each class make up a part: the same proportion, largest remainders rounded up."""
    sizes = Counter[str]()
    for family in families:
        sizes[family.label] += family.size
    rows = max(1, sizes.total())
    exact = {label: share * size / rows for label, size in sizes.items()}
    quotas = {label: int(part) for label, part in exact.items()}
    by_remainder = sorted(exact, key=lambda label: (quotas[label] - exact[label], label))
    for label in by_remainder[: share - sum(quotas.values())]:
        quotas[label] += 1
    return quotas


def _fill(
    part: int,
    room: _Room,
    families: Sequence[Family],
    order: Sequence[int],
    parts: list[int],
    unused: Counter[str],
) -> None:
    """Put families into a part: first as each class has room, then as the part has, whatever their class."""
    for is_strict in (True, False):
        for index in order:
            family = families[index]
            fits = family.size <= (min(room.left, room.of_class[family.label]) if is_strict else room.left)
            if parts[index] == TRAIN and fits and unused[family.label] > 1:
                parts[index] = part
                room.left -= family.size
                room.of_class[family.label] -= family.size
                unused[family.label] -= 1


def _rank(key: int, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed} {key}".encode(), digest_size=16).digest()
