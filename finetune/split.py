"""Holding rows out for validation: drawn by a seed, leaking no repeated row, every line as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from finetune.formats.example import key_of
from finetune.formats.training_lines import training_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

TRAIN_MIN = 10
"""Providers refuse fewer training rows."""

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Split:
    """Two parts of a file, as JSONL, read anew from its blocks each time one is asked for."""

    train_rows: int
    valid_rows: int
    _lines: Callable[[], Iterable[tuple[int, bytes]]]
    _held_out: frozenset[int]

    @property
    def train(self) -> Iterator[bytes]:
        """Yield the lines to train on, in the file's order (`finetune.formats.training_lines`), with newlines."""
        return self._part(held_out=False)

    @property
    def valid(self) -> Iterator[bytes]:
        """Yield the lines held out, likewise."""
        return self._part(held_out=True)

    def _part(self, *, held_out: bool) -> Iterator[bytes]:
        return (line + b"\n" for number, line in self._lines() if (number in self._held_out) is held_out)


def split_jsonl(
    blocks: Iterable[bytes], fraction: float, seed: int, *, filename: str = "", format_name: str = ""
) -> Split:
    """Return the file's split, `fraction` of its rows held out as `hold_out` says; blank lines belong to neither part.

    The file may be anything that can be checked: `filename` and `format_name` are those of its check. Rows that are the
    same JSON stay together, however they are written. `blocks` is read once now and once for each
    part, so give something that can be read again (a list, or an object that opens the file anew in `__iter__`):
    an iterator is kept in memory whole.
    """
    source = list(blocks) if isinstance(blocks, Iterator) else blocks
    lines = partial(training_lines, source, filename, format_name)
    numbers: list[int] = []
    keys: list[int] = []
    for number, line in lines():
        numbers.append(number)
        keys.append(_key(line))
    train, valid = hold_out(keys, fraction, seed)
    return Split(len(train), len(valid), lines, frozenset(numbers[index] for index in valid))


def hold_out(keys: Sequence[int], fraction: float, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the indices of the examples to train on and of those held out, each in order.

    Examples with the same key stay on one side. About `fraction` of the examples are held out, at least one where
    `fraction` is above 0, never so many that fewer than 10 are left, and fewer where repeated examples do not fit.
    The same keys, fraction and seed give the same split, in whatever order the examples are. ValueError unless 0 <=
    fraction < 1.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction is {fraction}, not from 0 up to 1")
    sizes: dict[int, int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    room = min(max(1, round(fraction * len(keys))), len(keys) - TRAIN_MIN) if fraction else 0
    held_out: set[int] = set()
    for key in sorted(sizes, key=lambda key: _rank(key, seed)):
        if sizes[key] <= room:
            held_out.add(key)
            room -= sizes[key]
        if room <= 0:
            break
    valid = tuple(index for index, key in enumerate(keys) if key in held_out)
    train = tuple(index for index, key in enumerate(keys) if key not in held_out)
    return train, valid


def _rank(key: int, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed} {key}".encode(), digest_size=16).digest()


def _key(line: bytes) -> int:
    try:
        return key_of(_encode(msgspec.json.decode(line)))
    except (msgspec.MsgspecError, ValueError, RecursionError):  # not JSON: the check has said so, and it stays as it is
        return key_of(line.strip())
