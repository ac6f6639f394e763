"""What a model answered at Together, and how sure it was of each token.

Together tells log probabilities as parallel lists (`LogProbs` of the SDK: `tokens`, `token_logprobs`), for chats too.
Of `top_logprobs` its types say one mapping for a whole answer; a list of mappings, one a token, is understood as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from finetune.class_odds import TokenOdds
from workers.provider import Answer
from workers.together_errors import plain_words

if TYPE_CHECKING:
    import together

    from workers.provider import Question

ODDS: Final = 20
"""How many of the likeliest tokens to ask for: the most that the API takes."""
FINISHES: Final = {"eos": "stop"}


def ask(client: together.Together, question: Question) -> Answer:
    """Ask a model by chat or by completion, as its contract says."""
    asked: dict[str, Any] = {
        "model": question.model,
        "temperature": question.temperature,
        "max_tokens": question.max_tokens,
    }
    asked |= {"stop": list(question.contract.stop)} if question.contract.stop else {}
    asked |= {"logprobs": ODDS} if question.odds else {}
    chats: Any = client.chat.completions
    texts: Any = client.completions
    with plain_words():
        if question.contract.kind == "chat":
            messages: Any = question.contract.messages(question.text)
            reply = chats.create(messages=messages, **asked)
            choice = reply.choices[0]
            text = choice.message.content
        else:
            reply = texts.create(prompt=question.contract.prompt(question.text), **asked)
            choice = reply.choices[0]
            text = choice.text
    return Answer(
        text=text or "",
        finish=FINISHES.get(choice.finish_reason, choice.finish_reason or "stop"),
        prompt_tokens=reply.usage.prompt_tokens if reply.usage else 0,
        completion_tokens=reply.usage.completion_tokens if reply.usage else 0,
        odds=odds_of(choice.logprobs),
    )


def odds_of(logprobs: Any) -> tuple[TokenOdds, ...]:
    """Return an answer's tokens with their likeliest neighbours; () where the provider told none."""
    tokens: list[str] = getattr(logprobs, "tokens", None) or []
    values: list[float | None] = getattr(logprobs, "token_logprobs", None) or []
    told: Any = getattr(logprobs, "top_logprobs", None)
    tops = cast("list[Any]", told) if isinstance(told, list) else [told] if len(tokens) == 1 else []
    tops += [None] * (len(tokens) - len(tops))
    return tuple(_odds(token, value, top) for token, value, top in zip(tokens, values, tops, strict=False))


def _odds(token: str, value: float | None, top: Any) -> TokenOdds:
    neighbours = cast("dict[str, float]", top) if isinstance(top, dict) else {}
    likeliest = [(text.encode(), logprob) for text, logprob in neighbours.items()]
    known = [] if token in neighbours else [(token.encode(), value or 0.0)]
    return TokenOdds(token.encode(), (*likeliest, *known))
