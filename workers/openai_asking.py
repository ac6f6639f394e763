"""Asking a model by OpenAI's protocol: by chat or by completion, without what the model refuses to be told.

Models that reason take no `max_tokens` but `max_completion_tokens`, and neither a temperature nor `logprobs`. They say
so by `unsupported_parameter` or `unsupported_value`, before anything is charged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import openai

from workers.openai_answers import CHAT_ODDS, COMPLETION_ODDS, answer_of, chat_odds, completion_odds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.provider import Answer, Question

REFUSALS: Final = frozenset({"unsupported_parameter", "unsupported_value"})
SPARED: Final[Mapping[str, frozenset[str]]] = {
    "max_tokens": frozenset({"max_tokens"}),
    "temperature": frozenset({"temperature"}),
    "stop": frozenset({"stop"}),
    "logprobs": frozenset({"logprobs", "top_logprobs"}),
    "top_logprobs": frozenset({"logprobs", "top_logprobs"}),
}
"""What an answer can be had without, and what goes with it."""
NOTHING: Final[frozenset[str]] = frozenset()
INSTEAD: Final = {"max_tokens": "max_completion_tokens"}


class Questions:
    """The questions of one account; what a model once refused to be told, it is not told again."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client
        self._refused: dict[str, frozenset[str]] = {}

    def chat(self, question: Question) -> Answer:
        """Ask by chat. The SDK's errors are the caller's to translate."""
        asked: dict[str, Any] = {
            "messages": question.contract.messages(question.text),
            "temperature": question.temperature,
            "max_tokens": question.max_tokens,
        }
        if question.contract.stop:
            asked["stop"] = list(question.contract.stop)
        if question.odds:
            asked |= {"logprobs": True, "top_logprobs": CHAT_ODDS}
        reply = self._chatted(question.model, asked)
        choice = reply.choices[0]
        return answer_of(choice.message.content or "", choice.finish_reason, reply.usage, chat_odds(choice.logprobs))

    def _chatted(self, model: str, asked: Mapping[str, Any]) -> Any:
        while True:
            refused = self._refused.get(model, NOTHING)
            try:
                return cast("Any", self._client.chat.completions).create(model=model, **_without(asked, refused))
            except openai.BadRequestError as error:
                more: frozenset[str] = SPARED.get(error.param or "", NOTHING) if error.code in REFUSALS else NOTHING
                if more <= refused:  # nothing that could still be left out
                    raise
                self._refused[model] = refused | more

    def completion(self, question: Question) -> Answer:
        """Ask by plain completion."""
        contract = question.contract
        reply = self._client.completions.create(
            model=question.model,
            prompt=contract.prompt(question.text),
            temperature=question.temperature,
            max_tokens=question.max_tokens,
            stop=list(contract.stop) or openai.omit,
            logprobs=COMPLETION_ODDS if question.odds else openai.omit,
        )
        choice = reply.choices[0]
        return answer_of(choice.text, choice.finish_reason, reply.usage, completion_odds(choice.logprobs))


def _without(asked: Mapping[str, Any], refused: frozenset[str]) -> dict[str, Any]:
    kept = {name: value for name, value in asked.items() if name not in refused}
    return kept | {INSTEAD[name]: asked[name] for name in refused & INSTEAD.keys() & asked.keys()}
