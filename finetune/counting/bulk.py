"""Counting the tokens of much text: gigatoken, three to four times as fast as others, and exact where it is used.

Its classes of characters are Unicode 17's, tiktoken's are 16's: texts with one of the 4,700 characters that changed
are counted by another counter, and so are very long texts. It has other code for other processors, so that it is
trusted on this one only once it has counted a proof as tiktoken does. It remembers every word it has seen, without
limit, so that it is made anew after some time. Many texts are counted in one call, as one text with separators in it
(docs/adr/0003-token-counting.md).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol, cast

import numpy as np

from finetune.counting.memory import keep_small_blocks, resident_bytes
from finetune.counting.ranks import ranks_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RENEWED_AFTER_BYTES: Final = (12_000_000, 80_000_000)
"""After so many bytes at the soonest and the latest gigatoken is made anew (0.3 s), and its memory given back."""

_TABLE_BYTES = 12 * 1024 * 1024
"""If the process takes so much more at once, gigatoken's table of words has doubled, to 32 MB."""

_SOON_ENOUGH = 3
"""It doubles again, to 64 MB, once it has three times as many new words: no sooner than after three times the text."""

_LOOKED_AT_BYTES = 500_000
"""The process's memory is looked at after so many bytes each."""

PIECE_BYTES: Final = 1_000_000
"""So much is counted in one call. A longer text is counted by the other counter: a run of 20 million blanks takes
gigatoken 420 MB, it takes none."""

SEPARATOR: Final = b"\x1f"
"""Stands between texts that are counted in one call; hardly any text has one, and one that does is counted by itself.

It is a special token: what is before and after it is cut into words as if it stood alone.
"""

_SEPARATOR_TOKEN = 200_000
"""No text has this one: o200k_base ends at 199,997, cl100k_base at 100,255."""

_SCHEMES = {"o200k_base": "o200k", "cl100k_base": "cl100k"}

CHANGED_IN_UNICODE_17 = re.compile(
    "[\u0295\u088f\u0c5c\u0cdc\u1acf-\u1add\u1ae0-\u1aeb\ua7ce\ua7cf\ua7d2\ua7d4\ua7f1"
    "\U00010940-\U00010959\U00010ec5-\U00010ec7\U00010efa\U00010efb\U00011b60-\U00011b67\U00011db0-\U00011ddb"
    "\U00011de0-\U00011de9\U00016ea0-\U00016eb8\U00016ebb-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff"
    "\U00018d09-\U00018d1e\U00018d80-\U00018df2\U0001e6c0-\U0001e6de\U0001e6e0-\U0001e6f5\U0001e6fe\U0001e6ff"
    "\U0002b73a-\U0002b73f\U0002cea2-\U0002cead\U000323b0-\U00033479]"
)
"""Characters whose class (letter, mark, number, blank or neither) is another in Unicode 17 than in 16."""

_SUSPECT = {
    0xCA: b"\x95",
    0xE0: b"\xa2\xb1\xb3",
    0xE1: b"\xab",
    0xEA: b"\x9f",
    0xF0: b"\x90\x91\x96\x98\x9e\xab\xac\xb2\xb3",
}
"""How their UTF-8 begins: a first byte, and the second bytes after it."""

_FIRST = bytes(sum(1 << bit for bit, first in enumerate(_SUSPECT) if byte == first) for byte in range(0x100))
_SECOND = bytes(sum(1 << bit for bit, s in enumerate(_SUSPECT.values()) if byte in s) for byte in range(0x100))
"""The same, a bit for each first byte: `bytes.translate` is several times as fast as a regular expression."""

PROOF: Final = (
    "I'll don't WE'VE it'S 'Tis o'\u017f HTTPServer\u01c5x iPhone15 3.14159 1234567 x\u00b2 \u2167 \u0663\u0664 "
    "\u00bd  two   three\t\ttabs \u00a0\u3000\u2003 \r\n\r\n \n\n  end \x85\u2028 !!!??\n ... //\n\n<|endoftext|>"
    '<|im_start|> {"a": [1, null]}\\n  def f(x):\n\t\treturn x[1:]  # caf\u00e9 na\u00efve Stra\u00dfe '
    "e\u0301\u0323 A\u030a \u0130stanbul \ufb01 \u0391\u03b8\u03ae\u03bd\u03b1 \u041c\u043e\u0441\u043a\u0432\u0430 "
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31 "
    "\ud55c\uad6d\uc5b4 \ubb38\uc7a5\uc785\ub2c8\ub2e4. \u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3001\u30ab\u30bf\u30ab"
    "\u30ca\u3002 \u4e2d\u6587 \U00020000 \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1f0\U0001f1f7 \U0001d49c "
    "\ufeff\u200b\x00\x07 ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ aB"
)
"""A text of every kind."""

PROOF_TEXTS: Final = 64
PROOF_TOKENS: Final = {"o200k_base": 11_944, "cl100k_base": 14_576}
"""Its tokens by tiktoken, moved to the right by 0 to 63 letters and summed, so that it is read at every offset."""


class _Tokenizer(Protocol):
    def encode(self, text: bytes, /) -> NDArray[np.uint32]: ...


@dataclass(slots=True)
class BulkCounter:
    """Counts as `exact` does, and faster; `exact` is asked where the two might differ.

    `proven` says whether a tokenizer that was made counts right here; without one that does, `exact` counts all.
    """

    make: Callable[[], _Tokenizer]
    exact: Callable[[str], int]
    proven: Callable[[_Tokenizer], bool]
    _tokenizer: _Tokenizer | None = None
    _bytes: int = 0
    _renewed_at: int = 0
    _looked_at: int = 0
    _resident_bytes: int = 0
    _trusted: bool | None = None

    def __call__(self, texts: Sequence[bytes]) -> list[int]:
        """Return the tokens of each text, given in UTF-8."""
        return [count for piece in _pieces(texts) for count in self._count(piece)]

    def _count(self, texts: list[bytes]) -> list[int]:
        joined = SEPARATOR.join(texts)
        if self._may_count(joined) and (tokenizer := self._ready(len(joined))) is not None:
            counts = self._counted(tokenizer, joined)
            if len(counts) == len(texts):
                return counts
        if len(texts) == 1:
            return [self.exact(texts[0].decode())]
        return [count for text in texts for count in self._count([text])]

    def _may_count(self, joined: bytes) -> bool:
        if self._trusted is False or len(joined) > PIECE_BYTES:
            return False
        return joined.isascii() or not _is_suspect(joined) or not CHANGED_IN_UNICODE_17.search(joined.decode())

    def _ready(self, size: int) -> _Tokenizer | None:
        self._bytes += size
        if self._tokenizer is None or self._bytes > self._renewed_at:
            self._renew(size)
        elif self._bytes > self._looked_at:
            self._look_at_memory()
        return self._tokenizer

    def _counted(self, tokenizer: _Tokenizer, joined: bytes) -> list[int]:
        try:
            return _counts(tokenizer, joined)
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # how a panic in Rust arrives; no text is known to cause one
                raise
            self._trusted = False
            return []

    def _renew(self, size: int) -> None:
        self._tokenizer = None  # the old one's memory goes before the new one's comes
        made = self.make()
        if self._trusted is None:
            self._trusted = self.proven(made)
        self._tokenizer = made if self._trusted else None
        self._bytes = size
        self._looked_at = size + _LOOKED_AT_BYTES
        self._renewed_at = max(RENEWED_AFTER_BYTES)
        self._resident_bytes = 0

    def _look_at_memory(self) -> None:
        """Have the tokenizer made anew before its table doubles a second time."""
        before, self._resident_bytes = self._resident_bytes, resident_bytes()
        if before and self._resident_bytes - before > _TABLE_BYTES:
            soon = _SOON_ENOUGH * self._bytes
            self._renewed_at = min(self._renewed_at, max(soon, min(RENEWED_AFTER_BYTES)))
        self._looked_at = self._bytes + _LOOKED_AT_BYTES


def bulk_counter(encoding: str, cache: Path | None, exact: Callable[[str], int]) -> BulkCounter | None:
    """Return a counter for much text; None where gigatoken is not installed, or no ranks are at hand.

    `cache` is the directory tiktoken keeps its downloads in.
    """
    read = [None if importlib.util.find_spec("gigatoken") is None else ranks_content(encoding, cache)]
    if read == [None]:
        return None

    def make() -> _Tokenizer:
        content = read.pop() if read else ranks_content(encoding, cache)  # 4 MB that are not kept for the next time
        keep_small_blocks()
        tokenizers = importlib.import_module("gigatoken.gigatoken_rs")
        with tempfile.NamedTemporaryFile(suffix=".tiktoken") as file:
            file.write(content or b"")
            file.flush()
            # The names of tiktoken's special tokens are text like any other.
            special = {SEPARATOR.decode(): _SEPARATOR_TOKEN}
            return cast("_Tokenizer", tokenizers.BPETokenizer.from_tiktoken(file.name, _SCHEMES[encoding], special))

    def proven(tokenizer: _Tokenizer) -> bool:
        counts = _counts(tokenizer, SEPARATOR.join(text.encode() for text in proof_texts()))
        return len(counts) == PROOF_TEXTS and sum(counts) == PROOF_TOKENS[encoding]

    return BulkCounter(make, exact, proven)


def proof_texts() -> list[str]:
    """Return the texts that a tokenizer is proven with."""
    return ["x" * moved + PROOF for moved in range(PROOF_TEXTS)]


def _pieces(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the texts, as many together as are not too long."""
    piece: list[bytes] = []
    size = 0
    for text in texts:
        if piece and size + len(text) >= PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(text)
        size += len(text) + 1
    if piece:
        yield piece


def _counts(tokenizer: _Tokenizer, joined: bytes) -> list[int]:
    """Return the tokens before, between and after the separators."""
    tokens = tokenizer.encode(joined)
    ends = (tokens == _SEPARATOR_TOKEN).nonzero()[0].tolist()
    return [end - start - 1 for start, end in pairwise([-1, *ends, len(tokens)])]


def _is_suspect(joined: bytes) -> bool:
    """Whether there may be a character whose class has changed."""
    firsts = np.frombuffer(joined.translate(_FIRST), np.uint8)
    seconds = np.frombuffer(joined.translate(_SECOND), np.uint8)
    return bool((firsts[:-1] & seconds[1:]).any())
