"""One reference leads from Slack's event to the post that answers it, and no log quotes a secret, a row or a prompt."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.conversation import Conversation
from tests.support.ports import free_port
from tests.support.provider_front import ANSWERS
from tests.support.stack import KEYS, Stack, fresh_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Message

ROW = "planted-row-7f3a"
PROMPT = "planted-prompt-91bc"
ANSWER = "planted-answer-55de"
SYSTEM = "planted-system-20aa"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    told = {"TUNEROOM_LOG_LEVEL": "DEBUG", "TUNEROOM_HEALTH_PORT": str(free_port(in_a_row=3))}
    with Stack(tmp_path_factory.mktemp("reference") / "home", variables=told) as running:
        yield running


def test_a_bot_that_starts_warns_of_nothing(stack: Stack) -> None:
    begun = [json.loads(line) for line in (stack.home / "logs" / "bot.log").read_text().splitlines()]
    upto = next(number for number, line in enumerate(begun) if line["event"] == "bot.connected")
    assert [line for line in begun[:upto] if line["level"] not in {"info", "debug"}] == []


def rows(count: int = 14) -> bytes:
    lines = [
        {"messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"{ROW} {number}"},
                      {"role": "assistant", "content": ANSWER}]}
        for number in range(count)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.fixture(scope="module")
def story(stack: Stack) -> tuple[Conversation, Message, Message]:
    """A file with planted rows, checked, trained and asked; then files that are no good, one of them not even text."""
    talk = Conversation(stack, stack.workspace.as_user("mina"), fresh_name("reference"))
    report = talk.report(talk.drop(rows()))
    assert talk.launch(report).closed
    card = talk.finish()
    talk.ask(card, PROMPT)
    answer = talk.answer(card)
    stack.front.answer(ANSWERS, 400, code="invalid_value", message=f"Invalid value: '{PROMPT}'.", times=1)
    talk.ask(card, PROMPT)
    talk.notice(card, PROMPT)
    for name, data in (
        ("broken.jsonl", f'{{"messages": "{ROW}"\n'.encode() * 12),
        ("odd.jsonl", f"{ROW}\0\xff".encode("latin-1")),
    ):
        talk.report(talk.drop(data, filename=name), "")
    return talk, report, answer


def lines(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for process in ("bot", "worker", "follower"):
        text = (stack.home / "logs" / f"{process}.log").read_text()
        found += [{**json.loads(line), "service": process} for line in text.splitlines()]
    return sorted(found, key=lambda line: str(line["at"]))


def about(told: list[dict[str, Any]], ref: str) -> list[dict[str, Any]]:
    return [line for line in told if line.get("ref") == ref]


def test_the_reference_of_a_dataset_leads_from_slacks_event_to_the_post(
    stack: Stack, story: tuple[Conversation, Message, Message]
) -> None:
    talk, report, _ = story
    told = about(lines(stack), talk.dataset().ref.member)
    first, last = told[0], [line for line in told if line["event"] == "delivery.sent"][-1]
    assert (first["event"], first["of"]) == ("record.new", talk.dataset().data.file_id)
    assert str(first["slack"]).startswith("Ev")
    assert last["ts"] == report.ts
    moves = [(line["service"], line["from"], line["to"]) for line in told if line["event"] == "record.moved"]
    assert [move for move in moves if move[1] != move[2]] == [
        ("bot", "received", "fetching"), ("bot", "fetching", "checking"), ("worker", "checking", "accepted"),
    ]  # fmt: skip


def test_a_job_and_a_prompt_name_what_they_came_from(
    stack: Stack, story: tuple[Conversation, Message, Message]
) -> None:
    talk, _, answer = story
    told = lines(stack)
    job, prompt = talk.job().ref.member, talk.prompts()[-1].ref.member
    assert about(told, job)[0]["of"] == talk.dataset().ref.member
    assert {line["service"] for line in about(told, job)} == {"bot", "worker", "follower"}
    assert about(told, prompt)[0]["of"] == job
    assert [line["ts"] for line in about(told, prompt) if line["event"] == "delivery.sent"] == [answer.ts]


def test_no_log_and_no_metric_quotes_a_secret_a_row_or_a_prompt(
    stack: Stack, story: tuple[Conversation, Message, Message]
) -> None:
    assert story
    port = int(stack.environment["TUNEROOM_HEALTH_PORT"])
    pages = [
        urllib.request.urlopen(f"http://127.0.0.1:{port + after}{path}", timeout=10).read().decode()
        for after in range(3)
        for path in ("/metrics", "/healthz")
    ]
    logs = [(stack.home / "logs" / f"{name}.log").read_text() for name in ("bot", "worker", "follower")]
    for planted in (ROW, PROMPT, ANSWER, SYSTEM, *KEYS.values()):
        assert not any(planted in text for text in (*logs, *pages)), planted


def test_every_line_of_every_process_is_one_object(stack: Stack, story: tuple[Conversation, Message, Message]) -> None:
    assert story
    assert all({"at", "level", "process", "logger", "event"} <= set(line) for line in lines(stack))


def test_redis_holds_no_row_and_no_prompt(stack: Stack, story: tuple[Conversation, Message, Message]) -> None:
    assert story
    with stack.redis.client() as client:
        kept = "".join(
            str(client.hgetall(key) if client.type(key) == "hash" else client.xrange(key))
            for key in client.scan_iter("tuneroom:*")
            if client.type(key) in {"hash", "stream"}
        )
    for planted in (ROW, PROMPT, ANSWER, SYSTEM, *KEYS.values()):
        assert planted not in kept, planted
