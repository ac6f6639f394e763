"""One training example, whatever format it came in: what the checks after reading need of it, and no more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.report import FormatName


@dataclass(slots=True)
class Example:
    """What was read of a row.

    `texts` are counted, and `overhead` tokens added for the format's own. `counted_exactly` is False where part of the
    row has no published count (tools, pictures). `key` is equal for rows that are the same example. `system`, `prompt`
    and `completion` are what the prompt contract is learnt from. `problems` are codes of findings, `images` how many
    pictures it has.
    """

    format: FormatName
    texts: list[str]
    overhead: int
    key: int
    problems: tuple[str, ...] = ()
    counted_exactly: bool = True
    system: str | None = None
    prompt: str = ""
    completion: str = ""
    images: int = 0


def key_of(content: bytes) -> int:
    """Return 64 bits that are equal for equal content, and for a billion different ones differ but for chance."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
