"""Whether texts are mostly capitals."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

_CAPITALS = string.ascii_uppercase.encode()
_SMALL = string.ascii_lowercase.encode()
_WITHOUT_CASE = re.compile(
    r"[\u0000-\u007f\u0590-\u109f\u1100-\u139f\u1400-\u1c7f\u2000-\u20ff\u2190-\u2459\u2500-\u2bff"
    r"\u2e80-\ua63f\ua840-\uab2f\uabc0-\ufaff\ufb07-\uff20\uff5b-\uffff\U0001f300-\U0003ffff]+"
)
"""ASCII, which is counted by itself, and what has no case: Hangul, kana, Chinese characters, emoji, and others."""


@dataclass(slots=True)
class Capitals:
    """How many capital and small letters many texts have."""

    capitals: int = 0
    small: int = 0

    def add(self, text: str) -> None:
        """Take one text more into account."""
        content = text.encode("ascii", "ignore")
        if len(content) < len(text):
            rest = _WITHOUT_CASE.sub("", text)
            self.capitals += sum(map(_is_capital, rest))
            self.small += sum(map(_is_small, rest))
        self.capitals += len(content) - len(content.translate(None, _CAPITALS))
        self.small += len(content) - len(content.translate(None, _SMALL))

    def are_many(self) -> bool:
        """Return whether more than a third of the letters are capitals, by the rule of `prepare_data`."""
        return self.capitals * 2 > self.small


def _is_capital(character: str) -> bool:
    return character.isalpha() and character.isupper()


def _is_small(character: str) -> bool:
    return character.isalpha() and character.islower()
