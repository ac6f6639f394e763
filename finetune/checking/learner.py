"""Learning the prompt contract while examples go by: what all rows share, and inference must repeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finetune.containers.surrogates import replace_surrogates
from finetune.contract import PromptContract

if TYPE_CHECKING:
    from finetune.formats.example import Example

STOP_MAX_CHARACTERS = 16
SEPARATOR_MAX_CHARACTERS = 32


@dataclass(slots=True)
class CommonEnding:
    """The longest text every one of many ends with, that none of them holds anywhere before its end.

    An ending begins with something other than a letter or digit, so that rows which all end in "ing" have none; it is
    never a whole text, and no longer than `longest` characters.
    """

    longest: int
    shortest: int = 1
    _candidates: list[str] | None = None

    def add(self, text: str) -> None:
        """Take one text more into account; an empty one says nothing about endings."""
        if not text:
            return
        if self._candidates is None:
            self._candidates = self._endings(text)
        self._candidates = [ending for ending in self._candidates if _ends_once(text, ending)]

    def best(self) -> str | None:
        """Return the ending, or None where there is none."""
        return next(map(replace_surrogates, self._candidates or ()), None)

    def _endings(self, text: str) -> list[str]:
        lengths = range(min(self.longest, len(text) - 1), self.shortest - 1, -1)
        return [text[-length:] for length in lengths if not text[-length].isalnum()]


@dataclass(slots=True)
class ChatLearner:
    """Learns whether every row begins with the same system message."""

    _system: str | None = None
    _examples: int = 0

    def add(self, example: Example) -> None:
        """Take one example more into account."""
        same = self._examples == 0 or example.system == self._system
        self._system = example.system if same else None
        self._examples += 1

    def contract(self) -> PromptContract:
        """Return what was learnt."""
        return PromptContract("chat", system=None if self._system is None else replace_surrogates(self._system))


@dataclass(slots=True)
class CompletionLearner:
    """Learns what all prompts and all completions end with."""

    _stop: CommonEnding = field(default_factory=lambda: CommonEnding(STOP_MAX_CHARACTERS))
    _separator: CommonEnding = field(default_factory=lambda: CommonEnding(SEPARATOR_MAX_CHARACTERS, shortest=2))

    def add(self, example: Example) -> None:
        """Take one example more into account."""
        self._stop.add(example.completion)
        self._separator.add(example.prompt)

    def contract(self) -> PromptContract:
        """Return what was learnt."""
        stop = self._stop.best()
        return PromptContract("completion", stop=() if stop is None else (stop,), separator=self._separator.best())


def _ends_once(text: str, ending: str) -> bool:
    return len(text) > len(ending) and text.endswith(ending) and text.find(ending) == len(text) - len(ending)
