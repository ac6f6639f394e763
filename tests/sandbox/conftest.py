"""A local workspace in a thread, and real slack-bolt apps connected to it."""

import dataclasses
import gc
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode.interval_runner import IntervalRunner
from starlette.applications import Starlette
from starlette.routing import Route

from sandbox.client import Person, Workspace
from sandbox.config import SandboxConfig
from sandbox.server import running

BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-of-the-test", "xapp-of-the-test", "signing-secret-of-the-test"


@pytest.fixture
def ack_timeout_s() -> float:
    """How long the workspace waits for an acknowledgement: longer than a slow machine needs.

    A test in which nobody acknowledges parametrizes it.
    """
    return 30.0


@pytest.fixture
def config(tmp_path: Path, ack_timeout_s: float) -> SandboxConfig:
    return SandboxConfig(
        data_dir=tmp_path / "workspace",
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        signing_secret=SECRET,
        ack_timeout_s=ack_timeout_s,
        retry_delays_s=(0.05, 0.05, 0.05),
    )


@pytest.fixture
def url(config: SandboxConfig) -> Generator[str]:
    with running(config) as base_url:
        yield base_url


@pytest.fixture
def workspace(url: str) -> Generator[Workspace]:
    with Workspace(url) as workspace:
        yield workspace


@pytest.fixture
def mina(workspace: Workspace) -> Person:
    return workspace.as_user("mina")


@pytest.fixture
def slack(url: str) -> WebClient:
    """The SDK's client with the bot's token, as an app has it."""
    return WebClient(BOT_TOKEN, base_url=f"{url}/api/")


@pytest.fixture
def app(slack: WebClient) -> App:
    return App(client=slack, signing_secret=SECRET, process_before_response=True)


@pytest.fixture
def connect(workspace: Workspace) -> Generator[Callable[[App], SocketModeHandler]]:
    """Connect an app over Socket Mode, and wait until the workspace sees it."""

    def hang_up(handler: SocketModeHandler) -> None:
        # Its own close() alone may wait 10 s for a read that nothing wakes; a close from this side wakes it.
        handler.client.auto_reconnect_enabled = False
        handler.client.current_session_runner.event.set()
        session = handler.client.current_session.sock
        raw = session.sock if session else None
        workspace.disconnect("abrupt")
        handler.client.current_session_runner.thread.join(20)  # until it has read that, or close() would close under it
        handler.client.message_processor.event.set()
        handler.client.message_queue.put("")  # else it waits a second for a message
        handler.close()
        if raw is not None:
            raw.close()

    with ExitStack() as open_handlers:

        def connect(app: App) -> SocketModeHandler:
            before = (workspace.connection() or {})["connections"]
            handler = SocketModeHandler(app, APP_TOKEN)
            # The SDK looks every half second whether there is a session to read.
            handler.client.current_session_runner.shutdown()
            handler.client.current_session_runner = IntervalRunner(handler.client._run_current_session, 0.01).start()
            # The SDK's monitor looks before the first session is up, and opens a second one in its place.
            handler.client.current_app_monitor_started = True
            open_handlers.callback(hang_up, handler)
            handler.connect()
            workspace.wait_for(lambda w: (w.connection() or {})["connections"] > before)
            return handler

        yield connect
    gc.collect()


@contextmanager
def serving(asgi: Starlette, listener: socket.socket) -> Generator[None]:
    server = uvicorn.Server(uvicorn.Config(asgi, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def http_workspace(config: SandboxConfig) -> Generator[Callable[..., Workspace]]:
    """Serve an app over signed HTTP, with a workspace that posts to it."""
    with ExitStack() as stack:

        def start(listen: Callable[[App], None], secret: str = SECRET) -> Workspace:
            listener = socket.create_server(("127.0.0.1", 0))
            events_url = f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
            base_url = stack.enter_context(running(dataclasses.replace(config, events_url=events_url)))
            app = App(
                client=WebClient(BOT_TOKEN, base_url=f"{base_url}/api/"),
                signing_secret=secret,
                process_before_response=True,
            )
            listen(app)
            handler = SlackRequestHandler(app)
            asgi = Starlette(routes=[Route("/slack/events", handler.handle, methods=["POST"])])
            stack.enter_context(serving(asgi, listener))
            return stack.enter_context(Workspace(base_url))

        yield start
