"""What the follower asks Together: runs, the list of runs, their history and figures.

Answers are decoded by msgspec into the few fields that are followed, as with the other protocol (docs/adr/0020).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workers.provider import ErrorKind, ProviderError, RunStatus
from workers.together_errors import plain_words
from workers.together_shapes import (
    STATUSES,
    ToldEvents,
    ToldMetrics,
    ToldRun,
    ToldRuns,
    as_events,
    as_metrics,
    as_run,
    decoded,
    total_steps,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    import together

    from workers.provider import Run, RunEvent, Turn

ROWS_MAX: Final = 40
"""How many rows of figures a look takes in at most, the newest: more would not be remembered as seen."""


async def run(client: together.AsyncTogether, run_id: str) -> Run:
    """Return a run as it is now; of one that failed, why is in its history."""
    told = decoded(await _asked(client.fine_tuning.with_raw_response.retrieve(run_id)), ToldRun)
    if STATUSES.get(told.status) is RunStatus.FAILED and not told.events:
        history = decoded(await _asked(client.fine_tuning.with_raw_response.list_events(run_id)), ToldEvents)
        told = msgspec.structs.replace(told, events=history.data)
    return as_run(told)


async def pages(client: together.AsyncTogether) -> AsyncIterator[list[Run]]:
    """Yield the account's runs, the newest first, as one page: this list has no pages.

    Of runs that have ended it tells neither the model's name in the registry nor why they failed.
    """
    told = decoded(await _asked(client.fine_tuning.with_raw_response.list()), ToldRuns)
    yield newest_first(told.data)


def newest_first(told: Sequence[ToldRun]) -> list[Run]:
    """Return a list's runs in the order that is promised: Together does not say in which order it lists them."""
    return sorted(map(as_run, told), key=lambda one: one.created_ms, reverse=True)


async def events(
    client: together.AsyncTogether, run_id: str, *, since_ms: int, turn: Turn | None = None
) -> list[RunEvent]:
    """Return a run's history and its figures since then, oldest first.

    Figures have no time of their own, but can be asked for since a moment. They are given the moment of the answer by
    the provider's own clock, which is where the next look begins, so that each row is taken in once.
    """
    history = decoded(await _asked(client.fine_tuning.with_raw_response.list_events(run_id)), ToldEvents).data
    if turn is not None:
        await turn()
    since: dict[str, Any] = {"logged_at_from": datetime.fromtimestamp(since_ms / 1000, UTC)} if since_ms else {}
    try:
        with plain_words():
            answer = await client.fine_tuning.with_raw_response.list_metrics(run_id, **since)
    except ProviderError as error:
        if error.kind is ErrorKind.MISSING:  # a run that has not begun to train may have none
            return as_events(history, since_ms=since_ms)
        raise
    rows = decoded(answer.http_response.content, ToldMetrics).metrics or []
    at_ms = max(_date_ms(answer.headers.get("date", "")), since_ms)
    figures = as_metrics(rows[-ROWS_MAX:], at_ms=at_ms, total=total_steps(history))
    return sorted([*as_events(history, since_ms=since_ms), *figures], key=lambda event: event.at_ms)


async def cancel(client: together.AsyncTogether, run_id: str) -> None:
    """Ask for a run's end."""
    with plain_words():
        await client.fine_tuning.cancel(run_id)


async def _asked(answer: Awaitable[Any]) -> bytes:
    with plain_words():
        return (await answer).http_response.content


def _date_ms(told: str) -> int:
    try:
        return int(parsedate_to_datetime(told).timestamp() * 1000)
    except ValueError:
        return int(time.time() * 1000)
