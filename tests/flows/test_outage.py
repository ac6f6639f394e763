"""Redis gone while a job trains: the record waits on disk, the run goes on, and nothing is said twice."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from sandbox.client import NotAnsweredError
from tests.flows.conversation import PATIENCE_S, training
from tests.support.provider_front import CREATE

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation

BACK_AT_WORK_S = 30.0
"""How long the stages after a run may take on a slow and busy machine whose workers have to find Redis again."""


def test_redis_gone_for_30_s_costs_time_only(talk: Conversation) -> None:
    training(talk)
    talk.stack.redis.kill()
    time.sleep(30)  # the outage itself
    talk.stack.redis.start()
    talk.finish()

    talk.insist_on_one_of_everything()
    assert talk.stack.front.count(CREATE) == 1
    ended = next(event["at_ms"] for event in talk.stack.events(talk.job()) if event["type"] == "RunSucceeded")
    assert talk.job().data.ready_ms - ended < BACK_AT_WORK_S * 1000


def test_redis_that_hangs_is_outlived(talk: Conversation) -> None:
    """Longer than clients wait for an answer, which is harder than a refused connection."""
    training(talk)
    os.kill(talk.stack.redis.pid, signal.SIGSTOP)
    time.sleep(11)  # the outage itself
    os.kill(talk.stack.redis.pid, signal.SIGCONT)
    talk.finish()

    talk.insist_on_one_of_everything()


def test_what_is_done_while_redis_is_gone_is_not_lost(talk: Conversation) -> None:
    """A dropped file is told again by Slack; a command is answered with what to do."""
    talk.stack.redis.kill()
    dropped = talk.drop()
    try:
        talk.person.command("/tune", "list")
    except NotAnsweredError:
        said = talk.person.ephemeral("did not respond")
    else:
        said = talk.person.ephemeral("My records are out of reach for the moment")
        assert "Nothing was started or lost. Try again in a minute." in said.text
    talk.stack.redis.start()

    report = talk.report(dropped)
    assert talk.launch(report).closed
    talk.finish()
    talk.insist_on_one_of_everything()
    talk.stack.workspace.wait_for_app(PATIENCE_S)
