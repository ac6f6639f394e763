"""A worker that is told to stop in the middle of a stage that outlasts its grace is ended, and nothing is lost."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.flows.conversation import JOB_STORY
from tests.support.provider_front import UPLOAD
from tests.support.waiting import wait_for
from tuneroom.supervisor import GRACE_S

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation

PATIENCE_S = 200.0


@pytest.mark.timeout(600)
def test_a_stage_that_outlasts_the_grace_is_done_again_by_the_next_worker(talk: Conversation) -> None:
    stack = talk.stack
    report = talk.report(talk.drop(), timeout_s=PATIENCE_S)
    stack.front.hang(UPLOAD)
    assert talk.launch(report).closed
    wait_for(lambda: stack.front.count(UPLOAD), timeout_s=PATIENCE_S)

    worker = stack.pid("worker")
    os.kill(worker, signal.SIGTERM)
    wait_for(lambda: stack.pid("worker") != worker, timeout_s=GRACE_S + PATIENCE_S)
    assert talk.job().state == "uploading"

    stack.front.calm()
    card = talk.card("Ready.", timeout_s=PATIENCE_S)
    stack.workspace.wait_for(lambda _: len(talk.replies(card)) >= 3 or None, PATIENCE_S)
    story = talk.events(talk.job())
    assert [event for event in JOB_STORY if event not in story] in ([], ["RunStarted"])
    assert len(story) == len(set(story))
    assert [run["status"] for run in stack.runs(talk.name)] == ["succeeded"]
