"""Rows that hold a secret or personal data; what it is is said, the value itself never leaves this module."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Literal

import numpy as np

from finetune.checking.credentials import secret_in
from finetune.checking.identities import identity_in
from finetune.checking.plain import plain
from finetune.containers.surrogates import in_utf8

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

SensitiveCode = Literal["secret-in-data", "personal-data"]

SLICE_CHARACTERS = 262_144
"""A longer text is looked at in slices, so that memory does not grow with it; they overlap by what a match needs."""

_BEFORE, _AFTER = 120, 320
"""Bytes around a suspicious place in which patterns are tried."""

_PARTING = b"\n\x1d\n"
_MARGIN = b"\n" * 24
"""Around everything, so that each place has neighbours."""
_RUN = bytes(chr(byte) in string.ascii_letters + string.digits + "_-/+" for byte in range(0x80)) + bytes(0x80)
"""1 for each byte that a key may be made of; `bytes.translate` is several times as fast as NumPy's indexing."""
_LOWER = np.uint64(0x2020202020202020)
"""The bit that parts lower case from upper; digits have it too."""
_EIGHT = np.uint64(0x0101010101010101)
_SIX = np.uint64(0x0000010101010101)
_AROUND = np.arange(-8, 16)
_NINE = 9
_DIGITS_MIN = 9
_GAP_MAX = 3
"""Between the digits of one number there are at most two characters, such as ") "."""


def sensitive_rows(texts: Sequence[str]) -> list[tuple[int, SensitiveCode, str]]:
    """Return (index of the text, code, what it is) for each text and code once, in the order of the texts."""
    return _first([(index, _places([plain(in_utf8(text)) for text in piece])) for index, piece in _pieces(texts)])


def sensitive_of(contents: Sequence[bytes]) -> list[tuple[int, SensitiveCode, str]]:
    """Return the same for texts that are plain (`finetune.checking.plain`), and none of them long."""
    return _first([(range(len(contents)), _places(contents))])


def _first(
    searched: Sequence[tuple[Sequence[int], Iterator[tuple[int, SensitiveCode, str]]]],
) -> list[tuple[int, SensitiveCode, str]]:
    """Return what was found first of each code in each text, of pieces with the indices of their texts."""
    found: dict[tuple[int, SensitiveCode], str] = {}
    for index, places in searched:
        for place, code, what in places:
            found.setdefault((index[place], code), what)
    return [(index, code, what) for (index, code), what in sorted(found.items())]


def _pieces(texts: Sequence[str]) -> Iterator[tuple[list[int], list[str]]]:
    """Yield texts with their indices: all that are short together, long ones slice by slice."""
    short = [index for index, text in enumerate(texts) if len(text) <= SLICE_CHARACTERS]
    yield short, [texts[index] for index in short]
    for index in sorted(set(range(len(texts))) - set(short)):
        text = texts[index]
        for start in range(0, len(text), SLICE_CHARACTERS):
            yield [index], [text[max(start - _AFTER, 0) : start + SLICE_CHARACTERS]]


def _places(contents: Sequence[bytes]) -> Iterator[tuple[int, SensitiveCode, str]]:
    content = _content(contents)
    every = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(every == _PARTING[1])
    for row, what in _looked_at(content, ends, _secret_places(content, every), secret_in):
        yield row, "secret-in-data", what
    for row, what in _looked_at(content, ends, _number_places(every), identity_in):
        yield row, "personal-data", what


def _content(contents: Sequence[bytes]) -> bytes:
    joined = _PARTING.join(contents)
    if joined.count(_PARTING[1]) != len(contents) - 1:
        joined = _PARTING.join([content.replace(_PARTING[1:2], b" ") for content in contents])
    return _MARGIN + joined + _MARGIN


def _looked_at(
    content: bytes, ends: NDArray[np.int64], places: Sequence[int], look: Callable[[str], str | None]
) -> Iterator[tuple[int, str]]:
    """Yield (row, what `look` finds) for rows where it finds something around one of the places, in their order."""
    done = -1
    for place in places:
        if place < done:
            continue
        row = int(np.searchsorted(ends, place))
        low = int(ends[row - 1]) + 1 if row else 0
        high = int(ends[row]) if row < len(ends) else len(content)
        what = look(content[max(place - _BEFORE, low) : min(place + _AFTER, high)].decode("utf-8", "replace"))
        done = min(place + _AFTER // 2, high)  # what begins later is looked at again, with more after it
        if what is not None:
            done = high
            yield row, what


def _secret_places(content: bytes, every: NDArray[np.uint8]) -> list[int]:
    """Return where 20 or more letters and digits stand in a row, not all small letters, and where a private key is."""
    runs = np.frombuffer(content.translate(_RUN), dtype=np.uint8)
    whole = np.flatnonzero(runs[: len(runs) // 8 * 8].view(np.uint64) == _EIGHT) * 8
    eights = _eights(runs)
    whole = whole[((eights[whole + 8] & _SIX) == _SIX) | ((eights[whole - 6] & _SIX) == _SIX)]
    mixed = (every[whole[:, np.newaxis] + _AROUND] - np.uint8(ord("0")) <= _NINE).any(axis=1)
    capitals = (_eights(every)[whole] & _LOWER) == 0
    return sorted([*_finds(content, b"PRIVATE KEY"), *whole[mixed | capitals].tolist()])


def _eights(every: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the eight bytes from each position as one number."""
    return np.ndarray((len(every) - 7,), dtype="<u8", buffer=every, strides=(1,))


def _finds(content: bytes, wanted: bytes) -> Iterator[int]:
    position = content.find(wanted)
    while position >= 0:
        yield position
        position = content.find(wanted, position + 1)


def _number_places(every: NDArray[np.uint8]) -> list[int]:
    """Return where nine or more digits stand close together, and where an "@" is."""
    digits = np.flatnonzero(every - np.uint8(ord("0")) <= _NINE)
    places: list[int] = np.flatnonzero(every == ord("@")).tolist()
    if len(digits) >= _DIGITS_MIN:
        begins = np.append(0, np.flatnonzero(np.diff(digits) > _GAP_MAX) + 1)
        lengths = np.diff(np.append(begins, len(digits)))
        places += digits[begins[lengths >= _DIGITS_MIN]].tolist()
    return sorted(places)
