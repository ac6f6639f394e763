"""The door before the trainer: everything passes as it comes, and one reply is lost when that is asked for."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tuneroom.sandbox_front import Front, Lost

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    Json = dict[str, Any]

MEGABYTE = 1 << 20


class Trainer(ThreadingHTTPServer):
    """What stands behind the door: it keeps what it was asked, and what the bytes were."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.seen = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Trainer

    def do_GET(self) -> None:
        self.server.asked.append(("GET", self.path))
        if self.path != "/v1/stream":
            self.reply({"ok": True})
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst \r\n")
        self.wfile.flush()
        self.server.seen.wait(10)  # until the first part has come out at the other side
        self.wfile.write(b"6\r\nsecond\r\n0\r\n\r\n")

    def do_POST(self) -> None:
        self.server.asked.append(("POST", self.path))
        size = int(self.headers.get("Content-Length") or -1)
        digest = hashlib.sha256(b"".join(self.chunks()) if size < 0 else self.rfile.read(size))
        self.reply({"sha256": digest.hexdigest(), "key": self.headers["Authorization"]})

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def reply(self, body: Json) -> None:
        text = json.dumps(body).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def trainer() -> Generator[Trainer]:
    with Trainer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def front(trainer: Trainer) -> Generator[Front]:
    with Front(lambda: trainer.server_port) as front:
        yield front


@pytest.fixture
def client(front: Front) -> Generator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://127.0.0.1:{front.port}", trust_env=False, timeout=20) as client:
        yield client


def blocks() -> Iterator[bytes]:
    for number in range(8):
        yield bytes([number]) * MEGABYTE


@pytest.mark.parametrize("is_sized", [True, False])
def test_an_upload_passes_byte_by_byte(client: httpx2.Client, *, is_sized: bool) -> None:
    headers = {"Authorization": "Bearer k"} | ({"Content-Length": str(8 * MEGABYTE)} if is_sized else {})
    answer = client.post("/v1/files", content=blocks(), headers=headers)
    assert answer.status_code == 201
    assert answer.json() == {"sha256": hashlib.sha256(b"".join(blocks())).hexdigest(), "key": "Bearer k"}


def test_a_stream_comes_out_as_it_goes_in(client: httpx2.Client, trainer: Trainer) -> None:
    with client.stream("GET", "/v1/stream") as answer:
        parts = answer.iter_text()
        assert next(parts) == "first "
        trainer.seen.set()
        assert next(parts) == "second"


def test_a_reply_is_lost_once_and_the_work_is_done(client: httpx2.Client, front: Front, trainer: Trainer) -> None:
    front.lose_next(Lost.ANY)
    with pytest.raises(httpx2.RemoteProtocolError):
        client.get("/v1/models")
    assert client.get("/v1/models").status_code == 201
    assert trainer.asked == [("GET", "/v1/models")] * 2


def test_the_reply_to_a_creation_waits_for_a_creation(client: httpx2.Client, front: Front, trainer: Trainer) -> None:
    front.lose_next(Lost.CREATE)
    assert client.get("/v1/fine_tuning/jobs?limit=1").status_code == 201
    assert client.post("/v1/files", content=b"x").status_code == 201
    with pytest.raises(httpx2.RemoteProtocolError):
        client.post("/v1/fine_tuning/jobs", content=b"{}")
    assert front.loses is Lost.NONE
    assert trainer.asked[-1] == ("POST", "/v1/fine_tuning/jobs")


def test_a_trainer_that_is_away_is_said_to_be_and_found_when_it_is_back(trainer: Trainer) -> None:
    ports: list[int | None] = [None, 1, trainer.server_port]
    with Front(lambda: ports.pop(0)) as front:
        began = time.monotonic()
        answers = [httpx2.get(f"http://127.0.0.1:{front.port}/v1/models", trust_env=False).status_code for _ in "abc"]
    assert answers == [502, 502, 201]
    assert time.monotonic() - began < 30
