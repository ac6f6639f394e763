"""Rows gathered into batches and studied: here while they are few, by a companion process when they are many."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from finetune.checking.companion import Companion, CompanionLostError
from finetune.checking.study import Studied, TokenStudy, look_at
from finetune.containers.surrogates import in_utf8
from finetune.counting.memory import keep_small_blocks
from finetune.counting.tokens import TokenCounter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from finetune.counting.tokens import EncodingName
    from finetune.formats.example import Example

BATCH_CHARACTERS = 200_000
"""A batch is about so long: what numpy makes of it stays in a processor's cache."""

MANY_CHARACTERS = 4_000_000
"""From here on it is worth 0.5 s of CPU time to start a companion, and to make the counter for much text."""


class Taker(Protocol):
    """Takes what was found of a batch of rows, given as they were added; called in the order of the file."""

    def __call__(self, rows: Sequence[Marked], studied: Studied, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Marked:
    """What is kept of a row while it is studied."""

    number: int
    example: Example


@dataclass(slots=True)
class Batches:
    """Studies rows with `encodings` and hands what is found to `take`.

    With `alone`, all is done in this process. A context manager: leaving it ends the companion.
    """

    encodings: Sequence[EncodingName]
    tiktoken_cache: Path | None
    take: Taker
    alone: bool = False
    _rows: list[Marked] = field(default_factory=list[Marked])
    _characters: int = 0
    _waiting: deque[list[Marked]] = field(default_factory=deque[list[Marked]])
    _waiting_characters: int = 0
    _study: TokenStudy | None = None
    _companion: Companion | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._companion is not None:
            self._companion.close()

    def add(self, number: int, example: Example) -> None:
        """Take one row more."""
        self._rows.append(Marked(number, example))
        self._characters += sum(map(len, example.texts))
        if self._characters >= BATCH_CHARACTERS:
            self._close_batch()

    def finish(self) -> None:
        """Study what is left; all has been taken when this returns."""
        self._close_batch()
        if self._companion is not None:
            try:
                for studied in self._companion.rest():
                    self._take(studied)
            except CompanionLostError:
                self._go_on_alone()
        elif self._waiting:
            self._start_alone(many=False)
        self._study = None  # what it remembers is given back before the whole file is looked at

    def _close_batch(self) -> None:
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        self._waiting.append(rows)
        self._waiting_characters += self._characters
        self._characters = 0
        if self._study is not None:
            self._study_first(self._study)
        elif self._companion is not None:
            self._hand_over(rows)
        elif self._waiting_characters >= MANY_CHARACTERS:
            self._start()

    def _start(self) -> None:
        keep_small_blocks()
        if self.alone:
            self._start_alone(many=True)
            return
        try:
            self._companion = Companion(self.encodings, self.tiktoken_cache)
        except (OSError, CompanionLostError):
            self._start_alone(many=True)
            return
        for rows in list(self._waiting):
            if not self._hand_over(rows):
                return

    def _hand_over(self, rows: list[Marked]) -> bool:
        """Give a batch to the companion; False where it is lost, and all that waited was studied here."""
        assert self._companion is not None
        try:
            for studied in self._companion.study(_texts(rows)):
                self._take(studied)
        except CompanionLostError:
            self._go_on_alone()
            return False
        return True

    def _go_on_alone(self) -> None:
        assert self._companion is not None
        self._companion.close()
        self._companion = None
        self._start_alone(many=True)

    def _start_alone(self, *, many: bool) -> None:
        load = TokenCounter.load_for_much if many else TokenCounter.load
        self._study = TokenStudy([load(encoding, self.tiktoken_cache) for encoding in self.encodings])
        while self._waiting:
            self._study_first(self._study)

    def _study_first(self, study: TokenStudy) -> None:
        texts = _texts(self._waiting[0])
        self._take(Studied(study.of(texts), look_at(texts)))

    def _take(self, studied: Studied) -> None:
        self.take(self._waiting.popleft(), studied)


def _texts(rows: Sequence[Marked]) -> list[list[bytes]]:
    return [list(map(in_utf8, row.example.texts)) for row in rows]
