"""What a row asks, for the form that tries a model."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from finetune.contract import PromptContract
from finetune.formats.question import CHARACTERS_MAX, first_question, question_of

CHAT = PromptContract("chat", system="Route it.")
COMPLETION = PromptContract("completion", separator="\n\n###\n\n")


def chat(*turns: tuple[str, Any]) -> bytes:
    return json.dumps({"messages": [{"role": role, "content": content} for role, content in turns]}).encode()


def test_a_chat_row_asks_its_user_message_and_not_the_system_one() -> None:
    row = chat(("system", "Route it."), ("user", " Where is my parcel? "), ("assistant", "shipping"))
    assert question_of(row, CHAT) == "Where is my parcel?"


def test_what_a_developer_says_first_is_no_part_of_the_question() -> None:
    row = chat(("developer", "Route it."), ("user", "Where is my parcel?"), ("assistant", "shipping"))
    assert question_of(row, CHAT) == "Where is my parcel?"


def test_a_talk_of_several_turns_or_with_pictures_is_no_question() -> None:
    talk = chat(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    pictures = chat(("user", [{"type": "image_url", "image_url": {"url": "x"}}]), ("assistant", "b"))
    assert [question_of(row, CHAT) for row in (talk, pictures)] == ["", ""]


def test_a_prompt_is_asked_without_its_separator() -> None:
    row = json.dumps({"prompt": "late parcel\n\n###\n\n", "completion": " shipping\n"}).encode()
    assert question_of(row, COMPLETION) == "late parcel"


def test_the_first_row_that_fits_a_form_is_taken() -> None:
    long, short = (chat(("user", text), ("assistant", "b")) for text in ("x" * (CHARACTERS_MAX + 1), "short"))
    rows = [b"no JSON", long, short]
    assert first_question(rows, CHAT) == "short"
    assert first_question(rows[:2], CHAT) == ""


@given(st.binary())
def test_any_bytes_give_a_text(row: bytes) -> None:
    assert isinstance(question_of(row, CHAT), str)
    assert isinstance(question_of(row, COMPLETION), str)
