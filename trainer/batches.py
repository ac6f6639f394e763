"""Token sequences on their way into the model: shuffled, cut into batches, padded, with the positions that count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

ATTENTION_CELLS = 2_000_000  # examples x length squared in one pass: about 32 MB a temporary with four heads


@dataclass(frozen=True, slots=True)
class Tokens:
    """One example as token ids (length,), and which of them the loss is taken on (length,)."""

    ids: NDArray[np.int32]
    trained: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded ids (examples, length), and for each trained token its predictor's flat position and its id (targets,)."""

    ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    targets: NDArray[np.int64]


def pad(examples: Sequence[Tokens]) -> Batch:
    """Stand examples side by side. Padding is on the right, where causal attention keeps it out of every target."""
    length = max(len(example.ids) for example in examples)
    ids = np.zeros((len(examples), length), np.int64)
    trained = np.zeros((len(examples), length), np.bool_)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = example.ids
        trained[row, : len(example.ids)] = example.trained
    trained[:, 0] = False  # nothing comes before the first token, so nothing can predict it
    targets = np.flatnonzero(trained)
    return Batch(ids, targets - 1, ids.reshape(-1)[targets])


def passes(examples: Sequence[Tokens]) -> Iterator[Batch]:
    """Cut one batch into passes of similar lengths that fit in memory; their losses and gradients add up."""
    group: list[Tokens] = []
    for example in sorted(examples, key=lambda one: len(one.ids)):
        if group and (len(group) + 1) * len(example.ids) ** 2 > ATTENTION_CELLS:
            yield pad(group)
            group = []
        group.append(example)
    if group:
        yield pad(group)


Unit = TypeVar("Unit")


def epoch(examples: Sequence[Unit], batch_size: int, rng: np.random.Generator) -> Iterator[list[Unit]]:
    """Every example once, in an order drawn from rng, batch_size at a time; the last batch may be smaller."""
    order = rng.permutation(len(examples))
    for start in range(0, len(order), batch_size):
        yield [examples[int(index)] for index in order[start : start + batch_size]]
