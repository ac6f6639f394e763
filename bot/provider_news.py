"""Where a provider's webhooks arrive, beside Slack's: a run that it tells of is looked at now, not at its next turn.

Nothing of what is told is believed but that there is news: the follower asks the provider, as ever.
"""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from jobstore.connections import UNAVAILABLE
from jobstore.keys import runs_hash
from jobstore.records import Ref
from jobstore.states import Actor, Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from starlette.requests import Request

    from bot.desk import Desk
    from jobstore.store import Store

log = logging.getLogger(__name__)


def endpoint(desk: Desk, read: Callable[[bytes, Mapping[str, str]], str]) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a provider's webhook; `read` checks the signature and names the run."""

    async def take(request: Request) -> Response:
        body = await request.body()
        try:
            run = await run_in_threadpool(read, body, request.headers)
            if run:
                await run_in_threadpool(hasten, desk.store, desk.providers, run)
        except PermissionError:
            return Response("invalid signature", status_code=401)
        except UNAVAILABLE:
            return Response("try again", status_code=503)  # the provider tells it again
        return Response(status_code=200)

    return take


def hasten(store: Store, providers: Iterable[str], run: str) -> None:
    """Have a run looked at now, whosever it is; one that nobody follows (any more) is left alone."""
    for team, provider in itertools.product(store.teams(), providers):
        if (handle := store.marked(team, runs_hash(provider), run)) is not None:
            log.info("provider.told", extra={"team": team, "ref": f"{Kind.JOB.value}:{handle}"})
            store.hasten(team, Actor.FOLLOWER, [Ref(team, Kind.JOB, handle)])
