"""Answers as streams, and several answers to one request: piece by piece what is told whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.generation import Draft, Drawn, find_stop, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.trainer.conftest import Trained, TrainerProcess
    from trainer.generation import Chunk

HI: list[Any] = [{"role": "user", "content": "hi"}]


def test_streamed_chat_says_what_the_whole_answer_says(trained: Trained) -> None:
    chats = trained.trainer.client.chat.completions
    asked: dict[str, Any] = {
        "model": trained.job.fine_tuned_model,
        "messages": trained.held_out[0]["messages"][:2],
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 2,
    }
    whole = chats.create(**asked)
    chunks = list(chats.create(**asked, stream=True, stream_options={"include_usage": True}))
    *told, last, closing = chunks
    assert told[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content for chunk in told) == whole.choices[0].message.content
    tokens = [token for chunk in told if chunk.choices[0].logprobs for token in chunk.choices[0].logprobs.content]
    assert tokens == whole.choices[0].logprobs.content
    assert (last.choices[0].finish_reason, closing.choices, closing.usage) == ("stop", [], whole.usage)
    assert {chunk.usage for chunk in [*told, last]} == {None}
    assert {(chunk.id, chunk.object) for chunk in chunks} == {(chunks[0].id, "chat.completion.chunk")}


def test_streamed_prompt_says_what_the_whole_answer_says(trainer: TrainerProcess) -> None:
    asked: dict[str, Any] = {"model": "toy-gpt", "prompt": "Ünï ->", "max_tokens": 60, "seed": 5, "logprobs": 1}
    whole = trainer.client.completions.create(**asked)
    chunks = [chunk.choices[0] for chunk in trainer.client.completions.create(**asked, stream=True)]
    assert "".join(chunk.text for chunk in chunks) == whole.choices[0].text  # random bytes: mostly broken UTF-8
    assert chunks[-1].finish_reason == whole.choices[0].finish_reason
    offsets = [offset for chunk in chunks for offset in chunk.logprobs.text_offset]
    assert offsets == whole.choices[0].logprobs.text_offset
    assert len(offsets) == whole.usage.completion_tokens


def test_several_answers_differ_and_the_first_is_the_one_asked_for_alone(trainer: TrainerProcess) -> None:
    asked: dict[str, Any] = {"model": "toy-gpt", "messages": HI, "seed": 3, "max_tokens": 10}
    alone = trainer.client.chat.completions.create(**asked)
    several = trainer.client.chat.completions.create(**asked, n=3)
    texts = [choice.message.content for choice in several.choices]
    assert [choice.index for choice in several.choices] == [0, 1, 2]
    assert texts[0] == alone.choices[0].message.content
    assert len(set(texts)) == 3
    assert several.usage.completion_tokens <= 30
    assert several.usage.prompt_tokens == alone.usage.prompt_tokens
    streamed = dict.fromkeys(range(3), "")
    for chunk in trainer.client.chat.completions.create(**asked, n=3, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert list(streamed.values()) == texts


def test_stream_that_cannot_begin_is_refused_as_a_whole(trained: Trained) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        trained.trainer.client.chat.completions.create(
            model=trained.job.fine_tuned_model, messages=[{"role": "user", "content": "x y z " * 2000}], stream=True
        )
    assert refused.value.code == "context_length_exceeded"


def test_embeddings_are_refused_with_a_reason(trainer: TrainerProcess) -> None:
    with pytest.raises(openai.BadRequestError, match="embeddings") as refused:
        trainer.client.embeddings.create(model="toy-gpt", input="x")
    assert (refused.value.code, refused.value.type) == ("unsupported_endpoint", "invalid_request_error")


letters = st.text("abé", max_size=12)


@given(letters, st.lists(st.text("abé", min_size=1, max_size=4), max_size=2), st.data())
def test_what_was_given_out_is_never_taken_back(text: str, stops: list[str], data: st.DataObject) -> None:
    """However a text is cut into tokens, inside characters too, the pieces are the text up to the first stop."""
    raw, tokens = text.encode(), list[bytes]()
    while raw:
        size = data.draw(st.integers(1, 3))
        tokens.append(raw[:size])
        raw = raw[size:]

    def chunks() -> Iterator[Chunk]:
        draft = Draft(tuple(stops))
        for token in tokens:
            if draft.add(Drawn(token, 0.0, ())):
                yield draft.give("stop")
                return
            yield draft.give()
        yield draft.give("length")

    found = gather(chunks())
    said = b""
    for token in tokens:  # the answer ends with the first token that completes a stop text
        said += token
        if (cut := find_stop(said, tuple(stops))) is not None:
            said = said[:cut]
            break
    assert found.text == said.decode(errors="replace")
    spelled = b"".join(token.spelled for token in found.tokens)
    assert spelled.startswith(said)
