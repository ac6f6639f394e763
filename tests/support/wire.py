"""Requests and answers of the servers that stand in for providers and for Slack, and the serving of them."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; `path` without its query."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The JSON in it, {} where there is none."""
        return json.loads(self.content) if self.content else {}

    @property
    def form(self) -> dict[str, tuple[str, bytes]]:
        """What a form held, by its names: the name of a file, "" where it is none, and the bytes."""
        boundary = self.headers["content-type"].partition("boundary=")[2].encode()
        found: dict[str, tuple[str, bytes]] = {}
        for part in self.content.split(b"--" + boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            names = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
            found[names["name"]] = (names.get("filename", ""), content.removesuffix(b"\r\n"))
        return found


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: JSON ({} where there is none), or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def content(self) -> bytes:
        """Its bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps({} if self.body is None else self.body).encode()


class Service(Protocol):
    """What is served."""

    def treat(self, asked: Asked) -> Told | None:
        """Answer a request; None loses the answer."""
        ...


@contextlib.contextmanager
def served(service: Service) -> Generator[str]:
    """Serve a service and yield its address, without a path."""

    class Handler(_Handler):
        served = service

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
    served: ClassVar[Service]

    def _do(self) -> None:
        split = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = self.served.treat(Asked(self.command, unquote(split.path), query, headers, content))
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
