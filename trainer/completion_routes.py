"""/v1/chat/completions and /v1/completions: a model's answer, whole or as a stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from trainer.completion_replies import STREAM_HEADERS, ChatReply, PromptReply, Reply, stream
from trainer.generation import Answer, Wishes, gather, write
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
    if asked.stream_options and not asked.stream:
        raise Refusal(400, "'stream_options' needs 'stream' to be true.", code="invalid_value", param="stream_options")


async def complete_chat(request: Request) -> Response:
    asked = await read_body(request, ChatRequest)
    refuse_unsupported(asked)
    if asked.top_logprobs and not asked.logprobs:
        raise Refusal(400, "'top_logprobs' needs 'logprobs' to be true.", code="invalid_value", param="top_logprobs")
    model = load(request, asked.model, "chat")
    pieces = chat_pieces([read_message(message) for message in asked.messages])
    limit = asked.max_completion_tokens or asked.max_tokens
    reply = ChatReply(asked.model, logprobs=bool(asked.logprobs))
    return await respond(asked, reply, model, pieces, wishes_of(asked, limit, asked.top_logprobs or 0))


async def complete_prompt(request: Request) -> Response:
    asked = await read_body(request, PromptRequest)
    refuse_unsupported(asked)
    model = load(request, asked.model, "prompt")
    wishes = wishes_of(asked, asked.max_tokens or DEFAULT_PROMPT_TOKENS, asked.logprobs or 0)
    reply = PromptReply(asked.model, logprobs=asked.logprobs is not None, prompt_characters=len(asked.prompt))
    return await respond(asked, reply, model, prompt_pieces(asked.prompt), wishes)


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


async def respond(asked: Sampled, reply: Reply, model: SavedModel, pieces: Sequence[Piece], wishes: Wishes) -> Response:
    """Answer as many times as was asked for, whole or as a stream. Raises Refusal."""
    prompt = model.vocabulary.encode(pieces).ids.tolist()
    choices = [write(model, prompt, wishes, choice) for choice in range(asked.n or 1)]
    if asked.stream:
        with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        return StreamingResponse(stream(reply, choices, len(prompt), with_usage=with_usage), headers=STREAM_HEADERS)

    def think() -> list[Answer]:
        return [gather(chunks) for chunks in choices]

    return JSONResponse(reply.whole(await asyncio.to_thread(think), len(prompt)))


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


ROUTES = [
    Route("/chat/completions", complete_chat, methods=["POST"]),
    Route("/completions", complete_prompt, methods=["POST"]),
]
