"""What a text is made of, as numbers: the smallest hashes of its windows, found for many texts at once.

A window is 12 bytes of UTF-8 from where a word begins, or from any character outside ASCII: about two words of English
or four characters of Korean, Japanese or Chinese. Texts that share most of their smallest hashes share about as many
of their windows (bottom-k sketches: Cohen and Kaplan, 2007).
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import numpy as np

from finetune.checking.plain import plain
from finetune.containers.surrogates import in_utf8

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SKETCH_SIZE = 20
"""So many hashes are kept of a text; fewer than that are all its windows."""

TEXT_MAX_CHARACTERS = 65_536
"""Of a longer text, the beginning is looked at."""

NONE = 0xFFFFFFFF
"""What stands where a text has fewer windows than a sketch has room."""

_HEAD, _END = b"\x1d", b"\x1e" * 12
_SPACE, _HEAD_BYTE, _END_BYTE = 0x20, 0x1D, 0x1E
_KEPT = (string.ascii_letters + string.digits).encode() + bytes([_HEAD_BYTE, _END_BYTE]) + bytes(range(0x80, 0x100))
_FOLDED = bytes(byte if byte in _KEPT else _SPACE for byte in range(0x100)).lower()
_PUNCTUATION = ((b"\xe2\x80", None), (b"\xe3\x80", None), (b"\xe3\x83", 0xBB))
"""How dashes, quotation marks and the like begin in UTF-8, and those of Chinese, Japanese and Korean; and their third
byte, where not all that begin so are punctuation."""

_NINE = 9
_FIRST_OF_CHARACTER, _FIRST_OF_WORD = 2, 1
_CLASS = bytes(2 if byte >= 0xC0 else 1 if byte < 0x80 and chr(byte).isalnum() else 0 for byte in range(0x100))
"""What each byte is; `bytes.translate` is several times as fast as NumPy's indexing."""
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93], dtype=np.uint64)
_PLACES = 1024
"""Digits that stand so far apart weigh the same."""


def sketches(texts: Sequence[str]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return, a row for each text, its 20 smallest window hashes, sorted, and a hash of its digits in their order.

    Texts are compared as NFKC, without the case of ASCII letters, punctuation or the width of blanks.
    """
    return sketches_of([plain(in_utf8(text[:TEXT_MAX_CHARACTERS])) for text in texts])


def sketches_of(contents: Sequence[bytes]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the same for texts that are plain (`finetune.checking.plain`), and not too long."""
    folded = _folded(contents)
    heads = np.flatnonzero(folded == _HEAD_BYTE)
    kinds = np.frombuffer(folded.tobytes().translate(_CLASS), dtype=np.uint8)
    begins = kinds == _FIRST_OF_CHARACTER
    # what is folded and below a digit is a blank, a head or an end
    begins[1:] |= (kinds[1:] == _FIRST_OF_WORD) & (folded[:-1] <= _SPACE)
    positions = np.flatnonzero(begins)
    rows = _rows_of(positions, heads)
    hashed = np.sort((rows << np.uint64(32)) | _hashes(folded, positions))
    return _smallest(hashed, len(contents)), _numbers(folded, heads)


def _folded(contents: Sequence[bytes]) -> NDArray[np.uint8]:
    joined = b"".join([_HEAD + content + _END for content in contents])
    if joined.count(_HEAD) != len(contents) or joined.count(_END[:1]) != len(contents) * len(_END):
        bare = (content.replace(_HEAD, b" ").replace(_END[:1], b" ") for content in contents)
        joined = b"".join([_HEAD + content + _END for content in bare])
    every = np.frombuffer(bytearray(joined.translate(_FOLDED)), dtype=np.uint8)
    if not joined.isascii():
        _blank_punctuation(every)
    keep = every != _SPACE
    keep[1:] |= keep[:-1].copy()  # a blank after something else stays, those after a blank go
    folded = every[keep]
    last = np.flatnonzero((folded[:-1] == _SPACE) & (folded[1:] == _END_BYTE))
    folded[last] = _END_BYTE
    return folded


def _blank_punctuation(every: NDArray[np.uint8]) -> None:
    """Put blanks over punctuation outside ASCII."""
    for (first, second), third in _PUNCTUATION:
        places = np.flatnonzero(every[:-2] == first)
        places = places[every[places + 1] == second]
        if third is not None:
            places = places[every[places + 2] == third]
        for byte in range(3):
            every[places + byte] = _SPACE


def _rows_of(positions: NDArray[np.int64], heads: NDArray[np.int64]) -> NDArray[np.uint64]:
    bounds = np.append(np.searchsorted(positions, heads), len(positions))
    return np.repeat(np.arange(len(heads), dtype=np.uint64), np.diff(bounds))


def _hashes(folded: NDArray[np.uint8], positions: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return 32 bits for the 12 bytes from each position; every text ends with as many fillers."""
    first = np.ndarray((max(len(folded) - 7, 0),), dtype="<u8", buffer=folded, strides=(1,))
    second = np.ndarray((max(len(folded) - 3, 0),), dtype="<u4", buffer=folded, strides=(1,))
    mixed = first[positions] * _MULTIPLIERS[0]
    mixed ^= second[positions + 8].astype(np.uint64) * _MULTIPLIERS[1]
    return _mixed(mixed) >> np.uint64(32)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers ^= numbers >> np.uint64(32)
    numbers *= _MULTIPLIERS[2]
    return numbers


_WEIGHTS = _mixed(np.arange(1, _PLACES + 1, dtype=np.uint64) * _MULTIPLIERS[0])  # NumPy's own random numbers take 7 MB


def _smallest(hashed: NDArray[np.uint64], texts: int) -> NDArray[np.uint32]:
    distinct = np.ones(len(hashed), dtype=bool)
    distinct[1:] = hashed[1:] != hashed[:-1]
    hashed = hashed[distinct]
    rows = (hashed >> np.uint64(32)).astype(np.int64)
    starts = np.searchsorted(rows, np.arange(texts))
    ranks = np.arange(len(hashed)) - starts[rows]
    small = ranks < SKETCH_SIZE
    found = np.full((texts, SKETCH_SIZE), NONE, dtype=np.uint32)
    found[rows[small], ranks[small]] = hashed[small].astype(np.uint32)
    return found


def _numbers(folded: NDArray[np.uint8], heads: NDArray[np.int64]) -> NDArray[np.uint32]:
    positions = np.flatnonzero(folded - np.uint8(ord("0")) <= _NINE)
    bounds = np.append(np.searchsorted(positions, heads), len(positions))
    ranks = np.arange(len(positions)) - np.repeat(bounds[:-1], np.diff(bounds))
    weighed = (folded[positions].astype(np.uint64) - np.uint64(ord("0") - 1)) * _WEIGHTS[ranks % len(_WEIGHTS)]
    sums = np.append(np.zeros(1, dtype=np.uint64), np.cumsum(weighed, dtype=np.uint64))
    return ((sums[bounds[1:]] - sums[bounds[:-1]]) >> np.uint64(32)).astype(np.uint32)
