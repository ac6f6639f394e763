"""Asking a model that refuses some of what it is usually told."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest

from finetune.contract import PromptContract
from workers.openai_asking import Questions
from workers.provider import Question

ANSWER = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "spam"}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}  # fmt: skip
QUESTION = Question(
    model="ft:o4-mini", contract=PromptContract(kind="chat", stop=(" END",)), text="hi", temperature=0.0, max_tokens=5,
    odds=True,
)  # fmt: skip


class Model:
    """Answers, unless it is told something that it refuses; remembers what it was asked."""

    def __init__(self, *refuses: str, code: str = "unsupported_parameter") -> None:
        self.refuses, self.code = refuses, code
        self.asked: list[dict[str, Any]] = []
        client = httpx2.Client(transport=httpx2.MockTransport(self._answer))
        self.questions = Questions(
            openai.OpenAI(api_key="key", base_url="http://provider.invalid", max_retries=0, http_client=client)
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(json.loads(request.content))
        wrong = next((name for name in self.refuses if name in self.asked[-1]), None)
        if wrong is None:
            return httpx2.Response(200, json=ANSWER)
        error = {"message": "no", "type": "invalid_request_error", "param": wrong, "code": self.code}
        return httpx2.Response(400, json={"error": error})


def test_model_that_reasons_is_asked_without_what_it_refuses() -> None:
    model = Model("max_tokens", "temperature", "stop", "top_logprobs")
    assert model.questions.chat(QUESTION).text == "spam"
    assert model.asked[-1] == {
        "model": "ft:o4-mini", "messages": [{"role": "user", "content": "hi"}], "max_completion_tokens": 5,
    }  # fmt: skip


def test_what_a_model_refused_once_it_is_not_told_again() -> None:
    model = Model("max_tokens", "temperature")
    model.questions.chat(QUESTION)
    before = len(model.asked)
    model.questions.chat(QUESTION)
    assert len(model.asked) == before + 1


def test_other_models_are_told_everything() -> None:
    model = Model()
    model.questions.chat(QUESTION)
    (asked,) = model.asked
    assert (asked["max_tokens"], asked["temperature"], asked["stop"], asked["top_logprobs"]) == (5, 0.0, [" END"], 20)


@pytest.mark.parametrize(
    ("refuses", "code"),
    [
        (("messages",), "unsupported_parameter"),
        (("temperature",), "invalid_value"),
        (("max_completion_tokens", "max_tokens"), "unsupported_parameter"),
    ],
)
def test_refusal_that_cannot_be_met_is_raised(refuses: tuple[str, ...], code: str) -> None:
    model = Model(*refuses, code=code)
    with pytest.raises(openai.BadRequestError):
        model.questions.chat(QUESTION)
    assert len(model.asked) <= 2
