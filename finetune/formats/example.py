"""One training example, whatever format it came in: what the checks after reading need of it, and no more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.report import FormatName


@dataclass(slots=True)
class Example:
    """What was read of a row.

    `texts` are counted, and `overhead` tokens added for the format's own. `counted_exactly` is False where part of the
    row has no published count (tools, pictures). `asked` is equal for examples that ask the same, and `answered` for
    those that answer the same; it is None where there is no one answer, and then `asked` is of the whole example.
    Both hold within this process only. `system` is the system message, of role `system_role`; `prompt` and
    `completion` are the two texts of a pair, and of a chat with one question and one answer. `problems` are codes of
    findings, `images` how many pictures it has. Of the assistant's `replies`, `trained` are learnt.
    """

    format: FormatName
    texts: list[str]
    overhead: int
    asked: int
    answered: int | None = None
    problems: tuple[str, ...] = ()
    counted_exactly: bool = True
    system: str | None = None
    system_role: str = "system"
    prompt: str = ""
    completion: str = ""
    images: int = 0
    replies: int = 1
    trained: int = 1

    @property
    def key(self) -> int:
        """Return 64 bits that are equal for rows that are the same example."""
        return hash((self.asked, self.answered))


def same_text(text: str) -> int:
    """Return 64 bits that are equal for texts which Unicode holds to be the same, such as two spellings of é."""
    return hash(normalize("NFC", text))


def same_texts(texts: Iterable[str]) -> int:
    """Return 64 bits that are equal for lists of the same texts."""
    return hash(tuple([normalize("NFC", text) for text in texts]))


def key_of(content: bytes) -> int:
    """Return 64 bits that are equal for equal content, and for a billion different ones differ but for chance."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
