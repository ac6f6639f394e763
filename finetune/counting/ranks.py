"""The ranks tokens are counted by, never downloaded; and tiktoken over them, where bpe-openai has no wheel."""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"

SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
"""What tiktoken itself expects of each file (tiktoken_ext/openai_public.py)."""

PATTERNS = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
}
"""How each encoding cuts text before merging, as in tiktoken_ext/openai_public.py (a test compares them)."""

_LONG_BLANK = re.compile(r"\s{10000}")
"""tiktoken's regular expression engine overflows, and panics, on blanks some hundred thousand characters long."""


def cached_counter(encoding: str, cache: Path) -> Callable[[str], int] | None:
    """Return a counter over the ranks in tiktoken's cache directory; None where they are absent or not the right ones.

    A text with 10,000 blanks in a row is counted in pieces, which can be a token or two more than in one.
    """
    import tiktoken  # noqa: PLC0415 - needed on few machines, and not free to import

    content = ranks_content(encoding, cache)
    if content is None:
        return None
    pairs = (line.split() for line in content.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    built = tiktoken.Encoding(encoding, pat_str=PATTERNS[encoding], mergeable_ranks=ranks, special_tokens={})

    def count(text: str) -> int:
        text.encode()  # raises on lone surrogates, which the caller replaces
        ends = [match.end() for match in _LONG_BLANK.finditer(text)]
        bounds = zip([0, *ends], [*ends, len(text)], strict=True)
        return sum(len(built.encode_ordinary(text[start:end])) for start, end in bounds)

    return count


def ranks_content(encoding: str, cache: Path | None) -> bytes | None:
    """Return the ranks as tiktoken publishes them: from bpe-openai's wheel, else tiktoken's cache; None without both.

    Only content with the SHA-256 that tiktoken expects is returned.
    """
    for read in (_in_wheel, _in_cache):
        content = read(encoding, cache)
        if content is not None and hashlib.sha256(content).hexdigest() == SHA256[encoding]:
            return content
    return None


def _in_wheel(encoding: str, _: Path | None) -> bytes | None:
    package = importlib.util.find_spec("bpe_openai")
    if package is None or package.origin is None:
        return None
    try:
        return gzip.decompress(Path(package.origin).with_name("data").joinpath(f"{encoding}.tiktoken.gz").read_bytes())
    except OSError:
        return None


def _in_cache(encoding: str, cache: Path | None) -> bytes | None:
    # tiktoken names a file in its cache by the SHA-1 of the address it came from.
    name = hashlib.sha1(URL.format(encoding).encode(), usedforsecurity=False).hexdigest()
    try:
        return None if cache is None else (cache / name).read_bytes()
    except OSError:
        return None
