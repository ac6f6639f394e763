"""Who may speak to the workspace: this machine's own programs, and its own page."""

from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.config import is_loopback


class LoopbackOnly:
    """ASGI middleware: refuses other names for this host (rebinding), and other sites' pages (no login protects us)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 403."""
        if scope["type"] in {"http", "websocket"} and not allowed(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4403})
                return
            refusal = PlainTextResponse("this workspace answers on loopback, and to its own page, only", 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def allowed(scope: Scope) -> bool:
    """Judge a request by its Host and Origin headers."""
    headers: dict[bytes, str] = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    origin = headers.get(b"origin")
    if not is_loopback(urlsplit(f"//{host}").hostname or ""):
        return False
    return origin is None or urlsplit(origin).netloc == host
