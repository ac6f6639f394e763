"""/v1/chat/completions and /v1/completions: a model's answer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from trainer.generation import Answer, Drawn, Wishes, answer
from trainer.identifiers import new_id
from trainer.lines import Message
from trainer.refusals import Refusal, unsupported
from trainer.requests import ChatMessage, ChatRequest, PromptRequest, Sampled, read_body
from trainer.template import chat_pieces, prompt_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from trainer.model_shelf import ModelShelf
    from trainer.saved_model import SavedModel
    from trainer.template import Piece

DEFAULT_PROMPT_TOKENS = 16  # OpenAI's, for plain completions
# Parameters that would change the answer and that this trainer does not have, with the values that change nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "stream": (None, False),
    "n": (None, 1),
    "best_of": (None, 1),
    "echo": (None, False),
    "suffix": (None, ""),
    "tools": (None, []),
    "functions": (None, []),
    "audio": (None,),
    "logit_bias": (None, {}),
    "presence_penalty": (None, 0),
    "frequency_penalty": (None, 0),
    "response_format": (None, {"type": "text"}),
}


def refuse_unsupported(asked: Sampled) -> None:
    given = asked.model_dump()
    for name, neutral in NEUTRAL.items():
        if given.get(name) not in neutral:
            raise unsupported(name, f"This trainer does not support '{name}' yet.")


async def complete_chat(request: Request) -> Response:
    asked = await read_body(request, ChatRequest)
    refuse_unsupported(asked)
    if asked.top_logprobs and not asked.logprobs:
        raise Refusal(400, "'top_logprobs' needs 'logprobs' to be true.", code="invalid_value", param="top_logprobs")
    model = load(request, asked.model, "chat")
    pieces = chat_pieces([read_message(message) for message in asked.messages])
    limit = asked.max_completion_tokens or asked.max_tokens
    found = await think(model, pieces, wishes_of(asked, limit, asked.top_logprobs or 0))
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": found.text, "refusal": None},
        "logprobs": chat_logprobs(found.tokens) if asked.logprobs else None,
        "finish_reason": found.finish_reason,
    }
    return JSONResponse(envelope("chatcmpl-", "chat.completion", asked.model, choice, found))


async def complete_prompt(request: Request) -> Response:
    asked = await read_body(request, PromptRequest)
    refuse_unsupported(asked)
    model = load(request, asked.model, "prompt")
    wishes = wishes_of(asked, asked.max_tokens or DEFAULT_PROMPT_TOKENS, asked.logprobs or 0)
    found = await think(model, prompt_pieces(asked.prompt), wishes)
    choice = {
        "index": 0,
        "text": found.text,
        "logprobs": None if asked.logprobs is None else prompt_logprobs(found.tokens, len(asked.prompt)),
        "finish_reason": found.finish_reason,
    }
    return JSONResponse(envelope("cmpl-", "text_completion", asked.model, choice, found))


def load(request: Request, name: str, kind: str) -> SavedModel:
    """The model asked for. Raises Refusal if there is none, or if it was trained on the other format."""
    models: ModelShelf = request.app.state.models
    model = models.load(name)
    if model.kind not in ("any", kind):
        is_chat = model.kind == "chat"
        said = (
            "This is a chat model and not supported in the v1/completions endpoint. "
            "Did you mean to use v1/chat/completions?"
            if is_chat
            else "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
            "Did you mean to use v1/completions?"
        )
        raise Refusal(404, said, param="model")
    return model


async def think(model: SavedModel, pieces: Sequence[Piece], wishes: Wishes) -> Answer:
    def run() -> Answer:
        return answer(model, model.vocabulary.encode(pieces).ids.tolist(), wishes)

    return await asyncio.to_thread(run)


def wishes_of(asked: Sampled, limit: int | None, alternatives: int) -> Wishes:
    stop = (asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ())
    return Wishes(
        temperature=1.0 if asked.temperature is None else asked.temperature,
        top_p=1.0 if asked.top_p is None else asked.top_p,
        max_tokens=limit,
        stop=tuple(one for one in stop if one),
        seed=None if asked.seed is None else asked.seed % 2**63,
        alternatives=alternatives,
    )


def read_message(message: ChatMessage) -> Message:
    """Raises Refusal for content that is not text."""
    if isinstance(message.content, str):
        return Message(message.role, message.content, message.name)
    texts = [part.get("text") for part in message.content if part.get("type") == "text"]
    if len(texts) != len(message.content) or not all(isinstance(text, str) for text in texts):
        raise unsupported("messages", "This trainer reads text only.")
    return Message(message.role, "".join(str(text) for text in texts), message.name)


def envelope(prefix: str, kind: str, model: str, choice: dict[str, Any], found: Answer) -> dict[str, Any]:
    return {
        "id": new_id(prefix),
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": found.prompt_tokens,
            "completion_tokens": found.completion_tokens,
            "total_tokens": found.prompt_tokens + found.completion_tokens,
        },
    }


def chat_logprobs(tokens: Sequence[Drawn]) -> dict[str, Any]:
    def entry(spelled: bytes, logprob: float) -> dict[str, Any]:
        return {"token": spelled.decode(errors="replace"), "bytes": list(spelled), "logprob": logprob}

    content = [
        {**entry(one.spelled, one.logprob), "top_logprobs": [entry(*other) for other in one.likeliest]}
        for one in tokens
    ]
    return {"content": content, "refusal": None}


def prompt_logprobs(tokens: Sequence[Drawn], offset: int) -> dict[str, Any]:
    """The legacy form: parallel lists, with offsets in characters from where the prompt begins."""
    texts = [one.spelled.decode(errors="replace") for one in tokens]
    offsets = [offset + sum(map(len, texts[:place])) for place in range(len(texts))]
    return {
        "tokens": texts,
        "token_logprobs": [one.logprob for one in tokens],
        "top_logprobs": [
            {spelled.decode(errors="replace"): logprob for spelled, logprob in one.likeliest} for one in tokens
        ],
        "text_offset": offsets,
    }


ROUTES = [
    Route("/chat/completions", complete_chat, methods=["POST"]),
    Route("/completions", complete_prompt, methods=["POST"]),
]
