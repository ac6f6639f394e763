"""A training file as token ids: a thousand-token vocabulary fits two bytes an id, so large files fit in memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from trainer.batches import Tokens
from trainer.lines import read_examples
from trainer.template import all_pieces, lay_out
from trainer.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainer.template import Piece


class Corpus(Sequence[Tokens]):
    """The examples of one file, each cut at the end where it is longer than the model's context."""

    def __init__(
        self, path: Path, vocabulary: Vocabulary, context: int, pieces_of: Callable[[Any], Sequence[Piece]] = lay_out
    ) -> None:
        ids, trained, ends = array("H"), array("B"), array("q", [0])
        self.truncated = 0
        for example in read_examples(path):
            tokens = vocabulary.encode(pieces_of(example))
            self.truncated += len(tokens.ids) > context
            ids.extend(tokens.ids[:context].tolist())
            trained.extend(tokens.trained[:context].tolist())
            ends.append(len(ids))
        self._ids = np.frombuffer(ids, np.uint16)
        self._trained = np.frombuffer(trained, np.uint8)
        self._ends = np.frombuffer(ends, np.int64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> Tokens: ...
    @overload
    def __getitem__(self, index: slice) -> list[Tokens]: ...
    def __getitem__(self, index: int | slice) -> Tokens | list[Tokens]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        here = slice(int(self._ends[index]), int(self._ends[index + 1]))
        return Tokens(self._ids[here].astype(np.int32), self._trained[here].astype(np.bool_))

    @property
    def tokens(self) -> int:
        return len(self._ids)

    @property
    def trained_tokens(self) -> int:
        """How many tokens the loss is taken on."""
        return int(self._trained.sum())


def learn_vocabulary(path: Path) -> Vocabulary:
    """Learn a vocabulary from the text of a training file, as the model will see it."""

    def texts() -> Iterator[str]:
        for example in read_examples(path):
            yield from (piece.text for piece in all_pieces(example) if not piece.special)

    return Vocabulary.learn(texts())
