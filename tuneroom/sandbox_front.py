"""A door before the local trainer: passes everything on as it comes, and loses one reply when it is told to.

The trainer's own address changes when it is started anew; the door's does not, so runs under way are found again.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import threading
from enum import Enum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

log = logging.getLogger(__name__)

BLOCK_BYTES: Final = 1 << 16
UPSTREAM_S: Final = 600.0
OF_ONE_CONNECTION: Final = frozenset(
    {"connection", "keep-alive", "host", "transfer-encoding", "content-length", "te", "trailer", "upgrade"}
)
CREATE: Final = ("POST", "/v1/fine_tuning/jobs")


class Lost(Enum):
    """Which reply is lost next."""

    NONE = "none"
    ANY = "any"
    CREATE = "create"


class Front:
    """A reverse proxy in a thread. `upstream` gives the trainer's port, asked for each request; None: not there."""

    def __init__(self, upstream: Callable[[], int | None], *, port: int = 0) -> None:
        self._upstream = upstream
        self._lock = threading.Lock()
        self._lost = Lost.NONE
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="front", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    @property
    def loses(self) -> Lost:
        """Which reply it will lose."""
        return self._lost

    def lose_next(self, what: Lost) -> None:
        """Let the trainer do the work of one more request, and lose its answer."""
        with self._lock:
            self._lost = what

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to the trainer; OSError where it is not there."""
        port = self._upstream()
        if port is None:
            raise ConnectionRefusedError
        return http.client.HTTPConnection("127.0.0.1", port, timeout=UPSTREAM_S)

    def takes(self, method: str, path: str) -> bool:
        """Use up the order to lose a reply, where this request is the one."""
        with self._lock:
            is_it = self._lost is Lost.ANY or (self._lost is Lost.CREATE and (method, path) == CREATE)
            if is_it:
                self._lost = Lost.NONE
            return is_it


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], front: Front) -> None:
        self.front = front
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked has gone, or the trainer has: both ask again."""
        log.debug("front.broken", extra={"request": repr(request), "by": repr(client_address)})


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - the only server it is made by
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def do_DELETE(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: the trainer has a log."""

    def _pass_on(self) -> None:
        self.close_connection = True
        is_lost = self.server.front.takes(self.command, self.path.partition("?")[0])
        try:
            with contextlib.closing(self.server.front.connect()) as upstream:
                answer = self._ask(upstream)
                if is_lost:
                    answer.read()
                    self.connection.shutdown(socket.SHUT_RDWR)
                else:
                    self._answer(answer)
        except (ConnectionRefusedError, http.client.RemoteDisconnected):
            self.send_error(HTTPStatus.BAD_GATEWAY, "the trainer is not there")

    def _ask(self, upstream: http.client.HTTPConnection) -> http.client.HTTPResponse:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_ONE_CONNECTION}
        length = self.headers.get("Content-Length")
        is_chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        if length is not None:
            upstream.request(self.command, self.path, self._sized(int(length)), headers | {"Content-Length": length})
        else:
            body = self._chunks() if is_chunked else None
            upstream.request(self.command, self.path, body, headers, encode_chunked=is_chunked)
        return upstream.getresponse()

    def _sized(self, left: int) -> Iterator[bytes]:
        while left and (block := self.rfile.read(min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield from self._sized(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in OF_ONE_CONNECTION:
                self.send_header(name, value)
        length = answer.getheader("Content-Length")
        self.send_header(*(("Content-Length", length) if length is not None else ("Transfer-Encoding", "chunked")))
        self.send_header("Connection", "close")
        self.end_headers()
        while block := answer.read1(BLOCK_BYTES):
            self.wfile.write(block if length is not None else b"%x\r\n%s\r\n" % (len(block), block))
        if length is None:
            self.wfile.write(b"0\r\n\r\n")
