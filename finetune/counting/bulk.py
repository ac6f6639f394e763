"""Counting the tokens of much text: gigatoken, three to four times as fast as others, and exact where it is used.

Its classes of characters are Unicode 17's, tiktoken's are 16's: texts with one of the 4,700 characters that changed
are counted by another counter, and so are very long texts. It has other code for other processors, so that it is
trusted on this one only once it has counted a proof as tiktoken does. It remembers every word it has seen, without
limit, so that it is made anew after some time (docs/adr/0003-token-counting.md).
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import re
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from finetune.counting.ranks import ranks_content

if TYPE_CHECKING:
    from collections.abc import Callable, Sized

RENEWED_AFTER_CHARACTERS: Final = (12_000_000, 60_000_000)
"""After so many characters at the soonest and the latest gigatoken is made anew (0.2 s), and its memory given back."""

_TABLE_BYTES = 12 * 1024 * 1024
"""If the process takes so much more at once, gigatoken's table of words has doubled, to 32 MB."""

_SOON_ENOUGH = 3
"""It doubles again, to 64 MB, once it has three times as many new words: no sooner than after three times the text."""

_LOOKED_AT_CHARACTERS = 500_000
"""The process's memory is looked at after so many characters each."""

LONG_CHARACTERS: Final = 500_000
"""A longer text is counted by the other counter: a run of 20 million blanks takes gigatoken 420 MB, it takes none."""

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

PROOF_TOKENS: Final = {"o200k_base": 11_944, "cl100k_base": 14_576}
"""Its tokens by tiktoken, moved to the right by 0 to 63 letters and summed, so that it is read at every offset."""


class _Tokenizer(Protocol):
    def encode(self, text: bytes, /) -> Sized: ...


@dataclass(slots=True)
class BulkCounter:
    """Counts as `exact` does, and faster; `exact` is asked where the two might differ.

    `proven` says whether a tokenizer that was made counts right here; without one that does, `exact` counts all.
    """

    make: Callable[[], _Tokenizer]
    exact: Callable[[str], int]
    proven: Callable[[_Tokenizer], bool]
    _tokenizer: _Tokenizer | None = None
    _characters: int = 0
    _renewed_at: int = 0
    _looked_at: int = 0
    _resident_bytes: int = 0
    _trusted: bool | None = None

    def __call__(self, text: str) -> int:
        """Return the tokens of `text`; UnicodeEncodeError where it has a lone surrogate."""
        content = text.encode()
        if len(text) > LONG_CHARACTERS or self._trusted is False:
            return self.exact(text)
        if len(content) != len(text) and _SUSPECT.search(content) and CHANGED_IN_UNICODE_17.search(text):
            return self.exact(text)
        self._characters += len(text)
        if self._tokenizer is None or self._characters > self._renewed_at:
            self._renew(len(text))
        elif self._characters > self._looked_at:
            self._look_at_memory()
        return self.exact(text) if self._tokenizer is None else self._counted(self._tokenizer, content, text)

    def _counted(self, tokenizer: _Tokenizer, content: bytes, text: str) -> int:
        try:
            return len(tokenizer.encode(content))
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # how a panic in Rust arrives; no text is known to cause one
                raise
            self._trusted = False
            return self.exact(text)

    def _renew(self, characters: int) -> None:
        self._tokenizer = None  # the old one's memory goes before the new one's comes
        made = self.make()
        if self._trusted is None:
            self._trusted = self.proven(made)
        self._tokenizer = made if self._trusted else None
        self._characters = characters
        self._looked_at = characters + _LOOKED_AT_CHARACTERS
        self._renewed_at = max(RENEWED_AFTER_CHARACTERS)
        self._resident_bytes = 0

    def _look_at_memory(self) -> None:
        """Have the tokenizer made anew before its table doubles a second time."""
        before, self._resident_bytes = self._resident_bytes, resident_bytes()
        if before and self._resident_bytes - before > _TABLE_BYTES:
            soon = _SOON_ENOUGH * self._characters
            self._renewed_at = min(self._renewed_at, max(soon, min(RENEWED_AFTER_CHARACTERS)))
        self._looked_at = self._characters + _LOOKED_AT_CHARACTERS


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

    def proven(tokenizer: _Tokenizer) -> bool:
        return sum(len(tokenizer.encode(text.encode())) for text in proof_texts()) == PROOF_TOKENS[encoding]

    return BulkCounter(make, exact, proven)


def resident_bytes() -> int:
    """Return the memory that this process takes; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


def proof_texts() -> list[str]:
    """Return the texts that a tokenizer is proven with."""
    return ["x" * moved + PROOF for moved in range(64)]


def _give_large_blocks_back() -> None:
    """Have glibc map blocks of 256 KiB and more one by one, so that a counter that is given up leaves no holes.

    Otherwise glibc raises that limit to 32 MB as soon as the first large block is given back, and a check of 512 MB
    needs 35 MB more.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no mallopt
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 256 * 1024)
