"""Whether texts are mostly capitals, counted a batch of texts at a time."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UPPER_A, _LOWER_A, _LETTERS = np.uint8(ord("A")), np.uint8(ord("a")), 26
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_CAPITAL, _SMALL = 1, 2


@dataclass(slots=True)
class Capitals:
    """How many capital and small letters many texts have."""

    capitals: int = 0
    small: int = 0

    def add(self, text: str) -> None:
        """Take one text more into account; the longer, the less a character costs."""
        if text.isascii():
            content = np.frombuffer(text.encode(), dtype=np.uint8)
            self.capitals += int(np.count_nonzero((content - _UPPER_A) < _LETTERS))
            self.small += int(np.count_nonzero((content - _LOWER_A) < _LETTERS))
            return
        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype=np.uint16)
        kinds = _kinds()[units]
        astral = [_kind(character) for character in _ASTRAL.findall(text)] if len(units) > len(text) else []
        self.capitals += int(np.count_nonzero(kinds == _CAPITAL)) + astral.count(_CAPITAL)
        self.small += int(np.count_nonzero(kinds == _SMALL)) + astral.count(_SMALL)

    def are_many(self) -> bool:
        """Return whether more than a third of the letters are capitals, by the rule of `prepare_data`."""
        return self.capitals * 2 > self.small


@functools.cache
def _kinds() -> NDArray[np.uint8]:
    """Return for each UTF-16 unit whether it is a capital or a small letter."""
    return np.array([_kind(chr(unit)) for unit in range(1 << 16)], dtype=np.uint8)


def _kind(character: str) -> int:
    if not character.isalpha():
        return 0
    return _CAPITAL if character.isupper() else _SMALL if character.islower() else 0
