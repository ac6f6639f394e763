"""Socket Mode: the app's WebSocket connections, and one envelope to one of them."""

import asyncio
import json
import secrets
import uuid
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.delivery import Ack, Envelope
from sandbox.people import APP_ID
from sandbox.store import Store

Json = dict[str, Any]

# How long an app has, after it is told to go, to open its next connection itself.
GRACE_S = 0.3


class SocketMode:
    """The line to an app that connects by itself. Connections take turns; a lost one loses its envelopes' acks."""

    def __init__(self, store: Store, *, shown: bool = True) -> None:
        self._store = store
        self._shown = shown
        self._tickets: set[str] = set()
        self._connections: list[WebSocket] = []
        self._waiting: dict[str, tuple[WebSocket, asyncio.Future[Ack]]] = {}
        self._connected = asyncio.Condition()
        self._turn = 0
        self._show()

    def ticket(self) -> str:
        """Return a single-use ticket for one connection."""
        ticket = str(uuid.UUID(bytes=secrets.token_bytes(16)))
        self._tickets.add(ticket)
        return ticket

    async def ready(self, timeout_s: float) -> bool:
        """Wait until the app has a connection open."""
        if self._connections:
            return True
        try:
            async with asyncio.timeout(timeout_s), self._connected:
                await self._connected.wait_for(lambda: bool(self._connections))
        except TimeoutError:
            return False
        return True

    async def send(self, envelope: Envelope, timeout_s: float) -> Ack:
        """Send one envelope to the next connection in turn, and wait for its acknowledgement."""
        if not self._connections:
            return Ack("not_connected")
        self._turn += 1
        connection = self._connections[self._turn % len(self._connections)]
        envelope_id = str(uuid.uuid4())
        future: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = (connection, future)
        try:
            await connection.send_text(json.dumps(frame(envelope_id, envelope)))
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return Ack("timeout")
        except (WebSocketDisconnect, RuntimeError):
            return Ack("closed")
        finally:
            self._waiting.pop(envelope_id, None)

    async def serve(self, websocket: WebSocket) -> None:
        """Run one connection from hello to its end."""
        ticket = websocket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await websocket.close(4401)
            return
        self._tickets.discard(ticket)
        await websocket.accept()
        await websocket.send_text(json.dumps(self._hello()))
        async with self._connected:
            self._connections.append(websocket)
            self._connected.notify_all()
        self._show()
        try:
            while True:
                self._receive(await websocket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self._drop(websocket)

    async def disconnect(self, reason: str) -> None:
        """Tell every connection to go and then close it, as Slack does; `abrupt` closes without a word."""
        leaving = list(self._connections)
        if reason != "abrupt":
            notice = json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}})
            for connection in leaving:
                await connection.send_text(notice)
            await asyncio.sleep(GRACE_S)
        for connection in leaving:
            if connection in self._connections:
                await connection.close(1011 if reason == "abrupt" else 1000)

    def _receive(self, text: str) -> None:
        try:
            message: Json = json.loads(text)
        except ValueError:
            return
        _, future = self._waiting.get(message.get("envelope_id", ""), (None, None))
        if future is not None and not future.done():
            future.set_result(Ack("acked", message.get("payload") or None))

    def _drop(self, websocket: WebSocket) -> None:
        if websocket in self._connections:
            self._connections.remove(websocket)
        for connection, future in list(self._waiting.values()):
            if connection is websocket and not future.done():
                future.set_result(Ack("closed"))
        self._show()

    def _show(self) -> None:
        if self._shown:  # in HTTP mode that line shows its own state
            self._store.put("connection", "app", {"mode": "socket", "connections": len(self._connections)})

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections) + 1,
            "debug_info": {"host": "local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": APP_ID},
        }


def frame(envelope_id: str, envelope: Envelope) -> Json:
    """Build the frame that carries an envelope over a socket."""
    body: Json = {
        "envelope_id": envelope_id,
        "type": envelope.kind,
        "accepts_response_payload": envelope.kind != "events_api",
        "payload": envelope.payload,
    }
    if envelope.kind == "events_api":
        body |= {"retry_attempt": envelope.retry_num, "retry_reason": envelope.retry_reason}
    return body
