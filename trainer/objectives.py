"""What a run learns by: the loss of a batch, its gradients, and what is reported of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from trainer.batches import passes
from trainer.gpt import answer_loss, loss_and_gradients

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainer.batches import Tokens
    from trainer.gpt import Params, Shape

Unit = TypeVar("Unit")


class Measure(Protocol):
    """Summed measurements of some examples. `weight` is what the summed loss and gradients are divided by."""

    @property
    def loss(self) -> float: ...

    @property
    def weight(self) -> int: ...

    def __add__(self, more: Any, /) -> Any: ...

    def reported(self) -> dict[str, float]:
        """The means by the names they are reported under, without "train_" or "valid_": the loss first."""
        ...


class Objective(Protocol):
    """How examples of one kind are learnt from. `columns` are the result file's, with the metrics they show."""

    @property
    def columns(self) -> Mapping[str, str]: ...

    def learn(self, params: Params, shape: Shape, examples: Sequence[Any]) -> tuple[Measure, Params]:
        """Return what was measured, and the gradients of the summed loss."""
        ...

    def measure(self, params: Params, shape: Shape, examples: Sequence[Any]) -> Measure: ...


@dataclass(frozen=True, slots=True)
class Score:
    """Summed loss in nats, tokens the model ranked first, and tokens scored."""

    loss: float = 0.0
    correct: int = 0
    tokens: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.loss + other.loss, self.correct + other.correct, self.tokens + other.tokens)

    @property
    def weight(self) -> int:
        return self.tokens

    def reported(self) -> dict[str, float]:
        tokens = max(1, self.tokens)
        return {"loss": self.loss / tokens, "mean_token_accuracy": self.correct / tokens}


class ByExample:
    """Supervised: the answer's tokens, each as likely as can be."""

    columns: Mapping[str, str] = {
        "step": "step",
        "train_loss": "train_loss",
        "train_accuracy": "train_mean_token_accuracy",
        "valid_loss": "valid_loss",
        "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    }

    def learn(self, params: Params, shape: Shape, examples: Sequence[Tokens]) -> tuple[Score, Params]:
        score, gradients = Score(), dict[str, Any]()
        for batch in passes(examples):
            loss, correct, found = loss_and_gradients(params, shape, batch)
            score += Score(loss, correct, len(batch.targets))
            gradients = added(gradients, found)
        return score, gradients

    def measure(self, params: Params, shape: Shape, examples: Sequence[Tokens]) -> Score:
        total = Score()
        for batch in passes(examples):
            loss, correct = answer_loss(params, shape, batch)
            total += Score(float(loss), correct, len(batch.targets))
        return total


def added(gradients: Params, more: Params) -> Params:
    """The sum of two passes' gradients; the first may be empty."""
    return {name: value + gradients[name] for name, value in more.items()} if gradients else more


def slices(examples: Sequence[Unit], size: int) -> Iterator[list[Unit]]:
    """Cut examples into runs of at most `size`."""
    for start in range(0, len(examples), size):
        yield [examples[index] for index in range(start, min(len(examples), start + size))]
