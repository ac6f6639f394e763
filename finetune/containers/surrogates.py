"""Halves of characters that JSON can hold and UTF-8 cannot."""

from __future__ import annotations


def replace_surrogates(text: str) -> str:
    """Return `text` with each lone surrogate replaced by U+FFFD, and pairs joined, as tiktoken does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def in_utf8(text: str) -> bytes:
    """Return `text` in UTF-8, with each lone surrogate replaced by U+FFFD, and pairs joined."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return replace_surrogates(text).encode()
