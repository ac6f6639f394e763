"""What a run or a host is found again by where a provider keeps nothing of ours but a name."""

from __future__ import annotations

import hashlib
from typing import Final

TAG_CHARACTERS: Final = 16


def tag_of(intent: str) -> str:
    """Return sixteen hexadecimal digits that tell an intent from every other."""
    return hashlib.sha256(intent.encode()).hexdigest()[:TAG_CHARACTERS]


def tagged(name: str, intent: str, *, most: int) -> str:
    """Return a name that ends with an intent's tag, at most `most` characters long; a long name is cut."""
    return f"{name[: most - TAG_CHARACTERS - 1].strip('-')}-{tag_of(intent)}"
