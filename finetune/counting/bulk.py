"""Counting the tokens of much text: gigatoken, three to four times as fast as others, and exact where it is used.

Its classes of characters are Unicode 17's, tiktoken's are 16's: texts with one of the 4,700 characters that changed
are counted by another counter. It remembers every word it has seen, without limit, so that it is made anew after some
time (docs/adr/0003-token-counting.md).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import re
import sys
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from finetune.counting.ranks import ranks_content

if TYPE_CHECKING:
    from collections.abc import Callable, Sized
    from pathlib import Path

RENEWED_AFTER_CHARACTERS = 30_000_000
"""After so many characters the counter is made anew (0.3 s), and what it remembers, some 40 MB, is given back."""

_M_MMAP_THRESHOLD = -3  # malloc.h

_SCHEMES = {"o200k_base": "o200k", "cl100k_base": "cl100k"}

CHANGED_IN_UNICODE_17 = re.compile(
    "[\u0295\u088f\u0c5c\u0cdc\u1acf-\u1add\u1ae0-\u1aeb\ua7ce\ua7cf\ua7d2\ua7d4\ua7f1"
    "\U00010940-\U00010959\U00010ec5-\U00010ec7\U00010efa\U00010efb\U00011b60-\U00011b67\U00011db0-\U00011ddb"
    "\U00011de0-\U00011de9\U00016ea0-\U00016eb8\U00016ebb-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff"
    "\U00018d09-\U00018d1e\U00018d80-\U00018df2\U0001e6c0-\U0001e6de\U0001e6e0-\U0001e6f5\U0001e6fe\U0001e6ff"
    "\U0002b73a-\U0002b73f\U0002cea2-\U0002cead\U000323b0-\U00033479]"
)
"""Characters whose class (letter, mark, number, blank or neither) is another in Unicode 17 than in 16."""

_SUSPECT = re.compile(rb"\xca\x95|\xe0[\xa2\xb1\xb3]|\xe1\xab|\xea\x9f|\xf0[\x90\x91\x96\x98\x9e\xab\xac\xb2\xb3]")
"""How their UTF-8 begins: bytes are searched several times as fast as characters."""


class _Tokenizer(Protocol):
    def encode(self, text: bytes, /) -> Sized: ...


@dataclass(slots=True)
class BulkCounter:
    """Counts as `exact` does, and faster; `exact` is asked for where the two might differ."""

    make: Callable[[], _Tokenizer]
    exact: Callable[[str], int]
    _tokenizer: _Tokenizer | None = None
    _characters: int = field(default=0)

    def __call__(self, text: str) -> int:
        """Return the tokens of `text`; UnicodeEncodeError where it has a lone surrogate."""
        content = text.encode()
        if len(content) != len(text) and _SUSPECT.search(content) and CHANGED_IN_UNICODE_17.search(text):
            return self.exact(text)
        self._characters += len(text)
        if self._tokenizer is None or self._characters > RENEWED_AFTER_CHARACTERS:
            self._tokenizer = None  # the old one's memory goes before the new one's comes
            self._tokenizer = self.make()
            self._characters = len(text)
        return len(self._tokenizer.encode(content))


def bulk_counter(encoding: str, cache: Path | None, exact: Callable[[str], int]) -> BulkCounter | None:
    """Return a counter for much text; None where gigatoken is not installed, or no ranks are at hand.

    `cache` is the directory tiktoken keeps its downloads in.
    """
    if importlib.util.find_spec("gigatoken") is None or ranks_content(encoding, cache) is None:
        return None

    def make() -> _Tokenizer:
        _give_large_blocks_back()
        tokenizers = importlib.import_module("gigatoken.gigatoken_rs")
        with tempfile.NamedTemporaryFile(suffix=".tiktoken") as file:
            file.write(ranks_content(encoding, cache) or b"")
            file.flush()
            # No special tokens: their names are text like any other.
            return cast("_Tokenizer", tokenizers.BPETokenizer.from_tiktoken(file.name, _SCHEMES[encoding], {}))

    return BulkCounter(make, exact)


def _give_large_blocks_back() -> None:
    """Have glibc map blocks of 256 KiB and more one by one, so that a counter that is given up leaves no holes.

    Otherwise glibc raises that limit to 32 MB as soon as the first large block is given back, and a check of 512 MB
    needs 35 MB more.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no mallopt
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 256 * 1024)
