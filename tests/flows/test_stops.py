"""Worse than a kill: an owner that is stopped and wakes up late, and a record that comes back older than it was."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

from tests.flows.conversation import PATIENCE_S
from tests.support.provider_front import CREATE
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation


def test_owner_stopped_past_its_lease_pays_for_nothing_when_it_wakes(talk: Conversation) -> None:
    """It stops between the intent and the request; others decide meanwhile, with a person, and a run is made."""
    report = talk.report(talk.drop())
    talk.stack.strike("create.intended", signal.SIGSTOP)
    with talk.stack.second("worker", "--queue", "runs"):
        assert talk.launch(report).closed
        stopped = talk.stack.stopped("worker")
        question = talk.notice(talk.card(), "won't risk paying twice")
        talk.person.click(question, "start_anew")
        talk.finish()
        os.kill(stopped, signal.SIGCONT)
        wait_for(lambda: not is_alive(stopped), timeout_s=PATIENCE_S)

    assert talk.stack.front.count(CREATE) == 1
    assert len(talk.stack.runs(talk.name)) == 1
    assert talk.job().state == "ready"


def test_record_restored_from_before_the_run_finds_it(talk: Conversation) -> None:
    """Redis comes back with a copy of its disk that is older than the paid request."""
    report = talk.report(talk.drop())
    wait_for(lambda: talk.stack.outbox.pending(talk.dataset().ref.team) == 0, timeout_s=PATIENCE_S)
    talk.stack.strike("upload.done", signal.SIGSTOP)
    assert talk.launch(report).closed
    stopped = talk.stack.stopped("worker")
    card = talk.card()
    wait_for(lambda: talk.stack.outbox.pending(talk.job().ref.team) == 0, timeout_s=PATIENCE_S)
    copy = talk.stack.redis.copied_to(talk.stack.home / "copy")
    os.kill(stopped, signal.SIGCONT)
    wait_for(lambda: talk.job().data.run, timeout_s=PATIENCE_S)
    talk.stack.redis.kill()
    talk.stack.redis.restore(copy)
    talk.stack.redis.start()

    assert not talk.job().data.run
    assert talk.finish().ts == card.ts
    events = talk.events(talk.job())
    assert "RunIntended" not in events  # it is forgotten that one was made: the run is found by what it must be
    assert [events.count(name) for name in ("RunCreated", "RunSucceeded", "ModelReady")] == [1, 1, 1]
    assert talk.stack.front.count(CREATE) == 1
    assert [run["status"] for run in talk.stack.runs(talk.name)] == ["succeeded"]
    shutil.rmtree(copy)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
