"""The rows of one file as they go by: read, counted, and what is wrong with them noted by format."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from finetune import jsonl
from finetune.duplicates import Keys
from finetune.findings import ROWS_SHOWN
from finetune.jsonl import Flaw
from finetune.learner import ChatLearner, CompletionLearner
from finetune.lengths import Lengths
from finetune.notes import Notes
from finetune.recognition import FORMATS, Recogniser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from finetune.example import Example
    from finetune.report import FormatName
    from finetune.tokens import TokenCounter


REMEMBERED = 256
REMEMBERED_MAX_CHARACTERS = 10_000
"""The counts of so many texts are kept, no longer than this: roles, system messages and labels come again and again."""


@dataclass(slots=True)
class FormatSurvey:
    """What is known of the rows of one format."""

    learner: ChatLearner | CompletionLearner
    lengths: Mapping[str, Lengths]
    notes: Notes = field(default_factory=Notes)
    keys: Keys = field(default_factory=Keys)
    first_rows: list[int] = field(default_factory=list[int])
    rows: int = 0
    examples: int = 0
    with_images: int = 0
    counted_exactly: bool = True

    def count_row(self, number: int) -> None:
        """Count one row more of this format, whether it can be read or not."""
        self.rows += 1
        if self.rows <= ROWS_SHOWN:
            self.first_rows.append(number)


class Survey:
    """Takes a file's lines one by one; the memory it needs does not grow with them but for 16 bytes an example.

    Every example is counted by each of `counters`; `contexts` are the most tokens, by encoding, that the models asked
    about read of one.
    """

    def __init__(
        self, counters: Sequence[TokenCounter], contexts: Mapping[str, int], meant: FormatName | None = None
    ) -> None:
        self.rows = 0
        self.notes = Notes()
        self._counters = counters
        self._remembered = [lru_cache(REMEMBERED)(counter.count) for counter in counters]
        self._contexts = contexts
        self.recogniser = Recogniser(meant)
        self.formats: dict[FormatName, FormatSurvey] = {
            name: self._format(CompletionLearner() if name == "prompt-completion" else ChatLearner())
            for name in FORMATS
        }

    def add(self, number: int, line: bytes | Flaw | None, unit: str = "Line") -> None:
        """Take one row that is not blank, as JSON; None is a line too long to be read. `unit` is what is numbered."""
        self.rows += 1
        if line is None:
            self.notes.add("not-json", number, hint=f"Line {number}: over 32 MB; one example a line.")
            return
        if isinstance(line, Flaw):
            self.notes.add(line.code, number, hint=line.reason)
            return
        example = self.recogniser.read_plain(line)
        if example is not None:
            self._take(number, example)
            return
        row, flaw = jsonl.parse(line, number, unit)
        if flaw is not None:
            self.notes.add(flaw.code, number, hint=flaw.reason)
        if row is not None:
            self._read(number, row, line)

    def winner(self) -> FormatName | None:
        """Return the format of the most examples, else of the most rows; None where no row is of any."""
        found = max(self.formats, key=lambda name: (self.formats[name].examples, self.formats[name].rows))
        return found if self.formats[found].rows else None

    def _format(self, learner: ChatLearner | CompletionLearner) -> FormatSurvey:
        return FormatSurvey(learner, {counter.encoding: Lengths() for counter in self._counters})

    def _read(self, number: int, row: dict[str, Any], line: bytes) -> None:
        read = self.recogniser.read(row, line)
        if read is None:
            self.notes.add("unknown-format", number)
        else:
            self._settle(number, *read)

    def _settle(self, number: int, name: FormatName, read: Example | str) -> None:
        if isinstance(read, str):
            self.formats[name].count_row(number)
            self.formats[name].notes.add(read, number)
        else:
            self._take(number, read)

    def _take(self, number: int, example: Example) -> None:
        survey = self.formats[example.format]
        survey.count_row(number)
        survey.examples += 1
        survey.counted_exactly = survey.counted_exactly and example.counted_exactly
        survey.with_images += example.images > 0
        survey.learner.add(example)
        survey.keys.add(example.key, number)
        for code in example.problems:
            survey.notes.add(code, number)
        for counter, remembered in zip(self._counters, self._remembered, strict=True):
            tokens = example.overhead
            for text in example.texts:
                tokens += remembered(text) if len(text) <= REMEMBERED_MAX_CHARACTERS else counter.count(text)
            survey.lengths[counter.encoding].add(tokens)
            if tokens > self._contexts.get(counter.encoding, tokens):
                survey.notes.add("over-context", number)
