"""SIGKILL at every named point: whatever dies there, the story goes on, and nothing happens twice or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from jobstore.faults import POINTS
from tests.flows.conversation import DATASET_STORY, JOB_STORY, PATIENCE_S, training
from tests.support.provider_front import CREATE
from tests.support.stack import DEATHS_OF_BOT, LEASE_S
from tests.support.waiting import wait_for
from tuneroom.settings import Settings
from workers.follower import SWEEP_S

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation

RESTART_S: Final = 8.0
"""How long a busy machine may take to start a killed process, on top of the lease that it held."""
TAKEN_UP_S: Final = 40.0
"""The same where three stacks share two slow cores; RQ by itself would not look for a minute."""

WHILE_CHECKING: Final = (
    "dataset.recorded",
    "fetch.stored",
    "task.claimed",
    "check.done",
    "delivery.begun",
    "delivery.sent",
)
WHILE_TRAINING: Final = (
    "task.claimed", "upload.done", "create.posted", "follow.polled", "analyse.done", "probe.answered", "file.uploaded",
    "delivery.begun", "delivery.sent",
)  # fmt: skip
ELSEWHERE: Final = (
    "create.intended", "answer.received", "evaluate.answered", "evaluate.done", "compare.done", "mend.done",
    "host.intended", "host.posted", "host.stopped",
)  # fmt: skip


def test_every_point_is_struck() -> None:
    assert {*WHILE_CHECKING, *WHILE_TRAINING, *ELSEWHERE} == POINTS


@pytest.mark.parametrize("point", WHILE_CHECKING)
def test_death_while_checking_loses_nothing(talk: Conversation, point: str) -> None:
    talk.stack.strike(point)
    dropped = talk.drop()
    talk.stack.wait_until_struck(point)
    report = talk.report(dropped)

    assert talk.events(talk.dataset()) == DATASET_STORY
    assert len(talk.replies(dropped)) == 1
    assert talk.longest_wait_s(talk.dataset()) < LEASE_S + TAKEN_UP_S
    checked_s = talk.stack.events(talk.dataset())[-1]["at_ms"] / 1000
    assert float(report.ts) - checked_s < LEASE_S + TAKEN_UP_S


@pytest.mark.parametrize("point", WHILE_TRAINING)
def test_death_while_training_loses_nothing(talk: Conversation, point: str) -> None:
    report = talk.report(talk.drop())
    wait_for(lambda: talk.stack.outbox.pending(talk.dataset().ref.team) == 0)  # or the report's own post is struck
    talk.stack.strike(point)
    # a bot that dies at its first delivery may take its answer to the form with it: what it had recorded goes on
    assert talk.launch(report).closed or point in DEATHS_OF_BOT
    talk.stack.wait_until_struck(point)
    talk.finish()

    talk.insist_on_one_of_everything()
    assert talk.stack.front.count(CREATE) == 1
    assert talk.longest_wait_s(talk.job()) < LEASE_S + TAKEN_UP_S


def test_death_before_the_paid_request_asks_a_person(talk: Conversation) -> None:
    """Nobody can know that the request did not go out, so nobody sends it again without being told to."""
    report = talk.report(talk.drop())
    talk.stack.strike("create.intended")
    assert talk.launch(report).closed
    question = talk.notice(talk.card(), "won't risk paying twice")

    assert question.mentions(talk.person.id)
    assert talk.stack.front.count(CREATE) == 0
    talk.person.click(question, "start_anew")
    talk.finish()
    assert talk.stack.front.count(CREATE) == 1
    assert len(talk.stack.runs(talk.name)) == 1
    assert talk.events(talk.dataset()) == DATASET_STORY
    events = talk.events(talk.job())
    assert events[3:7] == ["RunIntended", "RunUnclear", "StartedAnew", "RunIntended"]
    assert events[:4] + events[7:] == JOB_STORY


def test_death_with_an_answer_in_hand_gives_one_answer(talk: Conversation) -> None:
    talk.train()
    card = talk.finish()
    talk.stack.strike("answer.received")
    talk.ask(card, f"{talk.name} ticket 2")
    talk.stack.wait_until_struck("answer.received")
    talk.answer(card)

    (prompt,) = talk.prompts()
    assert talk.events(prompt) == ["PromptAsked", "PromptAnswered"]
    assert talk.longest_wait_s(prompt) < LEASE_S + TAKEN_UP_S
    talk.insist_on_one_of_everything(answers=1)


def test_one_stage_after_another_may_die(talk: Conversation) -> None:
    """Three deaths in one story."""
    points = ("upload.done", "create.posted", "follow.polled")
    report = talk.report(talk.drop())
    for point in points:
        talk.stack.strike(point)
    assert talk.launch(report).closed
    for point in points:
        talk.stack.wait_until_struck(point)
    talk.finish()

    talk.insist_on_one_of_everything()
    assert talk.stack.front.count(CREATE) == 1


@pytest.mark.parametrize("what", ["bot", "worker", "runs", "prompts", "follower", "trainer", "redis"])
def test_process_killed_in_mid_training_costs_time_only(talk: Conversation, what: str) -> None:
    card = training(talk)
    match what:
        case "redis":
            talk.stack.redis.kill()
            talk.stack.redis.start()
        case "runs" | "prompts":
            talk.stack.kill_one_below("worker", f"--queue {what}")
        case service:
            talk.stack.kill(service)
    talk.finish()

    talk.insist_on_one_of_everything()
    assert talk.stack.front.count(CREATE) == 1
    assert talk.stack.workspace.message(card) is not None
    talk.stack.workspace.wait_for_app(PATIENCE_S)


@pytest.mark.parametrize("service", ["bot", "worker", "follower"])
def test_process_told_to_stop_lets_go_of_what_it_holds(talk: Conversation, service: str) -> None:
    training(talk)
    leases = talk.stack.stop_gently(service)

    assert leases == []
    talk.finish()
    talk.insist_on_one_of_everything()
    talk.stack.workspace.wait_for_app(PATIENCE_S)


def test_work_of_a_dead_machine_is_taken_up_within_30_s() -> None:
    """By arithmetic, where nobody is left to tell of the death: its lease, a sweep, a worker that starts."""
    assert Settings().lease_s + SWEEP_S + RESTART_S < 30
