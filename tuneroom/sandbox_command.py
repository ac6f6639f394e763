"""`tuneroom sandbox`: everything on this machine, as separate processes under one supervisor."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

from finetune.errors import UserError
from sandbox.client import Workspace
from tuneroom.sandbox_first import drop_sample
from tuneroom.sandbox_services import BELONGS, Plan, start
from tuneroom.sandbox_table import ready_text
from tuneroom.settings import Settings, environment
from tuneroom.supervisor import Supervisor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator

    from tuneroom.sandbox_services import Running

INTERRUPTED = 130  # as a shell says of a command that ctrl-C ended
REAL = frozenset(BELONGS)


def run(settings: Settings, parsed: argparse.Namespace) -> int:
    """Start everything, say what is where, and stay until ctrl-C; with `--play`, act the story and end."""
    real = frozenset(name for name in str(parsed.real).split(",") if name)
    if unknown := real - REAL:
        raise UserError(
            "unknown-service", f"--real does not know {', '.join(sorted(unknown))}.", f"It takes {', '.join(BELONGS)}."
        )
    if parsed.play:
        return _play(real)
    home = Path(parsed.home or settings.home).absolute()
    plan = Plan(home=home, port=parsed.port, real=real, settings=settings, environment=environment())
    with _locked(home):
        if parsed.fresh:
            _forget(home)
        if "slack" not in real:
            _insist_on_free(parsed.port)
        return _serve(plan)


def _insist_on_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(
                "port-taken", f"Port {port} is taken by another program.", "Choose another: --port 4000, or --port 0."
            ) from error


def _play(real: frozenset[str]) -> int:
    """The story, in a home of its own and with no service of the environment: it must never cost money."""
    from tuneroom.play import play  # noqa: PLC0415 - only a play needs it

    if real:
        raise UserError("play-is-local", "--play never uses real services.", "Leave out --real.")
    home = Path(tempfile.mkdtemp(prefix="tuneroom-play-"))
    # not even our own settings: the story is the same wherever it is played
    kept = {name: value for name, value in environment().items() if not name.startswith("TUNEROOM_")}
    plan = Plan(home=home, port=0, real=real, settings=Settings(), environment=kept)
    supervisor = Supervisor()
    code = INTERRUPTED
    try:
        with contextlib.ExitStack() as closing, _signals(supervisor):
            running = start(plan, supervisor, closing)
            watching = threading.Thread(target=supervisor.watch, daemon=True)
            watching.start()
            code = play(running, out=sys.stdout)
    finally:
        supervisor.stop()
    if code == 0:
        shutil.rmtree(home)
    else:
        sys.stdout.write(f"The logs are kept in {home / 'logs'}.\n")
    return code


def _serve(plan: Plan) -> int:
    supervisor = Supervisor(on_restart=_say_restart)
    try:
        with contextlib.ExitStack() as closing, _signals(supervisor):
            running = start(plan, supervisor, closing)
            sys.stdout.write(ready_text(plan, running, _open_on_sample(running)))
            sys.stdout.flush()
            supervisor.watch()
    finally:
        sys.stdout.write("\nStopping ...\n")
        supervisor.stop()
    return 0


def _open_on_sample(running: Running) -> str:
    """In a new workspace a dataset is dropped, and checked before its person opens the page; say what waits there."""
    if not running.page:
        return ""
    with Workspace(running.page) as workspace:
        return drop_sample(workspace)


def _say_restart(name: str, code: int) -> None:
    sys.stdout.write(f"{name} ended ({code}); starting it again\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _signals(supervisor: Supervisor) -> Generator[None]:
    """ctrl-C and SIGTERM end everything, also while it is starting."""

    def interrupt(*_: object) -> None:
        supervisor.stop_soon()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _locked(home: Path) -> Generator[IO[str]]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                "running-already",
                f"A sandbox is running in {home} already.",
                "Use its page, stop it with ctrl-C, or give this one --home ELSEWHERE --port 0.",
            ) from None
        yield lock


def _forget(home: Path) -> None:
    for entry in home.iterdir():
        if entry.name == "lock":
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
