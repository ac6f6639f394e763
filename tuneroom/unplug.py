"""What may be broken from the sandbox's page while it works, and what it must not cost: how many runs were made.

The page's server is told addresses of this module's loopback endpoint; a secret in their path is what lets it in.
Ending processes is the supervisor's business, so it happens here and nowhere else.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import signal
import subprocess
import threading
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

from tuneroom.sandbox_front import Lost

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from tuneroom.sandbox_front import Front
    from tuneroom.supervisor import Supervisor

ASK_S: Final = 5.0
LOOK_S: Final = 0.1
MIDDLE_S: Final = 0.6
"""How long a run has been training before what waits for "mid-training" happens."""


class Trainer:
    """Reads the trainer's own list of runs: what was really made, not what the bot believes."""

    def __init__(self, url: Callable[[], str], key: str) -> None:
        self._url = url
        self._key = key

    def runs(self) -> list[dict[str, Any]]:
        """Return every run; OSError where the trainer does not answer."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self._ask(f"/fine_tuning/jobs?limit=100{after}")
            found += page["data"]
            if not page["has_more"] or not page["data"]:
                return found
            after = f"&after={page['data'][-1]['id']}"

    def _ask(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self._url() + path, headers={"Authorization": f"Bearer {self._key}"}
        )
        with urllib.request.urlopen(request, timeout=ASK_S) as answer:  # noqa: S310
            return json.loads(answer.read())


class Unplug:
    """The endpoint in a thread. `front` and `trainer` are None where the provider is real, `has_redis` False where
    Redis is: nothing that is not ours is touched.

    What is pressed while nothing trains waits for the middle of the next run.
    """

    def __init__(
        self, supervisor: Supervisor, front: Front | None, trainer: Trainer | None, *, has_redis: bool
    ) -> None:
        self._supervisor = supervisor
        self._front = front
        self._trainer = trainer
        self._secret = secrets.token_urlsafe(24)
        self._acts: dict[str, tuple[str, Callable[[], str]]] = {"worker": ("Kill a worker", self._kill_workers)}
        if front is not None:
            self._acts["reply"] = ("Drop the provider's reply", self._lose_reply)
        if has_redis:
            self._acts["redis"] = ("Restart Redis", self._kill_redis)
        self._waiting: list[str] = []
        self._known_runs: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(self)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.1,), name="unplug", daemon=True),
            threading.Thread(target=self._watch, name="unplug-watch", daemon=True),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(10)

    @property
    def controls(self) -> list[dict[str, str]]:
        """The labels, and the addresses to POST to."""
        return [{"label": label, "url": self._address(name)} for name, (label, _) in self._acts.items()]

    @property
    def figures_url(self) -> str:
        """The address to GET what is shown beside them; "" where there is no trainer to count at."""
        return self._address("figures") if self._trainer else ""

    def figures(self) -> dict[str, Any]:
        """Return the number of runs as the trainer has them, and whether one is training now."""
        runs = self._runs()
        is_busy = any(map(_trains, runs))
        return {"figures": [["Paid runs", str(len(runs))]], "busy": is_busy, "said": self._sentence(is_busy=is_busy)}

    def act(self, name: str) -> str | None:
        """Do one thing, now or in the middle of the next run; returns a sentence, None for what is not known."""
        if name not in self._acts:
            return None
        is_busy = self._trainer is None or any(map(_trains, self._runs()))
        if is_busy or name == "reply":  # a lost reply waits in the front, for the next launch
            return self._acts[name][1]()
        with self._lock:
            self._waiting = [*dict.fromkeys([*self._waiting, name])]
        return f"{self._acts[name][0]}: in the middle of the next run."

    def is_let_in(self, path: str) -> str | None:
        """Return what a path asks for, None without the secret."""
        _, secret, name = (*path.split("/", 2), "", "")[:3]
        return name if hmac.compare_digest(secret.encode(), self._secret.encode()) else None

    def _address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{self._secret}/{name}"

    def _sentence(self, *, is_busy: bool) -> str:
        waiting = [self._acts[name][0] for name in self._waiting]
        if self._front is not None and self._front.loses is Lost.CREATE:
            waiting.append(self._acts["reply"][0])
        if waiting:
            return f"Waits for the next run: {', '.join(waiting)}."
        if is_busy:
            return "A model is training: press one, and watch the card recover."
        return "Nothing is training: what you press happens in the middle of the next run."

    def _runs(self) -> list[dict[str, Any]]:
        """The trainer's runs, as last known while it is away."""
        if self._trainer is not None:
            with contextlib.suppress(OSError, ValueError):
                self._known_runs = self._trainer.runs()
        return self._known_runs

    def _watch(self) -> None:
        """Do what waits, once a run is in the middle of its training."""
        while not self._stopping.wait(LOOK_S):
            if not self._waiting or not any(map(_trains, self._runs())):
                continue
            self._stopping.wait(MIDDLE_S)
            with self._lock:
                due, self._waiting = self._waiting, []
            for name in due:
                self._acts[name][1]()

    def _kill_workers(self) -> str:
        parent = self._supervisor.pid("worker")
        below = _below(parent)  # before its end: afterwards they are nobody's
        ended = sum(_kill(pid) for pid in [parent, *below])
        return f"Killed the worker and its children, {ended} processes. The supervisor starts them again."

    def _kill_redis(self) -> str:
        _kill(self._supervisor.pid("redis"))
        return "Killed Redis. It comes back with what it had written down."

    def _lose_reply(self) -> str:
        assert self._front is not None
        is_busy = any(map(_trains, self._runs()))
        self._front.lose_next(Lost.ANY if is_busy else Lost.CREATE)
        return (
            "The provider's next reply is lost." if is_busy else "The reply to the next launch is lost, its run made."
        )


def _trains(run: dict[str, Any]) -> bool:
    return run["status"] in {"validating_files", "queued", "running"}


def _below(pid: int) -> list[int]:
    """Return the processes below one."""
    listing = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True)  # noqa: S607
    parents = {int(child): int(parent) for child, parent in map(str.split, listing.stdout.splitlines())}
    found = [pid]
    for one in found:  # grows while it is gone through
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, unplug: Unplug) -> None:
        self.unplug = unplug
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - the only server it is made by

    def do_GET(self) -> None:
        unplug = self.server.unplug
        self._answer(unplug.figures() if unplug.is_let_in(self.path) == "figures" else None)

    def do_POST(self) -> None:
        unplug = self.server.unplug
        name = unplug.is_let_in(self.path)
        said = unplug.act(name) if name else None
        self._answer({"said": said} if said else None)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: the path holds the secret."""

    def _answer(self, body: dict[str, Any] | None) -> None:
        text = json.dumps(body or {"error": "not_found"}).encode()
        self.send_response(HTTPStatus.OK if body else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
