"""What the follower asks a provider that speaks OpenAI's protocol: runs, pages of runs, and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec
import openai

from workers.openai_errors import plain_words
from workers.openai_runs import SaidRun, SaidRuns, decoded, run_of
from workers.provider import RunEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence

    from workers.openai_dialects import Dialect
    from workers.provider import Run, Turn

EVENTS_LEAST: Final = 20
EVENTS_PAGE: Final = 100
EVENTS_SPARE: Final = 1.3
"""How many more events are asked for than are expected: a second page is a second call."""
RUNS_PAGE: Final = 100


class _Event(msgspec.Struct):
    id: str
    created_at: int | float = 0
    message: str | None = ""
    type: str | None = ""
    data: Any = None


class _Events(msgspec.Struct):
    data: list[_Event]
    has_more: bool = False


Shape = TypeVar("Shape")


async def run(client: openai.AsyncOpenAI, run_id: str, dialect: Dialect) -> Run:
    """Return a run as it is now."""
    return run_of(await _asked(client.fine_tuning.jobs.with_raw_response.retrieve(run_id), SaidRun), dialect)


async def steered(answer: Awaitable[Any], dialect: Dialect) -> Run:
    """Return a run as it is after it was told to pause, to go on or to end."""
    return run_of(await _asked(answer, SaidRun), dialect)


async def pages(client: openai.AsyncOpenAI, dialect: Dialect) -> AsyncIterator[list[Run]]:
    """Yield the account's runs, a page at a time, the newest first."""
    after: str | openai.Omit = openai.omit
    while True:
        page = await _asked(client.fine_tuning.jobs.with_raw_response.list(limit=RUNS_PAGE, after=after), SaidRuns)
        yield [run_of(one, dialect) for one in page.data]
        if not page.has_more or not page.data or page.data[-1].id == after:  # the last: not everybody turns the page
            return
        after = page.data[-1].id


async def events(
    client: openai.AsyncOpenAI, run_id: str, *, since_ms: int, expected: int = 0, turn: Turn | None = None
) -> list[RunEvent]:
    """Return a run's events since then, oldest first.

    OpenAI lists the newest first, so it is read back until that moment is reached. In the examples of others the oldest
    come first: there it is read to the end.
    """
    found: list[RunEvent] = []
    after: str | openai.Omit = openai.omit
    wanted = int(expected * EVENTS_SPARE) if since_ms else EVENTS_PAGE
    limit = min(EVENTS_PAGE, max(EVENTS_LEAST, wanted))
    while True:
        jobs = client.fine_tuning.jobs.with_raw_response
        page = await _asked(jobs.list_events(run_id, limit=limit, after=after), _Events)
        listed = [_as_event(event) for event in page.data]
        rises = len(listed) > 1 and listed[0].at_ms < listed[-1].at_ms
        found = [*found, *listed] if rises else [*listed[::-1], *found]
        is_reached = not rises and any(event.at_ms < since_ms for event in listed)
        if not page.has_more or is_reached or not page.data or page.data[-1].id == after:
            return _in_order(found, since_ms)
        after, limit = page.data[-1].id, EVENTS_PAGE
        if turn is not None:
            await turn()


def _in_order(found: Sequence[RunEvent], since_ms: int) -> list[RunEvent]:
    """Each event once, oldest first; those of one second as they were listed."""
    new = {event.id: event for event in found if event.at_ms >= since_ms}
    return sorted(new.values(), key=lambda event: event.at_ms)


async def _asked(answer: Awaitable[Any], shape: type[Shape]) -> Shape:
    with plain_words():
        content: bytes = (await answer).content
    return decoded(content, shape)


def _as_event(said: _Event) -> RunEvent:
    data = cast("dict[str, Any]", said.data) if said.type == "metrics" and isinstance(said.data, dict) else {}
    return RunEvent(
        id=said.id,
        at_ms=int(said.created_at * 1000),
        message=said.message or "",
        step=int(data.get("step") or 0),
        total_steps=int(data.get("total_steps") or 0),
        train_loss=_figure(data, "train_loss"),
        valid_loss=_figure(data, "full_valid_loss", "valid_loss"),
    )


def _figure(data: dict[str, Any], *names: str) -> float | None:
    """The first of some figures that is one: they may be null, or left out."""
    return next((data[name] for name in names if isinstance(data.get(name), int | float)), None)
