"""Rows that stand in the file that is learnt and in one that is held out: what was learnt measures nothing."""

from __future__ import annotations

import unicodedata
from array import array
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from finetune.checking.near_duplicates import NearDuplicates
from finetune.checking.rules import row_finding
from finetune.checking.windows import sketches
from finetune.containers import jsonl
from finetune.containers.rows import Rows
from finetune.findings import ROWS_SHOWN, Finding, Severity
from finetune.formats.recognition import SAMPLE_ROWS, Recogniser

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from finetune.containers.rows import Row
    from finetune.formats.example import Example

HeldOut = Literal["validation", "test"]

_BATCH_ROWS: Final = 500
_HELD = np.uint32(1 << 31)
"""Rows of the file held out have this bit, where rows of both are compared; the other's are never so many."""

_TEAM: Final = frozenset({"system", "developer"})
_ROLES: Final = frozenset({"user", "assistant", "tool", "function"})


@dataclass
class Overlap:
    """Compares the rows of one file that is held out with those of the file that is learnt.

    Equal are rows that say the same but for width, case and blanks; the system message and roles are left aside.
    `refusal` says why the file held out could not be read, or not to its end; "" where it was.
    """

    kind: HeldOut
    refusal: str = ""
    _held: array[int] = field(default_factory=lambda: array("q"))
    _held_rows: array[int] = field(default_factory=lambda: array("I"))
    _keys: array[int] = field(default_factory=lambda: array("q"))
    _rows: array[int] = field(default_factory=lambda: array("I"))
    _near: NearDuplicates = field(default_factory=NearDuplicates)

    @classmethod
    def read(cls, kind: HeldOut, blocks: Iterable[bytes], filename: str) -> Overlap:
        """Read the file that is held out, once; the other file's rows come by `add` and `weigh`."""
        overlap = cls(kind)
        rows = Rows(blocks, filename)
        examples = _examples(rows)
        while batch := list(islice(examples, _BATCH_ROWS)):
            overlap._hold(batch)
        if rows.refusal is not None:
            overlap.refusal = f"The {kind} file was not read to its end: {rows.refusal.message}"
        elif not overlap._held:
            overlap.refusal = f"No example could be read in the {kind} file."
        return overlap

    def add(self, example: Example, row: int) -> None:
        """Take a row of the file that is learnt."""
        self._keys.append(_key(example))
        self._rows.append(row)

    def weigh(self, found: NDArray[np.uint32], numbers: NDArray[np.uint32], rows: NDArray[np.uint32]) -> None:
        """Take sketches of rows of the file that is learnt (`finetune.checking.windows`)."""
        self._near.add(found, numbers, rows)

    def findings(self, total: int) -> Iterator[Finding]:
        """Yield what was found, for a file of `total` rows: an error for rows that are in both files.

        Rows that are only nearly in both are a warning, where there are no others.
        """
        same = self._same()
        near = [(row, held) for row, held in self._alike() if row not in same]
        code = f"train-{self.kind}-overlap"
        if same:
            rows = sorted(same)
            hint = f"Row {rows[0]} is row {same[rows[0]]} of the {self.kind} file."
            more = f" {_also(near)}" if near else ""
            yield row_finding(code, tuple(rows[:ROWS_SHOWN]), len(rows), total, hint=hint + more)
        elif near:
            rows = [row for row, _ in near]
            hint = f"Row {rows[0]} says nearly what row {near[0][1]} of the {self.kind} file says."
            nearly = ", nearly word for word"
            finding = row_finding(code, tuple(rows[:ROWS_SHOWN]), len(rows), total, detail=nearly, hint=hint)
            yield replace(finding, severity=Severity.WARNING)

    def _hold(self, examples: Sequence[tuple[int, Example]]) -> None:
        texts = [" ".join(_said(example)) for _, example in examples]
        self._held.extend(_key(example) for _, example in examples)
        self._held_rows.extend(row for row, _ in examples)
        rows = np.array([row for row, _ in examples], dtype=np.uint32)
        self._near.add(*sketches(texts), rows | _HELD)

    def _same(self) -> dict[int, int]:
        """Return the rows that say what a row held out says, each with the first such row."""
        keys, held = np.frombuffer(self._keys, dtype=np.int64), np.frombuffer(self._held, dtype=np.int64)
        if not len(keys) or not len(held):
            return {}
        known, first = np.unique(held, return_index=True)
        places = np.flatnonzero(np.isin(keys, known))
        originals = first[np.searchsorted(known, keys[places])]
        return {
            self._rows[place]: self._held_rows[original]
            for place, original in zip(places.tolist(), originals.tolist(), strict=True)
        }

    def _alike(self) -> Iterator[tuple[int, int]]:
        """Yield the rows that say nearly what a row held out says, each with that row, in the order of the file."""
        rows, originals = self._near.pairs()
        wanted = ((originals & _HELD) != 0) & ((rows & _HELD) == 0)
        yield from zip(rows[wanted].tolist(), (originals[wanted] & ~_HELD).tolist(), strict=True)


def shared_rows(learnt: Rows, held_out: Rows) -> list[int]:
    """Return the numbers of the rows held out that say what a row that is learnt says, however they are written."""
    known = {_key(example) for _, example in _examples(learnt)}
    return [number for number, example in _examples(held_out) if _key(example) in known]


def _also(near: Sequence[tuple[int, int]]) -> str:
    if len(near) == 1:
        return f"Row {near[0][0]} says nearly what row {near[0][1]} of it says."
    return f"{len(near):,} rows more, such as {near[0][0]}, say nearly what rows of it say."


def _examples(rows: Rows) -> Iterator[tuple[int, Example]]:
    every = iter(rows)
    sample = list(islice(every, SAMPLE_ROWS))
    recogniser = Recogniser()
    recogniser.learn(sample)
    for number, row in _chained(sample, every):
        if isinstance(row, bytes):
            example = recogniser.read_plain(row) or _by_hand(recogniser, row, number)
            if example is not None:
                yield number, example


def _chained(sample: Iterable[Row], rest: Iterable[Row]) -> Iterator[Row]:
    yield from sample
    yield from rest


def _by_hand(recogniser: Recogniser, row: bytes, number: int) -> Example | None:
    fields, _ = jsonl.parse(row, number)
    read = None if fields is None else recogniser.read(fields, row)
    return None if read is None or isinstance(read[1], str) else read[1]


def _key(example: Example) -> int:
    folded = (unicodedata.normalize("NFKC", text).casefold().split() for text in _said(example))
    return hash(tuple([" ".join(words) for words in folded]))


def _said(example: Example) -> list[str]:
    """Return what an example says, without roles and what the team says before it."""
    texts = example.texts[2:] if example.texts and example.texts[0] in _TEAM else example.texts
    return [text for text in texts if text not in _ROLES]
