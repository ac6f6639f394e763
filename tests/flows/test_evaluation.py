"""A tuned classifier is asked about rows it was not trained on, and what comes of it is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jobstore.states import Kind
from tests.support.provider_front import ANSWERS, CREATE
from tests.support.waiting import wait_for
from workers.stages.asking import BATCH

if TYPE_CHECKING:
    from jobstore.comparisons import Comparison
    from jobstore.records import Record
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


def compare(talk: Conversation, notice: Message) -> Record[Comparison]:
    """Compare the model with its base by the notice's button; return what came of it."""
    talk.press(notice, "Compare with base")
    talk.person.ephemeral("What comes of it is in its thread")
    job = talk.job().ref.id

    def over() -> list[Record[Comparison]]:
        return [one for one in talk.stack.listed(Kind.COMPARISON) if one.data.job == job and one.at.is_final]

    return wait_for(over, timeout_s=TRAINED_S)[0]


@pytest.mark.parametrize("point", ["", "evaluate.answered", "compare.done"])
def test_the_base_is_asked_the_same_rows_once_and_the_verdict_stands_in_the_thread(
    talk: Conversation, point: str
) -> None:
    card = start(talk)
    talk.finish(TRAINED_S)
    before = talk.stack.front.count(ANSWERS)
    if point:
        talk.stack.strike(point)
    made = compare(talk, talk.notice(card))
    if point:
        talk.stack.wait_until_struck(point)

    asked = talk.stack.front.count(ANSWERS) - before
    assert HELD_OUT <= asked <= HELD_OUT + (BATCH if point == "evaluate.answered" else 0)
    assert (made.state, made.data.tuned.known_rows, made.data.tuned.evaluation) == ("compared", HELD_OUT, None)
    found = talk.job().data.evaluation
    assert found is not None
    assert made.data.paired is not None
    assert (made.data.paired.rows, made.data.paired.tuned_right) == (HELD_OUT, found.right)
    model = f"m{talk.job().ref.id[1:]}"
    said = talk.notice(card, f"*{model}* against its base toy-gpt, {HELD_OUT} held-out rows: ")
    assert "*Worth using.*" in said.text
    assert f"{found.right}/{HELD_OUT}" in said.text

    talk.person.command("/tune", f"compare {model} with=base", channel=talk.channel)
    talk.person.ephemeral("the same models, the same rows")
    assert talk.events(made) == ["ComparisonConfirmed", "Compared"]
    assert sum("against its base" in message.text for message in talk.replies(card)) == 1


def test_what_cannot_be_compared_is_said_with_what_to_do(talk: Conversation) -> None:
    assert talk.launch(talk.report(talk.drop())).closed  # so few rows that none is held out
    talk.finish()
    model = f"m{talk.job().ref.id[1:]}"
    for line, said in {
        f"compare {model}": "no rows left to compare",
        f"compare {model} {model}": "the same model twice",
        f"compare {model} wiht=m3": "Did you mean with=?",
        f"compare {model} with=m999999999": "I know no job",
        "compare": "which one you mean",
    }.items():
        talk.person.command("/tune", line, channel=talk.channel)
        talk.person.ephemeral(said)
