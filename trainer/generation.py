"""Answers: tokens drawn one after another until the model, a stop sequence or a limit ends them."""

from __future__ import annotations

import codecs
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trainer.decoder import Decoder
from trainer.refusals import Refusal
from trainer.template import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
class Chunk:
    """What has become sure of an answer since the last one: text that no later token can take back, and the tokens
    that it begins with; in the last chunk also why the answer ended, and how many tokens were drawn for it.
    """

    text: str
    tokens: tuple[Drawn, ...]
    finish_reason: str | None = None
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """Text with the tokens it is made of; `completion_tokens` counts also what a stop text cut away."""

    text: str
    tokens: tuple[Drawn, ...]
    finish_reason: str
    completion_tokens: int


@dataclass(slots=True)
class Draft:
    """The bytes and tokens drawn so far, and how much of them was given out."""

    stops: tuple[str, ...]
    text: bytes = b""
    drawn: list[Drawn] = field(default_factory=list["Drawn"])
    given_bytes: int = 0
    given_tokens: int = 0
    _begins: list[int] = field(default_factory=list[int])
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")(errors="replace")
    )

    def add(self, token: Drawn) -> bool:
        """Take in a token; whether it ends the answer with a stop text, which is cut away."""
        self._begins.append(len(self.text))
        self.drawn.append(token)
        self.text += token.spelled
        cut = find_stop(self.text, self.stops, self.given_bytes)
        self.text = self.text[:cut]
        return cut is not None

    def give(self, finish_reason: str | None = None) -> Chunk:
        """What is sure by now: before the end, all but what a stop text or a character may begin with."""
        sure = len(self.text) - (0 if finish_reason else held_back(self.text, self.stops))
        text = self._decoder.decode(self.text[self.given_bytes : sure], final=finish_reason is not None)
        upto = bisect_left(self._begins, sure)
        tokens = tuple(self.drawn[self.given_tokens : upto])
        self.given_bytes, self.given_tokens = sure, upto
        return Chunk(text, tokens, finish_reason, len(self.drawn) if finish_reason else 0)


def write(model: SavedModel, prompt: Sequence[int], wishes: Wishes, choice: int = 0) -> Iterator[Chunk]:
    """Go on from a prompt, token by token. Raises Refusal, at once, if the prompt leaves no room in the context.

    `choice` tells apart several answers to one prompt, each with a seed of its own that derives from the one asked for.
    """
    room = model.shape.context - len(prompt)
    if room < 1:
        said = f"This model's context is {model.shape.context} tokens, and the prompt alone has {len(prompt)}."
        raise Refusal(400, said, code="context_length_exceeded", param="messages")
    seed = wishes.seed if wishes.seed is None or choice == 0 else [wishes.seed, choice]
    return go_on(model, prompt, wishes, min(room, wishes.max_tokens or room), np.random.default_rng(seed))


def go_on(
    model: SavedModel, prompt: Sequence[int], wishes: Wishes, limit: int, rng: np.random.Generator
) -> Iterator[Chunk]:
    decoder, fed, draft = Decoder(model), list(prompt), Draft(wishes.stop)
    reason = "length"
    while len(draft.drawn) < limit:
        logprobs = log_softmax(decoder.feed(fed))
        chosen = draw(logprobs, wishes, rng)
        if chosen < len(SPECIAL) or draft.add(describe(model, logprobs, chosen, wishes.alternatives)):
            reason = "stop"
            break
        fed = [chosen]
        yield draft.give()
    yield draft.give(reason)


def gather(chunks: Iterable[Chunk]) -> Answer:
    """The whole of an answer."""
    text, tokens, last = "", list[Drawn](), Chunk("", ())
    for last in chunks:
        text += last.text
        tokens += last.tokens
    return Answer(text, tuple(tokens), last.finish_reason or "stop", last.completion_tokens)


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


def find_stop(text: bytes, stops: tuple[str, ...], start: int = 0) -> int | None:
    """Where the first stop text begins, in bytes, looked for from a start."""
    found = [place for stop in stops if (place := text.find(stop.encode(), start)) >= 0]
    return min(found, default=None)


def held_back(text: bytes, stops: tuple[str, ...]) -> int:
    """How many bytes at the end of a text a stop text may have begun with."""
    return max((begun(text, stop.encode()) for stop in stops), default=0)


def begun(text: bytes, stop: bytes) -> int:
    longest = min(len(stop) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
