"""What the sandbox's supervisor starts anew is found by everybody else, on a port that was any free one, too."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from sandbox.client import Workspace
from tests.support.waiting import wait_for
from tuneroom.sandbox_services import Plan, Running, start
from tuneroom.settings import Settings, environment
from tuneroom.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 240.0
pytestmark = pytest.mark.timeout(600)  # everything that runs


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor()
    watching = threading.Thread(target=supervisor.watch, name="supervisor", daemon=True)
    watching.start()
    yield supervisor
    supervisor.stop()
    watching.join(60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, supervisor: Supervisor) -> Iterator[Running]:
    """A sandbox whose page and trainer are on whatever ports were free."""
    home = tmp_path_factory.mktemp("restart")
    plan = Plan(home=home, port=0, real=frozenset(), settings=Settings(), environment=environment())
    with contextlib.ExitStack() as closing:
        yield start(plan, supervisor, closing)


@pytest.mark.parametrize("service", ["slack", "trainer", "bot"])
def test_a_report_comes_although_a_service_had_died(running: Running, supervisor: Supervisor, service: str) -> None:
    before = supervisor.pid(service)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: supervisor.pid(service) != before, timeout_s=PATIENCE_S)
    with contextlib.closing(wait_for(lambda: _workspace(running.page), timeout_s=PATIENCE_S)) as workspace:
        workspace.wait_for_app(PATIENCE_S)
        rows = "".join(_row(f"{service} {number}") for number in range(12))
        dropped = workspace.as_user("mina").drop("#tuning", "rows.jsonl", rows.encode())
        workspace.wait_for_message("#tuning", "Ready to train", thread_ts=dropped.ts, timeout_s=PATIENCE_S)


def _workspace(page: str) -> Workspace | None:
    try:
        return Workspace(page)
    except OSError:
        return None


def _row(name: str) -> str:
    said = f'{{"role": "user", "content": "q{name}"}}, {{"role": "assistant", "content": "a{name}"}}'
    return f'{{"messages": [{said}]}}\n'
