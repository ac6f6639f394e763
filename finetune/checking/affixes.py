"""What many texts begin or end with, and which of some texts stand in none of them, found as the texts go by."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

from finetune.checking.first_rows import FirstRows
from finetune.containers.surrogates import replace_surrogates

AFFIX_MAX_CHARACTERS = 65_536
"""A longer beginning or end that all rows share is known so far."""


@dataclass(slots=True)
class CommonPrefix:
    """The longest text that every one of many begins with."""

    text: str | None = None

    def add(self, text: str) -> None:
        """Take one text more into account."""
        if self.text is None:
            self.text = text[:AFFIX_MAX_CHARACTERS]
        elif not text.startswith(self.text):
            prefix = self.text
            begins = range(1, len(prefix))
            self.text = prefix[: bisect_left(begins, x=True, key=lambda end: not text.startswith(prefix[:end]))]

    def known(self) -> str:
        """Return the prefix so far, as text that can be written."""
        return replace_surrogates(self.text or "")


@dataclass(slots=True)
class CommonSuffix:
    """The longest text that every one of many ends with, and the rows in which it also stands before the end.

    Which text that is, only the last row shows; so each row is remembered by the longest part of the suffix, as known
    then, that it holds before its end: it holds all shorter ones there, too.
    """

    text: str | None = None
    _inside: dict[int, FirstRows] = field(default_factory=dict[int, FirstRows])

    def add(self, text: str, row: int) -> None:
        """Take one text more into account, of a row later than those before."""
        suffix = self.text
        if suffix is None:
            suffix = self.text = text[-AFFIX_MAX_CHARACTERS:]
        elif not text.endswith(suffix):
            suffix = self._shorten(text)
        if suffix:
            length = _longest_inside(text, suffix)
            if length:
                self._inside.setdefault(length, FirstRows()).add(row)

    def known(self) -> str:
        """Return the suffix so far, as text that can be written."""
        return replace_surrogates(self.text or "")

    def inside(self) -> FirstRows:
        """Return the rows that hold the whole suffix before their end as well."""
        return self._inside.get(len(self.text or ""), FirstRows())

    def _shorten(self, text: str) -> str:
        longer = self.text or ""
        lengths = range(1, len(longer))
        length = bisect_left(lengths, x=True, key=lambda length: not text.endswith(longer[-length:]))
        shorter = longer[-length:] if length else ""
        kept: dict[int, FirstRows] = {}
        for length, rows in self._inside.items() if shorter else ():
            kept.setdefault(min(length, len(shorter)), FirstRows()).join(rows)
        self.text, self._inside = shorter, kept
        return shorter


@dataclass(slots=True)
class Absent:
    """Which of some texts stand in none of many."""

    texts: list[str]

    def add(self, text: str) -> None:
        """Take one text more into account."""
        if any(one in text for one in self.texts):
            self.texts = [one for one in self.texts if one not in text]


def _longest_inside(text: str, suffix: str) -> int:
    """Return how long an end of `suffix` stands in `text` before the one that `text` ends with; 0 where none does."""
    if text.find(suffix[-1], 0, len(text) - 1) < 0:  # as in most rows of most files
        return 0
    if text.find(suffix, 0, len(text) - len(suffix)) >= 0:
        return len(suffix)

    def is_outside(length: int) -> bool:
        return text.find(suffix[-length:], 0, len(text) - length) < 0

    return bisect_left(range(1, len(suffix)), x=True, key=is_outside)
