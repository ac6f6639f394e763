"""The trainer's HTTP server: OpenAI's fine-tuning protocol below /v1, over training that really happens."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hmac
import logging
import signal
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from trainer import absent_routes, completion_routes, file_routes, job_routes, model_routes, switches, upload_routes
from trainer.disk import write_bytes
from trainer.file_store import FileStore
from trainer.jobs import JobStore
from trainer.model_shelf import ModelShelf
from trainer.pace import Paces
from trainer.refusals import Refusal, answer_fault, answer_http_error, answer_refusal, invalid_key
from trainer.runner import Runner
from trainer.switches import LostReplies, Switches
from trainer.upload_store import UploadStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send


LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainerConfig:
    """Where to listen, where to keep everything, the key that clients must send, and how to misbehave at first.

    `try_pace`: whether to measure at the start how long training takes, where no run has shown it yet.
    """

    host: str
    port: int
    data_dir: Path
    api_key: str = field(repr=False)
    switches: Switches = field(default_factory=Switches)
    try_pace: bool = False


class DataDirectoryInUseError(RuntimeError):
    """Another trainer works in this data directory."""


class BearerKey:
    """Middleware that lets only requests with the key through; /healthz alone needs none."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app, self._expected = app, f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/healthz":
            given = Request(scope).headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, self._expected):
                await invalid_key().response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def healthz(_: Request) -> Response:
    return JSONResponse({"ok": True})


def create_app(config: TrainerConfig) -> Starlette:
    """The application. It takes up its work, jobs left half done included, when its lifespan starts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        config.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with hold(config.data_dir / "lock"):
            app.state.switches = config.switches
            app.state.files = FileStore(config.data_dir / "files")
            app.state.uploads = UploadStore(config.data_dir / "uploads", app.state.files)
            app.state.jobs = JobStore(config.data_dir.resolve() / "jobs")
            app.state.models = ModelShelf(app.state.jobs)
            app.state.paces = Paces(config.data_dir.resolve())
            app.state.runner = Runner(app.state.jobs, app.state.files, app.state.paces)
            if config.try_pace:
                app.state.paces.begin_trial()
            working = asyncio.create_task(app.state.runner.run())
            working.add_done_callback(stop_on_fault)
            try:
                yield
            finally:
                working.cancel()
                await app.state.paces.close()
                with contextlib.suppress(asyncio.CancelledError):
                    await working

    rooms = (file_routes, upload_routes, job_routes, model_routes, completion_routes, absent_routes)
    routes = [
        Route(f"/v1{route.path}", route.endpoint, methods=list(route.methods or ()))
        for room in rooms
        for route in room.ROUTES
    ]
    return Starlette(
        routes=[Route("/healthz", healthz), *switches.ROUTES, *routes],
        middleware=[
            Middleware(BearerKey, key=config.api_key),
            Middleware(LostReplies, switches=config.switches),
        ],
        exception_handlers={Refusal: answer_refusal, HTTPException: answer_http_error, 500: answer_fault},
        lifespan=lifespan,
    )


def stop_on_fault(working: asyncio.Task[None]) -> None:
    """A server that no longer trains must not look alive: it ends, and whoever supervises it starts a new one."""
    if not working.cancelled() and working.exception():
        LOG.error("the runner stopped", exc_info=working.exception())
        signal.raise_signal(signal.SIGTERM)


@contextlib.contextmanager
def hold(path: Path) -> Generator[None, None, None]:
    """Hold a lock that the system lets go of however this process ends. Raises DataDirectoryInUseError."""
    with path.open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataDirectoryInUseError(f"another trainer works in {path.parent}") from error
        yield


class AnnouncingServer(uvicorn.Server):
    """uvicorn's server, which writes its port to a file once it has started, and can hang up on a client."""

    def __init__(self, config: uvicorn.Config, port_file: Path | None) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._port_file is not None and sockets:
            write_bytes(self._port_file, f"{sockets[0].getsockname()[1]}\n".encode())

    def hang_up(self, client: tuple[str, int]) -> None:
        """Drop a client's connection without another byte."""
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None and transport.get_extra_info("peername")[:2] == client:
                transport.abort()


def serve(config: TrainerConfig, port_file: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT. The bound port goes into port_file once requests are answered."""
    with socket.create_server((config.host, config.port), backlog=128) as listener:
        app = create_app(config)
        # no proxy_headers: a client's address is its own, not what it says it is
        settings = uvicorn.Config(
            app, log_level="warning", timeout_graceful_shutdown=3, lifespan="on", proxy_headers=False
        )
        server = AnnouncingServer(settings, port_file)
        app.state.hang_up = server.hang_up

        def stop(*_: object) -> None:
            server.should_exit = True

        # uvicorn raises the signal again once it is done; with these handlers that is not a death by signal.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        server.run(sockets=[listener])
        if not server.started:
            raise SystemExit(3)
