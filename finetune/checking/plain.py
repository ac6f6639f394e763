"""Texts as they are compared and searched: without the differences that Unicode holds to be of form only."""

from __future__ import annotations

from unicodedata import normalize


def plain(content: bytes) -> bytes:
    """Return a text, given in UTF-8, in NFKC and UTF-8."""
    return content if content.isascii() else normalize("NFKC", content.decode()).encode()
