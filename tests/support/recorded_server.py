"""A provider over HTTP that answers in recorded shapes: what the servers that stand in for Azure and Nebius share."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.wire import Asked, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

KEY = "the-key"


@dataclass(slots=True)
class Recorded:
    """Answers by the first route whose method and path fit, and remembers what it was asked.

    `refuses`: what it answers instead, by method and path; `loses`: those whose answers are lost after the work.
    """

    routes: ClassVar[dict[str, str]] = {}
    asked: list[Asked] = field(default_factory=list[Asked])
    refuses: dict[tuple[str, str], Told] = field(default_factory=dict[tuple[str, str], Told])
    loses: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    url: str = ""

    def unauthorized(self) -> Told:
        """What a key that is not known is told."""
        raise NotImplementedError

    def unknown(self, asked: Asked) -> Told:
        """What an address that is not known is told."""
        raise NotImplementedError

    def treat(self, asked: Asked) -> Told | None:
        """Answer, or lose the answer."""
        self.asked.append(asked)
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return self.unauthorized()
        told = self.refuses.get((asked.method, asked.path)) or self._strange(asked) or self._routed(asked)
        return None if (asked.method, asked.path) in self.loses else told

    def _strange(self, asked: Asked) -> Told | None:
        """Refuse what a query asks for and no description names: some servers do, and most ignore it."""
        known = {"purpose"} if asked.path.endswith("/files") else {"after", "limit"}
        names = sorted(set(asked.query) - known)
        return Told({"error": {"code": "invalidPayload", "message": f"Unknown: {names}"}}, 400) if names else None

    def _routed(self, asked: Asked) -> Told:
        for route, name in self.routes.items():
            method, pattern = route.split(" ")
            if method == asked.method and (found := re.fullmatch(pattern, asked.path)):
                act: Callable[..., Told] = getattr(self, name)
                return act(asked, *found.groups())
        return self.unknown(asked)

    def sent(self, method: str, path: str) -> list[Asked]:
        """Return the requests of that kind."""
        return [one for one in self.asked if (one.method, one.path) == (method, path)]


@contextlib.contextmanager
def served(provider: Recorded) -> Generator[str]:
    """Serve a provider and yield its address, without a path."""

    class Handler(_Handler):
        recorded = provider

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    recorded: ClassVar[Recorded]

    def _do(self) -> None:
        split = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = self.recorded.treat(Asked(self.command, unquote(split.path), query, headers, content))
        if told is None:
            self.close_connection = True
            return
        self.send_response(told.status)
        self.send_header("content-type", "application/json")
        for name, value in told.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(told.content)))
        self.end_headers()
        self.wfile.write(told.content)

    do_GET = do_POST = do_DELETE = _do  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""
