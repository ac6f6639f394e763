"""Signed HTTP: Slack calls the bot at /slack/events, and a provider at /provider/events where its secret is set."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

import uvicorn
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot import provider_news
from bot.app import Backstage, build

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from slack_bolt import App
    from starlette.requests import Request

    from bot.desk import Desk


def serve_http(desk: Desk, *, token: str, signing_secret: str, host: str, port: int) -> None:
    """Serve signed HTTP at /slack/events until SIGTERM or SIGINT."""
    app = build(desk, token=token, signing_secret=signing_secret)
    backstage = Backstage(desk, app.client)
    backstage.start()
    server = _Server(uvicorn.Config(Starlette(routes=routes(app, desk)), host=host, port=port, log_level="warning"))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: setattr(server, "should_exit", True))
    server.run()
    backstage.stop()


def routes(app: App, desk: Desk) -> list[Route]:
    """Return what is answered: Slack, health checks and, where a provider's secret is set, its webhooks."""
    news = desk.read_webhook and provider_news.endpoint(desk, desk.read_webhook)
    return [
        Route("/slack/events", _endpoint(app), methods=["POST"]),
        Route("/healthz", _health_of(desk)),
        *([Route("/provider/events", news, methods=["POST"])] if news else []),
    ]


class _Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn raises them anew when it is done, and nothing after it would run."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _endpoint(app: App) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        # Bolt answers 500 to a timestamp that is no number
        if not request.headers.get("x-slack-request-timestamp", "").isdigit():
            return Response("invalid timestamp", status_code=401)
        body = await request.body()
        answer = await run_in_threadpool(app.dispatch, to_bolt_request(request, body))
        return to_starlette_response(answer)

    return endpoint


def _health_of(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def healthy(_: Request) -> Response:
        silent = sorted(desk.pulse.silent())
        return JSONResponse({"ok": not silent, "silent": silent}, status_code=503 if silent else 200)

    return healthy
