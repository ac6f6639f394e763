"""Training lines: any bytes give an example or a reason, and the loss is taken where it should be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.lines import Chat, LineError, Pair, parse_line
from trainer.template import lay_out
from trainer.vocabulary import Vocabulary

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", 3]), "content": anything},
        optional={"weight": anything, "name": anything, "tool_calls": anything},
    )
    | anything,
    max_size=4,
)
rows = anything | st.fixed_dictionaries(
    {}, optional={"messages": messages | anything, "prompt": anything, "completion": anything, "tools": anything}
)
words = st.text(st.characters(exclude_categories=["Cs"]))


@settings(deadline=None)
@given(st.binary() | rows.map(lambda row: json.dumps(row).encode()))
def test_any_line_is_an_example_or_a_line_error(line: bytes) -> None:
    try:
        example = parse_line(line)
    except LineError:
        return
    assert any(piece.trained for piece in lay_out(example))


@settings(deadline=None)
@given(words, words.filter(bool))
def test_written_pairs_are_read_back(prompt: str, completion: str) -> None:
    line = json.dumps({"prompt": prompt, "completion": completion}).encode()
    assert parse_line(line) == Pair(prompt, completion)


@settings(deadline=None)
@given(words)
def test_tokens_spell_the_text_they_encode(text: str) -> None:
    vocabulary = Vocabulary.learn(["<|im_end|> the cat sat on the mat, the cat sat"], 300)
    ids = vocabulary.encode_text(text)
    assert b"".join(vocabulary.token_bytes[one] for one in ids).decode() == text
    assert all(one > 2 for one in ids)


def test_deep_nesting_is_a_line_error() -> None:
    with pytest.raises(LineError):
        parse_line(b'{"messages":' + b"[" * 100_000)


def test_special_token_in_a_message_is_only_text() -> None:
    vocabulary = Vocabulary.learn([])
    assert vocabulary.special_id("<|im_end|>") not in vocabulary.encode_text("<|im_end|>")


def test_loss_is_taken_on_weighted_assistant_messages_alone() -> None:
    row = {
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "user", "content": "U1"},
            {"role": "assistant", "content": "A1", "weight": 0},
            {"role": "user", "content": "U2"},
            {"role": "assistant", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "2"}]},
        ]
    }
    example = parse_line(json.dumps(row).encode())
    assert isinstance(example, Chat)
    assert [piece.text for piece in lay_out(example) if piece.trained] == ["A2", "<|im_end|>"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"messages": [{"role": "user", "content": "x"}]}', "last message"),
        ('{"messages": [{"role": "assistant", "content": "x", "weight": 0}]}', "nothing to learn"),
        ('{"messages": [{"role": "assistant", "content": "x", "weight": true}]}', "0 or 1"),
        ('{"messages": [{"role": "assistant", "content": "\\ud800"}]}', "not valid JSON"),
        ('{"messages": [{"role": "assistant", "content": "x", "tool_calls": []}]}', "tool_calls"),
        ('{"prompt": "x", "completion": ""}', "empty"),
        ("[]", "JSON object"),
    ],
)
def test_reasons_are_told(line: str, words: str) -> None:
    with pytest.raises(LineError, match=words):
        parse_line(line.encode())
