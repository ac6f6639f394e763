"""The rows of one file as they go by: read, counted, and what is wrong with them noted by format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from finetune.checking.learner import ChatLearner, CompletionLearner
from finetune.checking.near_duplicates import NearDuplicates
from finetune.checking.notes import Notes
from finetune.checking.traits import Traits
from finetune.containers import jsonl
from finetune.containers.jsonl import Flaw
from finetune.counting.lengths import Lengths
from finetune.counting.profile import LongestRows
from finetune.findings import ROWS_SHOWN
from finetune.formats.recognition import FORMATS, Recogniser, lack_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from finetune.checking.batches import Marked
    from finetune.checking.overlaps import Overlap
    from finetune.checking.study import Studied
    from finetune.counting.tokens import EncodingName
    from finetune.formats.example import Example
    from finetune.report import FormatName


@dataclass(slots=True)
class FormatSurvey:
    """What is known of the rows of one format."""

    learner: ChatLearner | CompletionLearner
    lengths: Mapping[str, Lengths]
    notes: Notes = field(default_factory=Notes)
    traits: Traits = field(default_factory=Traits)
    first_rows: list[int] = field(default_factory=list[int])
    rows: int = 0
    examples: int = 0
    with_images: int = 0
    replies: int = 0
    trained: int = 0
    counted_exactly: bool = True
    longest: LongestRows = field(default_factory=LongestRows)

    def count_row(self, number: int) -> None:
        """Count one row more of this format, whether it can be read or not."""
        self.rows += 1
        if self.rows <= ROWS_SHOWN:
            self.first_rows.append(number)


class Survey:
    """Takes a file's lines one by one; the memory it needs does not grow with them but for 16 bytes an example.

    What takes time is studied elsewhere (`finetune.checking.batches`): an example that `add` returns comes back to
    `weigh`, with its tokens by each of `encodings`. `contexts` are the most tokens, by encoding, that the models asked
    about read of one. `overlaps` compare the examples with those of other files.
    """

    def __init__(
        self,
        encodings: Sequence[EncodingName],
        contexts: Mapping[str, int],
        meant: FormatName | None = None,
        overlaps: Sequence[Overlap] = (),
    ) -> None:
        self.rows = 0
        self.notes = Notes()
        self._encodings = encodings
        self._contexts = contexts
        self._near = NearDuplicates()
        self.overlaps = overlaps
        self.recogniser = Recogniser(meant)
        self.formats: dict[FormatName, FormatSurvey] = {name: self._format(name) for name in FORMATS}

    def add(self, number: int, line: bytes | Flaw | None, unit: str = "Line") -> Example | None:
        """Take one row that is not blank, as JSON, and return the example in it, if there is one.

        None is a line too long to be read. `unit` is what is numbered.
        """
        self.rows += 1
        if line is None:
            self.notes.add("not-json", number, hint=f"Line {number}: over 32 MB; one example a line.")
            return None
        if isinstance(line, Flaw):
            self.notes.add(line.code, number, hint=line.reason)
            return None
        example = self.recogniser.read_plain(line)
        if example is not None:
            return self._take(number, example)
        row, flaw = jsonl.parse(line, number, unit)
        if flaw is not None:
            self.notes.add(flaw.code, number, hint=flaw.reason)
        return None if row is None else self._read(number, row, line)

    def winner(self) -> FormatName | None:
        """Return the format of the most examples, else of the most rows; None where no row is of any."""
        found = max(self.formats, key=lambda name: (self.formats[name].examples, self.formats[name].rows))
        return found if self.formats[found].rows else None

    def _format(self, name: FormatName) -> FormatSurvey:
        lengths = {encoding: Lengths() for encoding in self._encodings}
        learner = CompletionLearner() if name == "prompt-completion" else ChatLearner()
        return FormatSurvey(learner, lengths, traits=Traits.of(name))

    def _read(self, number: int, row: dict[str, Any], line: bytes) -> Example | None:
        read = self.recogniser.read(row, line)
        if read is None:
            self.notes.add(lack_of(row), number)
            return None
        return self._settle(number, *read)

    def _settle(self, number: int, name: FormatName, read: Example | str) -> Example | None:
        if isinstance(read, str):
            self.formats[name].count_row(number)
            self.formats[name].notes.add(read, number)
            return None
        return self._take(number, read)

    def _take(self, number: int, example: Example) -> Example:
        survey = self.formats[example.format]
        survey.count_row(number)
        survey.examples += 1
        survey.counted_exactly = survey.counted_exactly and example.counted_exactly
        survey.with_images += example.images > 0
        survey.replies += example.replies
        survey.trained += example.trained
        survey.learner.add(example)
        survey.traits.add(example, number)
        for overlap in self.overlaps:
            overlap.add(example, number)
        for code in example.problems:
            survey.notes.add(code, number)
        return example

    def weigh(self, rows: Sequence[Marked], studied: Studied) -> None:
        """Take what was found of examples, in the order of the file."""
        shown = self._encodings[0]
        cut: set[int] = set()  # a row that is too long for two tokenizers is one row
        for encoding, tokens in zip(self._encodings, studied.tokens, strict=True):
            context = self._contexts.get(encoding)
            for index, (row, counted) in enumerate(zip(rows, tokens, strict=True)):
                survey = self.formats[row.example.format]
                length = row.example.overhead + counted
                survey.lengths[encoding].add(length)
                if encoding == shown and length > survey.longest.shorter:
                    survey.longest.add(row.number, length)
                if context is not None and length > context:
                    cut.add(index)
        for index in sorted(cut):
            self.formats[rows[index].example.format].notes.add("over-context", rows[index].number)
        for index, code, what in studied.looks.sensitive:
            self.notes.add(code, rows[index].number, hint=f"Row {rows[index].number}: {what}.")
        sketches, numbers = studied.looks.sketched()
        numbered = np.array([row.number for row in rows], dtype=np.uint32)
        self._near.add(sketches, numbers, numbered)
        for overlap in self.overlaps:
            overlap.weigh(sketches, numbers, numbered)

    def finish(self) -> None:
        """Note what only the whole file shows; all examples have been weighed."""
        rows, originals = self._near.pairs()
        if not len(rows):
            return
        exact = np.concatenate([survey.traits.keys.repeats()[0] for survey in self.formats.values()])
        only_near = ~np.isin(rows, exact)
        rows, originals = rows[only_near], originals[only_near]
        part = f" Of {self._near.one_in} rows, one was compared." if self._near.one_in > 1 else ""
        for row, original in zip(rows.tolist(), originals.tolist(), strict=True):
            self.notes.add("near-duplicate", row, hint=f"Row {row} says nearly what row {original} says.{part}")
