"""The workspace as a server: routes, start and stop."""

import contextlib
import dataclasses
import os
import socket
import threading
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from sandbox import downloads, human
from sandbox.api.endpoint import answer
from sandbox.config import SandboxConfig
from sandbox.connections import CuttableProtocol, Hangups
from sandbox.machine import Machine, build
from sandbox.visitors import LoopbackOnly

PAGE = Path(__file__).parent / "page"


def create_app(config: SandboxConfig) -> Starlette:
    """Build the workspace's application. `config.port` is the port it is served on: addresses are made with it."""
    machine = build(config)
    app = Starlette(
        routes=routes(), lifespan=lifespan, middleware=[Middleware(Hangups), Middleware(LoopbackOnly)]
    )  # fmt: skip
    app.state.machine = machine
    return app


def routes() -> list[BaseRoute]:
    """Return every address of the server."""
    return [
        Route("/", index),
        Route("/api/{method}", answer, methods=["GET", "POST"]),
        WebSocketRoute("/link/", downloads.link),
        Route("/files-pri/{file}/download/{name:path}", downloads.private_file),
        Route("/files-pri/{file}/{name:path}", downloads.private_file),
        Route("/upload/v1/{token}", downloads.upload, methods=["POST"]),
        *[
            Route(f"/{kind}/{{team}}/{{token}}", downloads.response_url, methods=["POST"])
            for kind in ("commands", "actions", "app")
        ],
        Route("/archives/{channel}/{message}", index),
        *human.ROUTES,
        Mount("/page", StaticFiles(directory=PAGE)),
    ]


async def index(request: Request) -> Response:
    """Send the page."""
    del request
    policy = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    return FileResponse(PAGE / "index.html", headers={"content-security-policy": policy, "cache-control": "no-cache"})


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    """Verify the app's address while the server runs, and close what is open at its end."""
    machine: Machine = app.state.machine
    if machine.signed_http is not None:
        machine.deliveries.start(machine.signed_http.verify())
    try:
        yield
    finally:
        await machine.deliveries.close()
        await machine.outside.close()
        if machine.signed_http is not None:
            await machine.signed_http.close()
        machine.store.close()


class Server(uvicorn.Server):
    """A uvicorn server that writes its port once it listens."""

    def __init__(self, config: SandboxConfig, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(config),
                http=CuttableProtocol,
                ws="websockets-sansio",
                lifespan="on",
                log_level="warning",
                timeout_graceful_shutdown=1,
                ws_max_size=1 << 24,
            )
        )
        self._port_file = config.port_file
        self._port = config.port
        self._listener = listener
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say where."""
        await super().startup(sockets)
        if self._port_file is not None:
            beside = self._port_file.with_name(self._port_file.name + ".new")
            beside.write_text(f"{self._port}\n", encoding="utf-8")
            os.replace(beside, self._port_file)  # noqa: PTH105 - read by another process: whole or not at all
        self.listening.set()

    def run_until_stopped(self) -> None:
        """Serve until told to stop."""
        self.run(sockets=[self._listener])


def bind(config: SandboxConfig) -> tuple[SandboxConfig, socket.socket]:
    """Take the port, any free one for 0; returns the configuration with it."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError:
        listener.close()
        raise
    return dataclasses.replace(config, port=listener.getsockname()[1]), listener


def serve(config: SandboxConfig) -> None:
    """Serve a workspace until SIGTERM or SIGINT."""
    bound, listener = bind(config)
    Server(bound, listener).run_until_stopped()


@contextlib.contextmanager
def running(config: SandboxConfig) -> Generator[str]:
    """Serve a workspace in a thread of this process; yields its base URL. For tests."""
    bound, listener = bind(config)
    server = Server(bound, listener)
    thread = threading.Thread(target=server.run_until_stopped, name="sandbox", daemon=True)
    thread.start()
    try:
        if not server.listening.wait(10):
            raise TimeoutError("the local workspace did not start within 10 s")
        yield f"http://{bound.host}:{bound.port}"
    finally:
        server.should_exit = True
        thread.join(10)
