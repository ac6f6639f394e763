"""How an answer is told: OpenAI's bodies for chats and for plain prompts, whole and as server-sent events."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.identifiers import new_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.generation import Answer, Chunk, Drawn

STREAM_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


class Reply:
    """One reply: its id, when it was begun, and the form of its choices, which the kinds of reply fill in."""

    prefix: ClassVar[str]
    kind: ClassVar[str]
    chunk_kind: ClassVar[str]

    def __init__(self, model: str, *, logprobs: bool) -> None:
        self._model, self._logprobs = model, logprobs
        self._id, self._created = new_id(self.prefix), int(time.time())

    def envelope(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model, "choices": choices}

    def whole(self, answers: Sequence[Answer], prompt_tokens: int) -> dict[str, Any]:
        choices = [self.choice(index, answer) for index, answer in enumerate(answers)]
        spent = sum(answer.completion_tokens for answer in answers)
        return {**self.envelope(self.kind, choices), "usage": usage(prompt_tokens, spent)}

    def choice(self, index: int, answer: Answer) -> dict[str, Any]:
        raise NotImplementedError

    def opening(self, index: int) -> list[dict[str, Any]]:  # noqa: ARG002 - chats say it, by index
        """What a stream says before an answer's first chunk."""
        return []

    def pieces(self, index: int, chunk: Chunk) -> list[dict[str, Any]]:
        """What a stream says of a chunk."""
        raise NotImplementedError


class ChatReply(Reply):
    """A chat's answer."""

    prefix, kind, chunk_kind = "chatcmpl-", "chat.completion", "chat.completion.chunk"

    def choice(self, index: int, answer: Answer) -> dict[str, Any]:
        return {
            "index": index,
            "message": {"role": "assistant", "content": answer.text, "refusal": None},
            "logprobs": self._odds(answer.tokens),
            "finish_reason": answer.finish_reason,
        }

    def opening(self, index: int) -> list[dict[str, Any]]:
        return [self._piece(index, {"role": "assistant", "content": "", "refusal": None})]

    def pieces(self, index: int, chunk: Chunk) -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = []
        if chunk.text or chunk.tokens:
            said.append(self._piece(index, {"content": chunk.text}) | {"logprobs": self._odds(chunk.tokens)})
        if chunk.finish_reason:
            said.append(self._piece(index, {}) | {"finish_reason": chunk.finish_reason})
        return said

    def _piece(self, index: int, delta: dict[str, Any]) -> dict[str, Any]:
        return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}

    def _odds(self, tokens: Sequence[Drawn]) -> dict[str, Any] | None:
        return chat_logprobs(tokens) if self._logprobs else None


class PromptReply(Reply):
    """A plain prompt's answer."""

    prefix, kind, chunk_kind = "cmpl-", "text_completion", "text_completion"

    def __init__(self, model: str, *, logprobs: bool, prompt_characters: int) -> None:
        super().__init__(model, logprobs=logprobs)
        self._prompt_characters = prompt_characters
        self._told: dict[int, int] = {}  # characters of each answer's tokens that a stream has told

    def choice(self, index: int, answer: Answer) -> dict[str, Any]:
        odds = self._odds(answer.tokens, 0)
        return {"index": index, "text": answer.text, "logprobs": odds, "finish_reason": answer.finish_reason}

    def pieces(self, index: int, chunk: Chunk) -> list[dict[str, Any]]:
        if not (chunk.text or chunk.tokens or chunk.finish_reason):
            return []
        odds = self._odds(chunk.tokens, self._told.get(index, 0))
        self._told[index] = self._told.get(index, 0) + sum(len(spell(token.spelled)) for token in chunk.tokens)
        return [{"index": index, "text": chunk.text, "logprobs": odds, "finish_reason": chunk.finish_reason}]

    def _odds(self, tokens: Sequence[Drawn], told: int) -> dict[str, Any] | None:
        return prompt_logprobs(tokens, self._prompt_characters + told) if self._logprobs else None


def stream(reply: Reply, choices: Sequence[Iterator[Chunk]], prompt_tokens: int, *, with_usage: bool) -> Iterator[str]:
    """Server-sent events: one answer after another, the usage where it was asked for, and the closing mark."""

    def chunk_of(piece: dict[str, Any]) -> str:
        return event(reply.envelope(reply.chunk_kind, [piece]) | ({"usage": None} if with_usage else {}))

    spent = 0
    for index, chunks in enumerate(choices):
        yield from map(chunk_of, reply.opening(index))
        for chunk in chunks:
            spent += chunk.completion_tokens
            yield from map(chunk_of, reply.pieces(index, chunk))
    if with_usage:
        yield event({**reply.envelope(reply.chunk_kind, []), "usage": usage(prompt_tokens, spent)})
    yield "data: [DONE]\n\n"


def event(body: dict[str, Any]) -> str:
    return f"data: {json.dumps(body)}\n\n"


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    total = prompt_tokens + completion_tokens
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}


def spell(spelled: bytes) -> str:
    return spelled.decode(errors="replace")


def chat_logprobs(tokens: Sequence[Drawn]) -> dict[str, Any]:
    def entry(spelled: bytes, logprob: float) -> dict[str, Any]:
        return {"token": spell(spelled), "bytes": list(spelled), "logprob": logprob}

    content = [
        {**entry(one.spelled, one.logprob), "top_logprobs": [entry(*other) for other in one.likeliest]}
        for one in tokens
    ]
    return {"content": content, "refusal": None}


def prompt_logprobs(tokens: Sequence[Drawn], offset: int) -> dict[str, Any]:
    """The legacy form: parallel lists, with offsets in characters from where the prompt begins."""
    texts = [spell(one.spelled) for one in tokens]
    offsets = [offset + sum(map(len, texts[:place])) for place in range(len(texts))]
    return {
        "tokens": texts,
        "token_logprobs": [one.logprob for one in tokens],
        "top_logprobs": [{spell(spelled): logprob for spelled, logprob in one.likeliest} for one in tokens],
        "text_offset": offsets,
    }
