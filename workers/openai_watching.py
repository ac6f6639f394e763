"""What the follower asks a provider that speaks OpenAI's protocol: runs, pages of runs, and their events.

Answers are decoded by msgspec into the few fields that are followed: through the SDK's own models a page of a hundred
runs costs ten times as much (docs/adr/0020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec
import openai

from workers.openai_errors import plain_words
from workers.provider import ErrorKind, ProviderError, Run, RunEvent, RunStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

EVENTS_FIRST: Final = 20  # what is new since the last look mostly fits; the rest comes by larger pages
EVENTS_PAGE: Final = 100
RUNS_PAGE: Final = 100

STATUSES: Final = {
    "validating_files": RunStatus.WAITING,
    "queued": RunStatus.WAITING,
    "running": RunStatus.RUNNING,
    "pausing": RunStatus.RUNNING,
    "paused": RunStatus.PAUSED,
    "succeeded": RunStatus.SUCCEEDED,
    "failed": RunStatus.FAILED,
    "cancelled": RunStatus.CANCELLED,
}


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Hyperparameters(msgspec.Struct):
    """Numbers, or "auto"."""

    n_epochs: Any = None
    learning_rate_multiplier: Any = None


class _Run(msgspec.Struct):
    id: str
    status: str
    fine_tuned_model: str | None = None
    trained_tokens: int | float | None = None
    result_files: list[str] | None = None
    hyperparameters: _Hyperparameters | None = None
    error: _Error | None = None
    model: str | None = None
    user_provided_suffix: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    created_at: int | float | None = None
    finished_at: int | float | None = None


class _Event(msgspec.Struct):
    id: str
    created_at: int | float = 0
    message: str | None = ""
    type: str | None = ""
    data: Any = None


class _Runs(msgspec.Struct):
    data: list[_Run]
    has_more: bool = False


class _Events(msgspec.Struct):
    data: list[_Event]
    has_more: bool = False


Shape = TypeVar("Shape")


async def run(client: openai.AsyncOpenAI, run_id: str) -> Run:
    """Return a run as it is now."""
    return _as_run(await _asked(client.fine_tuning.jobs.with_raw_response.retrieve(run_id), _Run))


async def pages(client: openai.AsyncOpenAI) -> AsyncIterator[list[Run]]:
    """Yield the account's runs, a page at a time, the newest first."""
    after: str | openai.Omit = openai.omit
    while True:
        page = await _asked(client.fine_tuning.jobs.with_raw_response.list(limit=RUNS_PAGE, after=after), _Runs)
        yield [_as_run(one) for one in page.data]
        if not page.has_more or not page.data:
            return
        after = page.data[-1].id


async def events(client: openai.AsyncOpenAI, run_id: str, *, since_ms: int) -> list[RunEvent]:
    """Return a run's events since then, oldest first; the newest are listed first, so read back until it is reached."""
    found: list[RunEvent] = []
    after: str | openai.Omit = openai.omit
    limit = EVENTS_FIRST if since_ms else EVENTS_PAGE
    while True:
        jobs = client.fine_tuning.jobs.with_raw_response
        page = await _asked(jobs.list_events(run_id, limit=limit, after=after), _Events)
        new = [event for event in map(_as_event, page.data) if event.at_ms >= since_ms]
        found += new
        if not page.has_more or len(new) < len(page.data) or not page.data:
            return found[::-1]
        after, limit = page.data[-1].id, EVENTS_PAGE


async def _asked(answer: Awaitable[Any], shape: type[Shape]) -> Shape:
    with plain_words():
        content: bytes = (await answer).content
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.MsgspecError as error:
        raise ProviderError(
            ErrorKind.RETRY, "unreadable", "The provider's answer cannot be read.", "I'm trying again by myself."
        ) from error


def _as_run(said: _Run) -> Run:
    # `error: {}` is how a run without one is told
    error = said.error if said.error and said.error.code else None
    return Run(
        id=said.id,
        status=STATUSES.get(said.status, RunStatus.RUNNING),
        said=said.status,
        model=said.fine_tuned_model or "",
        epochs=_told(said.hyperparameters.n_epochs) if said.hyperparameters else None,
        rate=_told(said.hyperparameters.learning_rate_multiplier) if said.hyperparameters else None,
        trained_tokens=None if said.trained_tokens is None else int(said.trained_tokens),
        result_file=next(iter(said.result_files or []), ""),
        error_code=(error.code or "") if error else "",
        error_message=(error.message or "") if error else "",
        base=said.model or "",
        suffix=said.user_provided_suffix or "",
        files=tuple(file for file in (said.training_file, said.validation_file) if file),
        created_ms=int((said.created_at or 0) * 1000),
        finished_ms=int((said.finished_at or 0) * 1000),
    )


def _told(value: Any) -> Any:
    """A hyperparameter, None while it is "auto"."""
    return value if isinstance(value, (int, float)) else None


def _as_event(said: _Event) -> RunEvent:
    data = cast("dict[str, Any]", said.data) if said.type == "metrics" and isinstance(said.data, dict) else {}
    return RunEvent(
        id=said.id,
        at_ms=int(said.created_at * 1000),
        message=said.message or "",
        step=int(data.get("step") or 0),
        total_steps=int(data.get("total_steps") or 0),
        train_loss=data.get("train_loss"),
        valid_loss=data.get("full_valid_loss", data.get("valid_loss")),
    )
