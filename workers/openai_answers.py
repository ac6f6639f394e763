"""What a model answered by OpenAI's protocol, chat or plain completion, and how sure it was of each token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.class_odds import TokenOdds
from workers.provider import Answer

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat.chat_completion import ChoiceLogprobs
    from openai.types.chat.chat_completion_token_logprob import ChatCompletionTokenLogprob, TopLogprob
    from openai.types.completion_choice import Logprobs

CHAT_ODDS: Final = 20
COMPLETION_ODDS: Final = 5
"""How many of the likeliest tokens to ask for: as many as the protocol tells."""


def answer_of(text: str, finish: str | None, usage: CompletionUsage | None, odds: tuple[TokenOdds, ...] = ()) -> Answer:
    """Return an answer; a provider that counts no tokens is believed to have used none."""
    return Answer(
        text=text,
        finish=finish or "stop",
        prompt_tokens=usage.prompt_tokens if usage else 0,
        completion_tokens=usage.completion_tokens if usage else 0,
        odds=odds,
    )


def chat_odds(logprobs: ChoiceLogprobs | None) -> tuple[TokenOdds, ...]:
    """Return a chat's tokens, by their bytes where they are told: half a character cannot be told as text."""
    return tuple(
        _odds(_spelled(one), one.logprob, [(_spelled(other), other.logprob) for other in one.top_logprobs or ()])
        for one in (logprobs.content if logprobs else None) or ()
    )


def completion_odds(logprobs: Logprobs | None) -> tuple[TokenOdds, ...]:
    """Return a plain completion's tokens: parallel lists, any of which may be missing."""
    if not logprobs or not logprobs.tokens or not logprobs.token_logprobs:
        return ()
    nothing: list[dict[str, float]] = [{} for _ in logprobs.tokens]
    others = logprobs.top_logprobs or nothing
    return tuple(
        _odds(token.encode(), logprob, [(text.encode(), odds) for text, odds in (likeliest or {}).items()])
        for token, logprob, likeliest in zip(logprobs.tokens, logprobs.token_logprobs, others, strict=False)
    )


def _odds(token: bytes, logprob: float | None, likeliest: list[tuple[bytes, float]]) -> TokenOdds:
    known = [(token, logprob or 0.0)] if token not in dict(likeliest) else []
    return TokenOdds(token, (*likeliest, *known))


def _spelled(one: ChatCompletionTokenLogprob | TopLogprob) -> bytes:
    return bytes(one.bytes) if one.bytes else one.token.encode()
