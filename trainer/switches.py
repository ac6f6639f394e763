"""Switches that make this provider as awkward as a real one, for tests and demonstrations; all are off by default.

A lagging list shows a job only some seconds after it was created, as eventually consistent services do. A lost reply
is work that was done and whose answer never came: the connection is dropped in its place, once for each time asked.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from starlette.responses import JSONResponse
from starlette.routing import Route

from trainer.requests import Body, read_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Call(Body):
    """Requests by method and path; `*` in the path stands for anything."""

    method: Literal["GET", "POST", "DELETE"]
    path: Annotated[str, Field(pattern="^/v1/")]

    def fits(self, scope: Scope) -> bool:
        return scope["method"] == self.method and fnmatch.fnmatchcase(scope["path"], self.path)


class SwitchesRequest(Body):
    """What to change; what is left out stays as it is."""

    list_lag_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    lose_replies: list[Call] | None = None


@dataclass(slots=True)
class Switches:
    """How the trainer misbehaves just now: `list_lag_s` in seconds, and the calls whose next reply will be lost."""

    list_lag_s: float = 0.0
    lose_replies: list[Call] = field(default_factory=list[Call])

    def public(self) -> dict[str, object]:
        return {"list_lag_s": self.list_lag_s, "lose_replies": [call.model_dump() for call in self.lose_replies]}

    def take_lost(self, scope: Scope) -> bool:
        """Whether the reply to this request is to be lost; the next one like it is not."""
        for call in self.lose_replies:
            if call.fits(scope):
                self.lose_replies.remove(call)
                return True
        return False


class LostReplies:
    """Middleware that lets the work be done and then hangs up, where a switch says so."""

    def __init__(self, app: ASGIApp, switches: Switches) -> None:
        self._app, self._switches = app, switches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._switches.take_lost(scope):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, swallow)
        scope["app"].state.hang_up(scope["client"])
        while (await receive())["type"] != "http.disconnect":
            pass  # the server would answer 500 for an application that ends while the line still stands


async def swallow(_: Message) -> None:
    pass


async def show_switches(request: Request) -> Response:
    switches: Switches = request.app.state.switches
    return JSONResponse(switches.public())


async def set_switches(request: Request) -> Response:
    switches: Switches = request.app.state.switches
    asked = await read_body(request, SwitchesRequest)
    if asked.list_lag_s is not None:
        switches.list_lag_s = asked.list_lag_s
    if asked.lose_replies is not None:
        switches.lose_replies = list(asked.lose_replies)
    return JSONResponse(switches.public())


ROUTES = [
    Route("/trainer/switches", show_switches, methods=["GET"]),
    Route("/trainer/switches", set_switches, methods=["POST"]),
]
