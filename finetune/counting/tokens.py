"""Counting tokens exactly as OpenAI's models do, without the network (docs/adr/0003-token-counting.md)."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, cast

from finetune.containers.surrogates import in_utf8, replace_surrogates
from finetune.counting.ranks import cached_counter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

EncodingName = Literal["o200k_base", "cl100k_base"]

TOKENS_PER_MESSAGE = 3
TOKENS_PER_NAME = 1
TOKENS_PER_CHAT = 3


class _Bindings(Protocol):
    def tokenizer_for_encoding(self, encoding_name: str) -> _Tokenizer: ...


class _Tokenizer(Protocol):
    def count(self, text: str) -> int: ...
    def encode(self, text: str) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class TokenCounter:
    """Counts tokens of one encoding; `exact` where its count is that of tiktoken's `encode_ordinary`."""

    encoding: EncodingName
    exact: bool
    _count: Callable[[str], int]
    _count_all: Callable[[Sequence[bytes]], list[int]] | None = None

    @classmethod
    def load(cls, encoding: EncodingName, tiktoken_cache: Path | None = None) -> TokenCounter:
        """Return a counter from the ranks at hand: `bpe-openai`'s, else tiktoken's own cache, else an estimate.

        `tiktoken_cache` is the directory tiktoken keeps its downloads in. Nothing is ever downloaded.
        """
        count = _packaged(encoding)
        if count is None and tiktoken_cache is not None:
            count = cached_counter(encoding, tiktoken_cache)
        return cls(encoding, count is not None, count or estimate)

    @classmethod
    def load_for_much(cls, encoding: EncodingName, tiktoken_cache: Path | None = None) -> TokenCounter:
        """Return a counter with the same counts that takes longer to make and less to count, if there is one."""
        from finetune.counting.bulk import bulk_counter  # noqa: PLC0415 - brings NumPy, which few counts need

        load = functools.cache(lambda: cls.load(encoding, tiktoken_cache))  # which is seldom needed
        bulk = bulk_counter(encoding, tiktoken_cache, lambda text: load().count(text))
        if bulk is None:
            return load()
        return cls(encoding, exact=True, _count=lambda text: bulk([in_utf8(text)])[0], _count_all=bulk)

    @property
    def counted_with(self) -> str:
        """Return what to call the count: the encoding's name, or "estimate"."""
        return self.encoding if self.exact else "estimate"

    def count(self, text: str) -> int:
        """Return the tokens of `text`; special tokens' names are text like any other."""
        try:
            return self._count(text)
        except UnicodeEncodeError:  # a lone surrogate: replaced by U+FFFD, as tiktoken does
            return self._count(replace_surrogates(text))

    def count_all(self, texts: Sequence[bytes]) -> list[int]:
        """Return the tokens of each text, given in UTF-8, in less time than they take one by one."""
        if self._count_all is not None:
            return self._count_all(texts)
        counts = {text: self.count(text.decode()) for text in dict.fromkeys(texts)}  # roles and the like come again
        return [counts[text] for text in texts]


def estimate(text: str) -> int:
    """Return roughly the tokens of `text`: 1 for 4 ASCII characters, 3 for 4 others; ordinary text within a third."""
    ascii_characters = len(text.encode("ascii", "ignore"))
    return -(-ascii_characters // 4) + -(-3 * (len(text) - ascii_characters) // 4)


def token_ids(encoding: EncodingName) -> Callable[[str], list[int]] | None:
    """Return what gives a text's tokens by their numbers, None where no ranks are at hand. Special names are text."""
    if importlib.util.find_spec("bpe_openai") is None:
        return None
    return lambda text: _tokenizer(encoding).encode(replace_surrogates(text))


def _packaged(encoding: str) -> Callable[[str], int] | None:
    if importlib.util.find_spec("bpe_openai") is None:
        return None

    def count(text: str) -> int:  # loads on first use: a check of much text counts elsewhere, or by another counter
        return _tokenizer(encoding).count(text)

    return count


@functools.cache
def _tokenizer(encoding: str) -> _Tokenizer:
    return _bindings().tokenizer_for_encoding(encoding)


def _bindings() -> _Bindings:
    """Return bpe-openai's extension without its package, whose import unpacks every rank table (0.35 s, 110 MB).

    The package's own methods refuse texts of 1,000,000 characters; the extension's `count` takes any.
    """
    name = "bpe_openai._bindings"
    if name not in sys.modules:
        package = importlib.util.find_spec("bpe_openai")
        directories = [] if package is None else list(package.submodule_search_locations or ())
        found = importlib.machinery.PathFinder.find_spec(name, directories)
        if found is None or found.loader is None:
            raise ImportError(name)
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
        sys.modules[name] = module
    return cast("_Bindings", sys.modules[name])
