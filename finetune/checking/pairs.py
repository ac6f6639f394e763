"""What prompt/completion rows share, gathered while they go by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finetune.checking.affixes import Absent, CommonPrefix, CommonSuffix
from finetune.checking.capitals import Capitals
from finetune.checking.first_rows import FirstRows
from finetune.shape import ENDINGS, LAST_ENDING, LAST_SEPARATOR, SEPARATORS, Shape

if TYPE_CHECKING:
    from finetune.shape import PairColumn

BATCH_CHARACTERS = 65_536

_BETWEEN = "\0"
_ARROW, _LINE_BREAK = " ->", "\n"

_EAST_ASIAN = re.compile(r"[\W\d]*[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7ff\uf900-\ufaff]")
"""Begins in Korean, Japanese or Chinese, whose tokens hold no space before the word as English ones do."""


@dataclass(slots=True)
class Column:
    """What the texts of one column share."""

    candidates: Absent
    prefix: CommonPrefix = field(default_factory=CommonPrefix)
    suffix: CommonSuffix = field(default_factory=CommonSuffix)
    capitals: Capitals = field(default_factory=Capitals)
    identical: bool = True
    _first: str | None = None
    _batch: list[str] = field(default_factory=list[str])
    _characters: int = 0

    def add(self, text: str, row: int) -> None:
        """Take one text more into account."""
        if self._first is None:
            self._first = text
        elif self.identical:
            self.identical = text == self._first
        self.prefix.add(text)
        self.suffix.add(text, row)
        self._batch.append(text)
        self._characters += len(text)
        if self._characters >= BATCH_CHARACTERS:
            self.close_batch()

    def close_batch(self) -> None:
        """Look at the texts that were put aside to be looked at together."""
        joined = _BETWEEN.join(self._batch)
        self._batch.clear()
        self._characters = 0
        self.candidates.add(joined)
        self.capitals.add(joined)


@dataclass(slots=True)
class Pairs:
    """What the prompts, and the completions, of many rows share."""

    rows: int = 0
    prompts: Column = field(default_factory=lambda: Column(Absent([_LINE_BREAK, *SEPARATORS])))
    completions: Column = field(default_factory=lambda: Column(Absent([*ENDINGS])))
    spaceless: FirstRows = field(default_factory=FirstRows)
    east_asian: int = 0
    prompted: bool = False

    def add(self, prompt: str, completion: str, row: int) -> None:
        """Take one row more into account; one without a completion shows nothing of the others."""
        if not completion:
            return
        self.rows += 1
        self.prompted = self.prompted or bool(prompt.strip())
        if completion[0] != " ":
            if _EAST_ASIAN.match(completion):
                self.east_asian += 1
            else:
                self.spaceless.add(row)
        self.prompts.add(prompt, row)
        self.completions.add(completion, row)

    def shape(self, distinct_completions: int) -> Shape:
        """Return what was found, for a file with so many different completions."""
        self.prompts.close_batch()
        self.completions.close_batch()
        return Shape(
            rows=self.rows,
            prompt_prefix=self.prompts.prefix.known(),
            separator=self.prompts.suffix.known(),
            suggested_separator=self._suggested_separator(),
            prompts_identical=self.rows > 1 and self.prompts.identical,
            completion_prefix=self.completions.prefix.known(),
            ending=self.completions.suffix.known(),
            suggested_ending=next(iter(self.completions.candidates.texts), LAST_ENDING),
            completions_identical=self.rows > 1 and self.completions.identical,
            distinct_completions=distinct_completions,
            upper_case=self._upper_case(),
            open_ended=self.rows > 0 and not self.prompted,
            leading_spaces_expected=self.east_asian * 2 < self.rows,
        )

    def _suggested_separator(self) -> str:
        absent = self.prompts.candidates.texts
        usable = (one for one in absent if one != _LINE_BREAK and (one != _ARROW or _LINE_BREAK in absent))
        return next(usable, LAST_SEPARATOR)

    def _upper_case(self) -> tuple[PairColumn, ...]:
        columns: tuple[tuple[PairColumn, Column], ...] = (("prompt", self.prompts), ("completion", self.completions))
        return tuple(name for name, column in columns if column.capitals.are_many())
