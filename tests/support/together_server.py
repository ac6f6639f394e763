"""Together, as far as this product speaks to it: an HTTP server that answers in the shapes of its SDK's types.

Runs and deployments move on by one step whenever they are looked at, so that tests wait for nothing. Switches make it
misbehave: it can lose a reply after the work was done, refuse, ask to be left alone, and list new things late.
"""

from __future__ import annotations

import fnmatch
import threading
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.support.together_serving import Serving
from tests.support.together_training import Training
from tests.support.together_wire import refusal
from tests.support.wire import Asked, Told

KEY: Final = "together-key"
CREATE: Final = ("POST", "/v1/fine-tunes")
DEPLOY: Final = ("POST", "/v2/projects/*/deployments")
RUNS: Final = ("GET", "/v1/fine-tunes")


@dataclass(slots=True)
class _Rule:
    to: tuple[str, str]
    told: Told | None
    times: int
    after: bool
    """Whether the work is done first."""


class TogetherServer:
    """The server and its switches. `training` and `serving` hold what there is; `seen` counts what was asked."""

    def __init__(self) -> None:
        self.training = Training()
        self.serving = Serving(self.training)
        self.seen: Counter[tuple[str, str]] = Counter()
        self._rules: list[_Rule] = []
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self.training.address = self.address
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="together")
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it is, as `base_url` of the SDK."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def lose(self, to: tuple[str, str], *, times: int = 1) -> None:
        """Do what is asked and hang up instead of answering."""
        self._rules.append(_Rule(to, None, times, after=True))

    def drop(self, to: tuple[str, str], *, times: int = 1) -> None:
        """Hang up without doing anything."""
        self._rules.append(_Rule(to, None, times, after=False))

    def refuse(self, to: tuple[str, str], told: Told, *, times: int = 1) -> None:
        """Answer this instead of doing anything."""
        self._rules.append(_Rule(to, told, times, after=False))

    def busy(self, to: tuple[str, str], *, retry_after_s: float, times: int = 1) -> None:
        """Ask to be left alone for a while."""
        self.refuse(to, refusal(429, "Too many requests", "rate_limit", retry_after=str(retry_after_s)), times=times)

    def paid(self) -> int:
        """Return how many runs were created."""
        return len(self.training.runs)

    def answer(self, asked: Asked) -> Told | None:
        """Answer a request; None hangs up."""
        with self._lock:
            self.seen[asked.method, asked.path] += 1
            rule = self._take(asked)
            if rule is not None and not rule.after:
                return rule.told
            told = self._told(asked)
            return told if rule is None else rule.told

    def _told(self, asked: Asked) -> Told:
        if not asked.path.startswith("/storage/") and asked.headers.get("authorization") != f"Bearer {KEY}":
            return refusal(401, "Invalid API key provided", "invalid_api_key")
        for part in (self.training, self.serving):
            told = part.answer(asked)
            if told is not None:
                return told
        return refusal(404, f"No such thing: {asked.method} {asked.path}")

    def _take(self, asked: Asked) -> _Rule | None:
        for rule in self._rules:
            if asked.method == rule.to[0] and fnmatch.fnmatchcase(asked.path, rule.to[1]):
                rule.times -= 1
                if rule.times == 0:
                    self._rules.remove(rule)
                return rule
        return None


def _handler_of(server: TogetherServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            """Serve one request."""
            url = urlsplit(self.path)
            told = server.answer(
                Asked(
                    self.command,
                    url.path,
                    {name: values[0] for name, values in parse_qs(url.query).items()},
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(int(self.headers.get("content-length") or 0)),
                )
            )
            self.close_connection = True
            if told is None:
                return
            self.send_response(told.status)
            for name, value in {"content-type": "application/json", **told.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(told.content)))
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(told.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - the base class's names

        def date_time_string(self, timestamp: float | None = None) -> str:
            """Tell the provider's own time."""
            return super().date_time_string(server.training.now().timestamp() if timestamp is None else timestamp)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Stay quiet."""

    return Handler
