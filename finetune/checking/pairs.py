"""What prompt/completion rows share, gathered while they go by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finetune.checking.affixes import Absent, CommonPrefix, CommonSuffix
from finetune.checking.capitals import Capitals
from finetune.shape import ENDINGS, LAST_ENDING, LAST_SEPARATOR, SEPARATORS, Shape

if TYPE_CHECKING:
    from finetune.shape import PairColumn

_ARROW, _LINE_BREAK = " ->", "\n"


@dataclass(slots=True)
class Column:
    """What the texts of one column share."""

    candidates: Absent
    prefix: CommonPrefix = field(default_factory=CommonPrefix)
    suffix: CommonSuffix = field(default_factory=CommonSuffix)
    capitals: Capitals = field(default_factory=Capitals)
    identical: bool = True
    _first: str | None = None

    def add(self, text: str, row: int) -> None:
        """Take one text more into account."""
        if self._first is None:
            self._first = text
        elif self.identical:
            self.identical = text == self._first
        self.prefix.add(text)
        self.suffix.add(text, row)
        self.candidates.add(text)
        self.capitals.add(text)


@dataclass(slots=True)
class Pairs:
    """What the prompts, and the completions, of many rows share."""

    rows: int = 0
    prompts: Column = field(default_factory=lambda: Column(Absent([_LINE_BREAK, *SEPARATORS])))
    completions: Column = field(default_factory=lambda: Column(Absent([*ENDINGS])))

    def add(self, prompt: str, completion: str, row: int) -> None:
        """Take one row more into account; one without a completion shows nothing of the others."""
        if not completion:
            return
        self.rows += 1
        self.prompts.add(prompt, row)
        self.completions.add(completion, row)

    def shape(self, distinct_completions: int) -> Shape:
        """Return what was found, for a file with so many different completions."""
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
        )

    def _suggested_separator(self) -> str:
        absent = self.prompts.candidates.texts
        usable = (one for one in absent if one != _LINE_BREAK and (one != _ARROW or _LINE_BREAK in absent))
        return next(usable, LAST_SEPARATOR)

    def _upper_case(self) -> tuple[PairColumn, ...]:
        columns: tuple[tuple[PairColumn, Column], ...] = (("prompt", self.prompts), ("completion", self.completions))
        return tuple(name for name, column in columns if column.capitals.are_many())
