"""One small supervisor: starts processes, restarts what dies, ends them all together."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

CHECK_S: Final = 0.1
BACKOFF_S: Final = (0.0, 0.5, 1.0, 2.0, 5.0)
STEADY_S: Final = 20.0
GRACE_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process to keep running. `stop_last` services end after the others (the record outlives its users)."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path | None = None
    stop_last: bool = False


@dataclass(slots=True)
class _Kept:
    service: Service
    process: subprocess.Popen[bytes]
    started: float
    restarts: int = 0
    due: float | None = None
    log: IO[bytes] | None = field(default=None)


class Supervisor:
    """Keeps services running until `stop`."""

    def __init__(self, *, on_restart: Callable[[str, int], None] = lambda _name, _code: None) -> None:
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._asked_to_stop = False
        self._on_restart = on_restart

    def start(self, service: Service) -> None:
        """Start a service and keep it running."""
        with self._lock:
            self._kept[service.name] = self._spawn(service)

    def pid(self, name: str) -> int:
        """Return the process id of a service."""
        return self._kept[name].process.pid

    def names(self) -> list[str]:
        """Return the names of the services."""
        return list(self._kept)

    def wait(self, seconds: float) -> bool:
        """Wait, and return whether it is stopping; at once when it begins to."""
        return self._stopping.wait(seconds)

    def stop_soon(self) -> None:
        """Let `watch` return. For a signal's handler: an Event set there deadlocks where the signal met its `wait`."""
        self._asked_to_stop = True

    def watch(self) -> None:
        """Restart what dies, until `stop_soon`."""
        while not (self._asked_to_stop or self._stopping.wait(CHECK_S)):
            with self._lock:
                for kept in self._kept.values():
                    self._look_after(kept)

    def stop(self) -> None:
        """End every service: asked first, and after a while made to."""
        self._stopping.set()
        with self._lock:
            for last in (False, True):
                self._end([kept for kept in self._kept.values() if kept.service.stop_last is last])

    def _spawn(self, service: Service) -> _Kept:
        if service.log_file is not None:
            service.log_file.parent.mkdir(parents=True, exist_ok=True)
        output = service.log_file.open("ab") if service.log_file else None
        process = subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, "-P", "-m", "tuneroom.leash", str(os.getpid()), *service.command],
            env=dict(service.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # ctrl-C is for the supervisor, which ends the others in their order
        )
        return _Kept(service, process, time.monotonic(), log=output)

    def _look_after(self, kept: _Kept) -> None:
        code = kept.process.poll()
        if code is None:
            return
        now = time.monotonic()
        if kept.due is None:
            steady = now - kept.started > STEADY_S
            kept.restarts = 0 if steady else kept.restarts
            kept.due = now + BACKOFF_S[min(kept.restarts, len(BACKOFF_S) - 1)]
            log.warning("service.died", extra={"service": kept.service.name, "code": code})
            self._on_restart(kept.service.name, code)
        if now >= kept.due:
            _close(kept)
            fresh = self._spawn(kept.service)
            kept.process, kept.started, kept.log = fresh.process, fresh.started, fresh.log
            kept.restarts, kept.due = kept.restarts + 1, None

    def _end(self, kept: Sequence[_Kept]) -> None:
        for one in kept:
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        for one in kept:
            try:
                one.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
            _close(one)


def _close(kept: _Kept) -> None:
    if kept.log is not None:
        kept.log.close()
