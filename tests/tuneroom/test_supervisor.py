"""The supervisor restarts what dies and leaves nothing behind, however it ends itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import wait_for
from tuneroom.settings import environment
from tuneroom.supervisor import Service, Supervisor

if TYPE_CHECKING:
    from collections.abc import Generator

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]
STUBBORN = [sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"]
ROOT = Path(__file__).parents[2]


def service(name: str, command: list[str] = FOREVER, *, log_file: Path | None = None) -> Service:
    return Service(name=name, command=command, environment=environment() | {"PYTHONPATH": str(ROOT)}, log_file=log_file)


def lives(pid: int) -> bool:
    """Whether a process runs: one that nobody has reaped yet does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())


@contextmanager
def watched(supervisor: Supervisor) -> Generator[None]:
    thread = threading.Thread(target=supervisor.watch)
    thread.start()
    try:
        yield
    finally:
        supervisor.stop()
        thread.join()


def test_what_dies_is_started_again() -> None:
    seen: list[tuple[str, int]] = []
    supervisor = Supervisor(on_restart=lambda name, code: seen.append((name, code)))
    with watched(supervisor):
        supervisor.start(service("one"))
        first = supervisor.pid("one")
        os.kill(first, signal.SIGKILL)
        second = wait_for(lambda: supervisor.pid("one") != first and supervisor.pid("one"))
        assert lives(second)
    assert seen == [("one", -signal.SIGKILL)]
    assert not lives(second)


def test_what_it_prints_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "one.log"
    supervisor = Supervisor()
    with watched(supervisor):
        supervisor.start(service("one", [sys.executable, "-c", "print('hello', flush=True)"], log_file=log))
        wait_for(lambda: log.exists() and "hello" in log.read_text())


def test_the_services_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells a child of its parent's death")
    pids = tmp_path / "pids"
    program = (
        "import sys, pathlib\n"
        "from tuneroom.settings import environment\n"
        "from tuneroom.supervisor import Service, Supervisor\n"
        "supervisor = Supervisor()\n"
        f"supervisor.start(Service(name='one', command={FOREVER!r}, environment=environment()))\n"
        f"pathlib.Path({str(pids)!r}).write_text(str(supervisor.pid('one')))\n"
        "supervisor.watch()\n"
    )
    keeper = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment() | {"PYTHONPATH": str(ROOT)})
    child = int(wait_for(lambda: pids.exists() and pids.read_text()))
    keeper.kill()
    keeper.wait()
    wait_for(lambda: not lives(child))
