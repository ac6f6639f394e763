"""Socket Mode: the bot calls Slack, and Slack sends through that."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from websocket import WebSocketException

from bot.app import Backstage, build

if TYPE_CHECKING:
    from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler

    from bot.desk import Desk
    from jobstore.pulse import Pulse

CONNECT_S: Final = 10.0
LOOK_S: Final = 5.0
LOOP: Final = "socket"


def serve_socket_mode(desk: Desk, *, token: str, app_token: str) -> None:
    """Serve by Socket Mode until SIGTERM or SIGINT."""
    # websocket-client's adapter comes back faster after `refresh_requested` than the SDK's own (docs/adr/0007)
    from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler  # noqa: PLC0415

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # from a thread: set in the handler itself, an Event deadlocks where the signal met the wait below
        signal.signal(number, lambda _number, _frame: threading.Thread(target=stop.set).start())
    app = build(desk, token=token, signing_secret="")
    backstage = Backstage(desk, app.client)
    backstage.start()
    handler = SocketModeHandler(app, app_token)
    _connect(handler, stop)
    _stay(handler, stop, desk.pulse)
    _hang_up(handler)
    backstage.stop()


def _connect(handler: SocketModeHandler, stop: threading.Event) -> None:
    """Open one connection, and have it watched from then on.

    The SDK's monitor looks before the first connection is up, and would open a second one in its place; what Slack
    sends to the first in the meantime is lost.
    """
    client: Any = handler.client
    client.current_app_monitor_started = True
    handler.connect()
    deadline = time.monotonic() + CONNECT_S
    while not client.is_connected() and time.monotonic() < deadline and not stop.is_set():
        stop.wait(0.02)
    client.current_app_monitor.start()


def _stay(handler: SocketModeHandler, stop: threading.Event, pulse: Pulse) -> None:
    """Wait for the end; meanwhile a health check learns whether Slack can reach us."""
    client: Any = handler.client
    pulse.beat(LOOP)
    while not stop.wait(LOOK_S):
        if client.is_connected():
            pulse.beat(LOOP)


def _hang_up(handler: SocketModeHandler) -> None:
    """Close the connection and wake its reader, which the SDK's own close leaves waiting until its next ping."""
    client: Any = handler.client
    client.auto_reconnect_enabled = False
    connection = client.current_session.sock if client.is_connected() else None
    if connection is not None:
        with contextlib.suppress(OSError, WebSocketException):
            connection.send_close()
            connection.sock.shutdown(socket.SHUT_RDWR)
    handler.close()
