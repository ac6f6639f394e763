"""Answers: tokens drawn one after another until the model, a stop sequence or a limit ends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trainer.decoder import Decoder
from trainer.refusals import Refusal
from trainer.template import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.gpt import Floats
    from trainer.saved_model import SavedModel


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to draw: temperature (0 is greedy), nucleus, limits, seed, and how many likeliest tokens to report."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    alternatives: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A token that was drawn: its bytes, its log-probability in nats, and the likeliest tokens with theirs."""

    spelled: bytes
    logprob: float
    likeliest: tuple[tuple[bytes, float], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Text with the tokens it is made of; `completion_tokens` counts also what a stop text cut away."""

    text: str
    tokens: tuple[Drawn, ...]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


def answer(model: SavedModel, prompt: Sequence[int], wishes: Wishes) -> Answer:
    """Go on from a prompt. Raises Refusal if the prompt leaves no room in the model's context."""
    room = model.shape.context - len(prompt)
    if room < 1:
        said = f"This model's context is {model.shape.context} tokens, and the prompt alone has {len(prompt)}."
        raise Refusal(400, said, code="context_length_exceeded", param="messages")
    limit = min(room, wishes.max_tokens or room)
    rng = np.random.default_rng(wishes.seed)
    decoder, fed = Decoder(model), list(prompt)
    drawn: list[Drawn] = []
    reason, text = "length", b""
    while len(drawn) < limit:
        logprobs = log_softmax(decoder.feed(fed))
        chosen = draw(logprobs, wishes, rng)
        if chosen < len(SPECIAL):
            reason = "stop"
            break
        drawn.append(describe(model, logprobs, chosen, wishes.alternatives))
        text += drawn[-1].spelled
        fed = [chosen]
        if find_stop(text, wishes.stop) is not None:
            reason = "stop"
            break
    cut = find_stop(text, wishes.stop)
    kept = drawn if cut is None else spelling(drawn, cut)
    return Answer(text[:cut].decode(errors="replace"), tuple(kept), reason, len(prompt), len(drawn))


def log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def draw(logprobs: Floats, wishes: Wishes, rng: np.random.Generator) -> int:
    """Choose a token id: the likeliest at temperature 0, else by chance within the nucleus."""
    if wishes.temperature < 1e-3:  # closer to 0 than float32 can divide by
        return int(np.argmax(logprobs))
    weights = np.exp(log_softmax(logprobs / np.float32(wishes.temperature)).astype(np.float64))
    if wishes.top_p < 1:
        order = np.argsort(-weights, kind="stable")
        before = np.cumsum(weights[order]) - weights[order]
        weights[order[before >= wishes.top_p]] = 0
    return int(rng.choice(len(weights), p=weights / weights.sum()))


def describe(model: SavedModel, logprobs: Floats, chosen: int, alternatives: int) -> Drawn:
    spelled = model.vocabulary.token_bytes
    top = np.argsort(-logprobs, kind="stable")[:alternatives]
    likeliest = tuple((spelled[int(one)], float(logprobs[one])) for one in top)
    return Drawn(spelled[chosen], float(logprobs[chosen]), likeliest)


def find_stop(text: bytes, stops: tuple[str, ...]) -> int | None:
    """Where the first stop text begins, in bytes."""
    found = [place for stop in stops if (place := text.find(stop.encode())) >= 0]
    return min(found, default=None)


def spelling(drawn: Sequence[Drawn], cut: int) -> list[Drawn]:
    """The tokens that begin before a cut."""
    kept: list[Drawn] = []
    begin = 0
    for token in drawn:
        if begin >= cut:
            break
        kept.append(token)
        begin += len(token.spelled)
    return kept
