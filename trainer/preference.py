"""Learning by preference: DPO over a frozen reference (Rafailov and others, 2023).

The loss of a pair is -log sigmoid(margin), where the margin is beta times how much more the model has come to prefer
the preferred answer to the other than the reference does. A model that begins from nothing has no answers to hold on
to: it learns the preferred ones as well, by their likelihood (as the RPO variant of DPO does).
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# autograd ships no types: what comes out of it is annotated where it leaves this module.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from autograd.tracer import getval

from trainer.batches import ATTENTION_CELLS, Tokens, pad
from trainer.gpt import anp, answer_logits, value_and_grad
from trainer.objectives import added

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trainer.batches import Batch
    from trainer.corpus import Corpus
    from trainer.gpt import Floats, Params, Shape


@dataclass(frozen=True, slots=True)
class PairTokens:
    """One pair. `reference` is the log-likelihood (nats) that the frozen model gives each: preferred, other."""

    preferred: Tokens
    other: Tokens
    reference: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Rewards:
    """Summed loss in nats, rewards of the preferred and the other answers, pairs won, and pairs.

    A reward is beta times how much likelier an answer has become; a pair is won where the preferred one's is larger.
    """

    loss: float = 0.0
    preferred: float = 0.0
    other: float = 0.0
    won: int = 0
    pairs: int = 0

    def __add__(self, more: Rewards) -> Rewards:
        return Rewards(
            self.loss + more.loss,
            self.preferred + more.preferred,
            self.other + more.other,
            self.won + more.won,
            self.pairs + more.pairs,
        )

    @property
    def weight(self) -> int:
        return self.pairs

    def reported(self) -> dict[str, float]:
        pairs = max(1, self.pairs)
        return {
            "loss": self.loss / pairs,
            "reward_accuracy": self.won / pairs,
            "reward_margin": (self.preferred - self.other) / pairs,
            "preferred_reward": self.preferred / pairs,
            "other_reward": self.other / pairs,
        }


class Pairs(Sequence[PairTokens]):
    """The pairs of one file, with what the frozen reference makes of each, worked out once."""

    def __init__(self, preferred: Corpus, other: Corpus, reference: Params, shape: Shape) -> None:
        self._preferred, self._other = preferred, other
        bare = [PairTokens(one, two) for one, two in zip(preferred, other, strict=True)]
        self._reference = np.zeros((len(bare), 2), np.float32)
        for places in pair_passes(bare):
            likelihoods = log_likelihoods(
                reference, shape, pad(both([bare[place] for place in places])), 2 * len(places)
            )
            self._reference[places] = np.asarray(getval(likelihoods)).reshape(2, len(places)).T

    @property
    def tokens(self) -> int:
        """How many tokens stand in both answers of all pairs, their prompts included."""
        return self._preferred.tokens + self._other.tokens

    def __len__(self) -> int:
        return len(self._preferred)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        preferred, other = self._reference[index]
        return PairTokens(self._preferred[index], self._other[index], (float(preferred), float(other)))


class ByPreference:
    """DPO. `beta` holds the model to the reference; `anchor` weighs the likelihood of the preferred answers, 0: not."""

    columns: Mapping[str, str] = {
        name: name
        for name in (
            "step",
            "train_loss",
            "train_reward_accuracy",
            "train_reward_margin",
            "valid_loss",
            "valid_reward_accuracy",
            "valid_reward_margin",
        )
    }

    def __init__(self, beta: float, anchor: float) -> None:
        self.beta, self.anchor = beta, anchor

    def learn(self, params: Params, shape: Shape, examples: Sequence[PairTokens]) -> tuple[Rewards, Params]:
        rewards, gradients = Rewards(), dict[str, Any]()
        for places in pair_passes(examples):
            pairs = [examples[place] for place in places]
            found: list[Rewards] = []

            def loss(weights: Params, pairs: list[PairTokens] = pairs, found: list[Rewards] = found) -> Any:
                total, seen = self._loss(weights, shape, pairs)
                found.append(seen)
                return total

            _, more = value_and_grad(loss)(params)
            rewards += found[-1]
            gradients = added(gradients, more)
        return rewards, gradients

    def measure(self, params: Params, shape: Shape, examples: Sequence[PairTokens]) -> Rewards:
        total = Rewards()
        for places in pair_passes(examples):
            total += self._loss(params, shape, [examples[place] for place in places])[1]
        return total

    def _loss(self, params: Params, shape: Shape, pairs: Sequence[PairTokens]) -> tuple[Any, Rewards]:
        """The summed loss with its anchor, and what is reported: the loss of the pairs alone."""
        count = len(pairs)
        batch = pad(both(pairs))
        likelihoods = log_likelihoods(params, shape, batch, 2 * count)
        frozen = np.array([[pair.reference[side] for pair in pairs] for side in (0, 1)], np.float32)
        rewards = np.float32(self.beta) * (anp.reshape(likelihoods, (2, count)) - frozen)
        margins = rewards[0] - rewards[1]
        lost = anp.sum(anp.logaddexp(np.zeros(count, np.float32), -margins))
        total = lost
        if self.anchor:
            lengths = np.maximum(1, np.array([pair.preferred.trained[1:].sum() for pair in pairs], np.float32))
            total = total - np.float32(self.anchor) * anp.sum(likelihoods[:count] / lengths)
        seen = np.asarray(getval(rewards))
        won = int(np.sum(seen[0] > seen[1]))
        return total, Rewards(float(getval(lost)), float(seen[0].sum()), float(seen[1].sum()), won, count)


def both(pairs: Sequence[PairTokens]) -> list[Tokens]:
    """All preferred answers, then all the others: the two halves of a batch."""
    return [*(pair.preferred for pair in pairs), *(pair.other for pair in pairs)]


def pair_passes(pairs: Sequence[PairTokens]) -> Iterator[list[int]]:
    """Cut pairs, by their places, into passes of similar lengths that fit in memory."""
    lengths = [max(len(pair.preferred.ids), len(pair.other.ids)) for pair in pairs]
    group: list[int] = []
    for place in sorted(range(len(pairs)), key=lambda one: lengths[one]):
        if group and 2 * (len(group) + 1) * lengths[place] ** 2 > ATTENTION_CELLS:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def log_likelihoods(params: Params, shape: Shape, batch: Batch, examples: int) -> Any:
    """The log-likelihood (examples,) of each example's trained tokens, in nats."""
    logits = answer_logits(params, shape, batch)
    shifted = logits - np.max(getval(logits), axis=-1, keepdims=True)
    chosen = shifted[np.arange(len(batch.targets)), batch.targets]
    each = chosen - anp.log(anp.sum(anp.exp(shifted), axis=-1))
    return anp.matmul(owners(batch, examples), each)


def owners(batch: Batch, examples: int) -> Floats:
    """Which example each target belongs to, as (examples, targets) of ones and zeros."""
    whose: NDArray[np.int64] = batch.positions // batch.ids.shape[1]
    return (np.arange(examples)[:, None] == whose[None, :]).astype(np.float32)
