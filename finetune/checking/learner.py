"""Learning the prompt contract while examples go by: what all rows share, and inference must repeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finetune.containers.surrogates import replace_surrogates
from finetune.contract import Label, PromptContract
from finetune.counting.tokens import token_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from finetune.counting.tokens import TokenCounter
    from finetune.formats.example import Example

STOP_MAX_CHARACTERS = 16
SEPARATOR_MAX_CHARACTERS = 32

LABELS_MAX = 200
LABEL_MAX_CHARACTERS = 64
"""Answers that are more, or longer, are no labels."""

ROWS_A_LABEL_MIN = 3
"""Fewer different answers than a third of the rows make a classifier: the rule of OpenAI's `prepare_data`."""


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
class CommonAnswers:
    """The different answers of many rows, while they may be labels: few, short, and given again and again."""

    rows: int = 0
    _counts: dict[str, int] | None = field(default_factory=dict[str, int])

    def add(self, answer: str) -> None:
        """Take one row's answer into account; "" is none, and then the rows are no classifier's."""
        if self._counts is None:
            return
        self.rows += 1
        self._counts[answer] = self._counts.get(answer, 0) + 1
        if not answer.strip() or len(answer) > LABEL_MAX_CHARACTERS or len(self._counts) > LABELS_MAX:
            self._counts = None

    @property
    def may_be_labels(self) -> bool:
        """Whether nothing seen so far says that they are none."""
        return self._counts is not None

    def labels(
        self, count: Callable[[str], int], stop: str = "", numbers: Callable[[str], Sequence[int]] | None = None
    ) -> tuple[Label, ...]:
        """Return the labels, the commonest first; () where the answers are none.

        `count` gives how many tokens a text has, `numbers` which; `stop` is what all answers end with.
        """
        counts = self._counts or {}
        if not counts or len(counts) * ROWS_A_LABEL_MIN >= self.rows:
            return ()
        texts = ((replace_surrogates(answer.removesuffix(stop)), rows) for answer, rows in counts.items())
        found = [Label(text, rows, count(text), tuple(numbers(text)) if numbers else ()) for text, rows in texts]
        return tuple(sorted(found, key=lambda label: (-label.rows, label.text)))


@dataclass(slots=True)
class ChatLearner:
    """Learns whether every row begins with the same system message, and whether it answers with a label."""

    _system: str | None = None
    _role: str = "system"
    _examples: int = 0
    _answers: CommonAnswers = field(default_factory=CommonAnswers)

    def add(self, example: Example) -> None:
        """Take one example more into account."""
        said = (example.system, example.system_role if example.system else "system")
        same = self._examples == 0 or said == (self._system, self._role)
        self._system, self._role = said if same else (None, "system")
        self._examples += 1
        self._answers.add(example.completion)

    def contract(self, counter: TokenCounter) -> PromptContract:
        """Return what was learnt, labels counted by `counter`."""
        system = None if self._system is None else replace_surrogates(self._system)
        labels = self._answers.labels(_exactly(counter), numbers=_numbers(counter))
        encoding = _name(counter, labels)
        return PromptContract("chat", system=system, labels=labels, encoding=encoding, system_role=self._role)


@dataclass(slots=True)
class CompletionLearner:
    """Learns what all prompts and all completions end with, and whether they are labels."""

    _stop: CommonEnding = field(default_factory=lambda: CommonEnding(STOP_MAX_CHARACTERS))
    _separator: CommonEnding = field(default_factory=lambda: CommonEnding(SEPARATOR_MAX_CHARACTERS, shortest=2))
    _answers: CommonAnswers = field(default_factory=CommonAnswers)

    def add(self, example: Example) -> None:
        """Take one example more into account."""
        self._stop.add(example.completion)
        self._separator.add(example.prompt)
        self._answers.add(example.completion)

    def contract(self, counter: TokenCounter) -> PromptContract:
        """Return what was learnt, labels counted by `counter`."""
        stop, separator = self._stop.best(), self._separator.best()
        labels = self._answers.labels(_exactly(counter), stop or "", _numbers(counter))
        return PromptContract(
            "completion",
            stop=() if stop is None else (stop,),
            separator=separator,
            labels=labels,
            encoding=_name(counter, labels),
        )


def _exactly(counter: TokenCounter) -> Callable[[str], int]:
    """Return what counts a label's tokens; an estimate is no count, and gives 0."""
    return counter.count if counter.exact else lambda _: 0


def _numbers(counter: TokenCounter) -> Callable[[str], list[int]] | None:
    """Return what gives a label's tokens by their numbers, None where only their count can be had."""
    return token_ids(counter.encoding) if counter.exact else None


def _name(counter: TokenCounter, labels: tuple[Label, ...]) -> str:
    return counter.encoding if counter.exact and labels else ""


def _ends_once(text: str, ending: str) -> bool:
    return len(text) > len(ending) and text.endswith(ending) and text.find(ending) == len(text) - len(ending)
