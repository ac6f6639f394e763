"""The server's connections, so that one can be cut where a reply should have been."""

import asyncio

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class HungUp(Exception):  # noqa: N818 - it is what happened, not an error of ours
    """The work is done, and the caller is not told: its connection is closed without an answer."""


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose open connections can be found by their peer's address."""

    open_transports: dict[tuple[str, int], asyncio.Transport] = {}  # noqa: RUF012 - one server a process

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection."""
        super().connection_made(transport)
        self.open_transports[transport.get_extra_info("peername")[:2]] = transport

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Forget a connection that becomes a WebSocket: another protocol has it from here."""
        self._forget()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        self.open_transports.pop(self.transport.get_extra_info("peername")[:2], None)


class Hangups:
    """ASGI middleware that cuts the connection of a request that ends in HungUp."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, and cut its connection if that is how it ends."""
        try:
            await self._app(scope, receive, send)
        except HungUp:
            transport = CuttableProtocol.open_transports.get(tuple(scope["client"]))
            if transport is not None:
                transport.abort()
            while (await receive())["type"] != "http.disconnect":
                pass
