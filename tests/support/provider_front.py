"""A door before the trainer that misbehaves when told to, and counts who came through."""

from __future__ import annotations

import contextlib
import fnmatch
import http.client
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CREATE: Final = ("POST", "/v1/fine_tuning/jobs")
LIST: Final = ("GET", "/v1/fine_tuning/jobs")
UPLOAD: Final = ("POST", "/v1/files")
RETRIEVE: Final = ("GET", "/v1/fine_tuning/jobs/ftjob-*")
ANSWERS: Final = ("POST", "/v1/*completions")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in."""

    method: str
    path: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back; None in its place drops the connection."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class _Rule:
    """`times` None: until `calm`."""

    method: str
    pattern: str
    act: Callable[[Request], Reply | None]
    times: int | None


class ProviderFront:
    """An HTTP reverse proxy in a thread. Rules are by method and path (`*` stands for anything); the newest wins."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._seen: list[tuple[str, str]] = []
        self._released = threading.Event()
        self._port = 0
        self.open()

    @property
    def url(self) -> str:
        """Where clients find it, `/v1` included."""
        return f"http://127.0.0.1:{self._port}/v1"

    def open(self) -> None:
        """Listen, after `close` where it listened before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler_of(self))
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="provider-front")
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self.calm()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(
        self,
        to: tuple[str, str],
        status: int,
        *,
        code: str = "",
        message: str = "",
        retry_after_s: float | None = None,
        times: int | None = None,
    ) -> None:
        """Answer in the trainer's place, with OpenAI's error body."""
        error = {"message": message or f"Refused by the test ({status}).", "type": "test", "param": None, "code": code}
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        reply = Reply(status, json.dumps({"error": error}).encode(), {"Content-Type": "application/json", **headers})
        self._add(to, lambda _: reply, times)

    def reply(self, to: tuple[str, str], body: bytes, *, times: int | None = None) -> None:
        """Answer in the trainer's place, with these bytes."""
        self._add(to, lambda _: Reply(200, body, {"Content-Type": "application/octet-stream"}), times)

    def let_pass(self, to: tuple[str, str], *, times: int) -> None:
        """Pass so many requests on before the rules that were made earlier are asked."""
        self._add(to, self.forward, times)

    def hang(self, to: tuple[str, str], *, times: int | None = None) -> None:
        """Let the request in and never answer, until `calm`; nothing reaches the trainer."""
        released = self._released

        def wait(_: Request) -> None:
            released.wait()

        self._add(to, wait, times)

    def drop(self, to: tuple[str, str], *, times: int | None = None) -> None:
        """Hang up without passing the request on."""
        self._add(to, lambda _: None, times)

    def drop_reply(self, to: tuple[str, str], *, times: int | None = None) -> None:
        """Let the trainer do the work, and lose its answer."""

        def lose(request: Request) -> None:
            self.forward(request)

        self._add(to, lose, times)

    def calm(self) -> None:
        """Forget every rule and every count, and let go of who hangs."""
        with self._lock:
            self._rules.clear()
            self._seen.clear()
            self._released.set()
            self._released = threading.Event()

    def count(self, to: tuple[str, str]) -> int:
        """Return how many such requests came since the last `calm`."""
        with self._lock:
            return sum(_fits(to, method, path) for method, path in self._seen)

    def treat(self, request: Request) -> Reply | None:
        """Do what the rules say, or pass the request on."""
        with self._lock:
            self._seen.append((request.method, urlsplit(request.path).path))
            act = self._take(request)
        return act(request) if act else self.forward(request)

    def forward(self, request: Request) -> Reply | None:
        """Pass a request on to the trainer; its answer, None where the trainer could not be reached."""
        connection = http.client.HTTPConnection(self._upstream.netloc, timeout=60)
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), _kept(answer.headers))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _add(self, to: tuple[str, str], act: Callable[[Request], Reply | None], times: int | None) -> None:
        with self._lock:
            self._rules.insert(0, _Rule(*to, act, times))

    def _take(self, request: Request) -> Callable[[Request], Reply | None] | None:
        for rule in self._rules:
            if _fits((rule.method, rule.pattern), request.method, urlsplit(request.path).path):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times == 0:
                        self._rules.remove(rule)
                return rule.act
        return None


def _fits(to: tuple[str, str], method: str, path: str) -> bool:
    return method == to[0] and fnmatch.fnmatchcase(path, to[1])


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """What a proxy passes on: neither the framing nor what concerns one connection only."""
    own = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}
    return {name: value for name, value in headers.items() if name.lower() not in own}


def _handler_of(front: ProviderFront) -> type[BaseHTTPRequestHandler]:
    class Bound(_Handler):
        treat = staticmethod(front.treat)

    return Bound


class _Handler(BaseHTTPRequestHandler):
    """One request: read it whole, have it treated, write the reply or hang up."""

    treat: ClassVar[Callable[[Request], Reply | None]]

    def serve(self) -> None:
        """Serve one request on a connection of its own."""
        reply = self.treat(Request(self.command, self.path, self._body(), _kept(self.headers)))
        self.close_connection = True
        if reply is None:
            return
        with contextlib.suppress(OSError):  # whoever asked has gone
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply.body)

    do_GET = do_POST = do_DELETE = serve  # noqa: N815 - the base class calls them so

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)
