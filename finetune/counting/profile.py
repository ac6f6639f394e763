"""How long a file's examples are, as a picture needs it: bars, the longest rows, what is learnt and what is cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

BARS_MAX: Final = 24
BARS_MIN: Final = 8
EXAMPLES_A_BAR: Final = 4
"""A few examples have fewer bars, so that each has some."""

LONGEST_ROWS: Final = 5
LONG_TAIL_TIMES: Final = 8
"""Where the longest example is so many times as long as most, bars double in width: even ones would be empty."""


@dataclass(frozen=True, slots=True)
class TokenProfile:
    """The distribution of examples by their tokens.

    `counts[i]` examples have from `edges[i]` tokens to fewer than `edges[i + 1]`. `longest` are rows with their tokens,
    the longest first, 5 at most. Of the assistant's `replies`, `trained` are learnt. `cut` examples are longer than
    `context`, the shortest of the models asked about; 0 where none was.
    """

    edges: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    longest: tuple[tuple[int, int], ...] = ()
    replies: int = 0
    trained: int = 0
    cut: int = 0
    context: int = 0


@dataclass(slots=True)
class LongestRows:
    """The longest rows among many; `shorter` is what a row must exceed to be one of them."""

    shorter: int = 0
    _rows: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def add(self, row: int, tokens: int) -> None:
        """Take a row that is longer than `shorter`, later than those before it."""
        self._rows.append((row, tokens))
        self._rows.sort(key=lambda one: (-one[1], one[0]))
        del self._rows[LONGEST_ROWS:]
        self.shorter = self._rows[-1][1] if len(self._rows) == LONGEST_ROWS else 0

    def rows(self) -> tuple[tuple[int, int], ...]:
        """Return them, the longest first."""
        return tuple(self._rows)


def bars(lengths: Mapping[int, int], most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return edges and heights of 8 to 24 bars at most, for so many examples of each length; `most` is what 95% have.

    Bars are of one width, but where a few examples are very much longer than the others: then each is twice as wide as
    the one before it.
    """
    if not lengths:
        return (), ()
    shortest, longest = min(lengths), max(lengths)
    wanted = max(BARS_MIN, min(BARS_MAX, sum(lengths.values()) // EXAMPLES_A_BAR))
    is_tailed = longest > LONG_TAIL_TIMES * max(1, most)
    edges = _doubling(most, longest) if is_tailed else _even(shortest, longest, wanted)
    counts = [0] * (len(edges) - 1)
    place = 0
    for length in sorted(lengths):
        while length >= edges[place + 1]:
            place += 1
        counts[place] += lengths[length]
    return tuple(edges), tuple(counts)


def _even(shortest: int, longest: int, wanted: int) -> list[int]:
    width = next(step for step in _steps() if (longest // step) - (shortest // step) < wanted)
    first = shortest // width * width
    return list(range(first, longest + width + 1, width))


def _steps() -> tuple[int, ...]:
    """Return round widths, from 1 up."""
    return tuple(step * 10**power for power in range(18) for step in (1, 2, 5))


def _doubling(most: int, longest: int) -> list[int]:
    width = 1
    while width * LONG_TAIL_TIMES < most:
        width *= 2
    edges = [0, width]
    while edges[-1] <= longest:
        edges.append(2 * edges[-1])
    return edges
