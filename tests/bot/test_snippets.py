"""Snippets: the contract applied, nothing that a shell, Python or JavaScript would stumble over, and no key."""

from __future__ import annotations

import ast
import json
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.views.snippets import body_of, code_modal, snippets
from finetune.contract import Label, PromptContract
from tests.bot.block_limits import problems_of_modal
from tests.bot.cards import a_job, shown
from tests.bot.test_views_limits import NASTY, TEXT

URL = "https://api.openai.com/v1"
CHAT = PromptContract(kind="chat", system="Route it.")
PAIRS = PromptContract(kind="completion", separator="\n\n###\n\n", stop=(" END",), labels=(Label(" yes", 9, 1),))


def test_a_chat_is_asked_with_its_system_message() -> None:
    assert body_of("ft:m", CHAT, "Where?") == {
        "model": "ft:m",
        "messages": [{"role": "system", "content": "Route it."}, {"role": "user", "content": "Where?"}],
        "temperature": 0,
        "max_tokens": 256,
    }


def test_a_completion_is_asked_with_its_separator_and_stop() -> None:
    assert body_of("ft:m", PAIRS, "Where?") == {
        "model": "ft:m",
        "prompt": "Where?\n\n###\n\n",
        "temperature": 0,
        "max_tokens": 8,
        "stop": [" END"],
    }


def test_each_language_asks_the_same() -> None:
    made = snippets(URL, "ft:m", CHAT, "Where?")
    assert made.curl == (
        'curl -sS "https://api.openai.com/v1/chat/completions" \\\n'
        '  -H "Authorization: Bearer $OPENAI_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        "  -d '" + json.dumps(body_of("ft:m", CHAT, "Where?"), indent=2) + "'"
    )
    assert made.python == (
        "from openai import OpenAI\n\n"
        'client = OpenAI(base_url="https://api.openai.com/v1")\n'
        "answer = client.chat.completions.create(\n"
        '    model="ft:m",\n'
        '    messages=[{"role": "system", "content": "Route it."}, {"role": "user", "content": "Where?"}],\n'
        "    temperature=0,\n"
        "    max_tokens=256,\n"
        ")\n"
        "print(answer.choices[0].message.content)"
    )
    assert 'fetch("https://api.openai.com/v1/chat/completions", {' in made.node
    assert "console.log(answer.choices?.[0].message.content ?? answer));" in made.node


@pytest.mark.parametrize("contract", [CHAT, PAIRS])
@given(question=TEXT)
@settings(max_examples=60, deadline=None)
def test_any_question_reaches_the_provider_as_it_is(contract: PromptContract, question: str) -> None:
    made = snippets(URL, "ft:m", contract, question)
    words = shlex.split(made.curl)
    body = json.loads(words[words.index("-d") + 1])
    call = ast.parse(made.python).body[2]
    assert isinstance(call, ast.Assign)
    assert isinstance(call.value, ast.Call)
    said = {argument.arg: ast.literal_eval(argument.value) for argument in call.value.keywords}
    assert body == said


@given(st.sampled_from([text[:5_000] for text in NASTY]) | TEXT, TEXT)
@settings(max_examples=60, deadline=None)
def test_the_window_keeps_the_limits(system: str, question: str) -> None:
    contract = PromptContract(kind="chat", system=system)
    record = a_job("ready", model="ft:m")
    assert problems_of_modal(code_modal(record, contract, base_url=URL, question=question)) == []


def test_a_long_question_is_left_to_the_reader() -> None:
    text = shown(code_modal(a_job("ready", model="ft:m"), CHAT, base_url=URL, question="x" * 601))
    assert "Your question" in text
    assert "xxx" not in text


def test_a_system_message_that_does_not_fit_is_explained() -> None:
    contract = PromptContract(kind="chat", system="x" * 4_000)
    text = shown(code_modal(a_job("ready", model="ft:m"), contract, base_url=URL, question=""))
    assert "Its system message is too long to show here." in text
    assert "curl" not in text
