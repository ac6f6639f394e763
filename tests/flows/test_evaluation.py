"""A tuned classifier is asked about rows it was not trained on, and what comes of it is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.provider_front import ANSWERS, CREATE
from tests.support.waiting import wait_for
from workers.stages.asking import BATCH

if TYPE_CHECKING:
    from sandbox.client import Message
    from tests.flows.conversation import Conversation

pytestmark = pytest.mark.timeout(600)  # a training and an evaluation, perhaps on a busy machine
TRAINED_S = 240.0
WORDS = {"refund": "billing", "invoice": "billing", "parcel": "shipping", "courier": "shipping"}
HELD_OUT = 20


def tickets(name: str, count: int = 4 * HELD_OUT) -> bytes:
    """Return rows whose label follows from a word in them, which the trainer learns in seconds."""
    words = list(WORDS)
    lines = [
        {"messages": [{"role": "user", "content": f"{name}: {words[number % len(words)]} {number}"},
                      {"role": "assistant", "content": WORDS[words[number % len(words)]]}]}
        for number in range(count)
    ]  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def start(talk: Conversation) -> Message:
    """Start to train a classifier with a quarter of the rows held out; return its card."""
    report = talk.report(talk.drop(tickets(talk.name)))
    assert talk.launch(report, epochs="8", holdout="25").closed
    return talk.card()


def pictures(talk: Conversation, card: Message) -> list[str]:
    """Return the titles of the pictures in a job's thread."""
    files = [file for message in talk.replies(card) for file in message.files]
    return [file["title"] for file in files if file["filetype"] == "png"]


def insist_on_one_evaluation(talk: Conversation, card: Message) -> Message:
    """Wait for what the answers came to, and insist that everything was said once; return the post."""
    talk.finish(TRAINED_S)
    said = talk.notice(card, "test accuracy")
    talk.insist_on_one_of_everything()
    assert len(pictures(talk, card)) == 2
    assert talk.stack.front.count(CREATE) == 1
    return said


def test_classifier_gets_accuracy_interval_and_confusion_matrix(talk: Conversation) -> None:
    card = start(talk)
    said = insist_on_one_evaluation(talk, card)

    found = talk.job().data.evaluation
    assert found is not None
    assert (found.asked, found.rows, found.held_out, found.scored) == (HELD_OUT,) * 4
    assert f"{found.right} of {HELD_OUT} right" in said.text
    assert "Always answering" in said.text
    assert "AUROC" in said.text  # the trainer tells how likely its tokens were
    assert f"{HELD_OUT} of {HELD_OUT} held-out rows asked · asking was free" in said.text
    assert any("what was expected, and what was answered" in title for title in pictures(talk, card))
    assert talk.stack.front.count(ANSWERS) > HELD_OUT  # each row, and the probe
    notice = talk.notice(card)
    share = round(100 * found.right / HELD_OUT)
    assert f"Test accuracy {share}% (" in notice.text


@pytest.mark.parametrize("point", ["evaluate.answered", "evaluate.done"])
def test_death_while_asking_loses_no_answer(talk: Conversation, point: str) -> None:
    talk.stack.strike(point)
    card = start(talk)
    wait_for(lambda: "ModelAnswered" in talk.events(talk.job()), timeout_s=TRAINED_S)
    talk.stack.wait_until_struck(point)
    insist_on_one_evaluation(talk, card)

    found = talk.job().data.evaluation
    assert found is not None
    assert (found.asked, found.stopped) == (HELD_OUT, "")


def test_provider_that_stops_answering_does_not_keep_a_model_from_being_announced(talk: Conversation) -> None:
    front = talk.stack.front
    front.answer(ANSWERS, 429, code="insufficient_quota")
    front.let_pass(ANSWERS, times=1)  # the probe
    card = start(talk)
    talk.finish(TRAINED_S)
    notice = talk.notice(card)

    assert "Test accuracy" not in notice.text
    job = talk.job()
    assert (job.state, job.data.evaluation) == ("ready", None)


def test_rows_answered_before_the_provider_stopped_count(talk: Conversation) -> None:
    front = talk.stack.front
    front.answer(ANSWERS, 429, code="insufficient_quota")
    front.let_pass(ANSWERS, times=1 + BATCH)
    said = insist_on_one_evaluation(talk, start(talk))

    assert f"of {BATCH} right" in said.text
    assert f"{BATCH} of {HELD_OUT} held-out rows asked · asking was free. The provider stopped answering." in said.text


def test_busy_provider_is_asked_again(talk: Conversation) -> None:
    front = talk.stack.front
    front.answer(ANSWERS, 429, code="rate_limit_exceeded", times=3)
    front.let_pass(ANSWERS, times=1 + BATCH)
    insist_on_one_evaluation(talk, start(talk))

    found = talk.job().data.evaluation
    assert found is not None
    assert (found.asked, found.scored, found.stopped) == (HELD_OUT, HELD_OUT, "")


def test_provider_without_logprobs_leaves_out_what_needs_them(talk: Conversation) -> None:
    front = talk.stack.front
    front.answer(ANSWERS, 400, code="unsupported_parameter", message="logprobs is not supported", times=BATCH)
    front.let_pass(ANSWERS, times=1)
    said = insist_on_one_evaluation(talk, start(talk))

    found = talk.job().data.evaluation
    assert found is not None
    assert (found.asked, found.with_odds) == (HELD_OUT, False)
    assert "precision" in said.text
    assert "AUROC" not in said.text
