"""What Together answers, decoded into the few fields that are used, and what of ours it becomes.

The shapes are those of the SDK's `types` (together 3.1.1: `finetune_response`, `fine_tuning_list_response`,
`finetune_event`, `fine_tuning_list_metrics_response`, `fine_tuning_list_checkpoints_response`); the status
`user_error`, which they lack, is in its `lib/types/fine_tuning.py`. The names of figures are those of the examples in
togethercomputer/openapi, and of the SDK's `lib/cli/components/plot_finetune_metrics.py`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from workers.provider import Run, RunEvent, RunStatus
from workers.refusals import unreadable
from workers.run_statuses import status_of

if TYPE_CHECKING:
    from collections.abc import Sequence

METRICS: Final = "metrics:"
"""What the name of a run's figures begins with; Together keeps no result file."""
NANODOLLARS: Final = 1_000_000_000
"""Prices of runs are told in billionths of a dollar (`NANODOLLAR` in `lib/utils/tools.py`)."""
STEP: Final = "train/global_step"
TRAIN_LOSS: Final = "train/loss"
VALID_LOSS: Final = "eval/loss"

STATUSES: Final = {
    "pending": RunStatus.WAITING,
    "queued": RunStatus.WAITING,
    "running": RunStatus.RUNNING,
    "compressing": RunStatus.RUNNING,
    "uploading": RunStatus.RUNNING,
    "cancel_requested": RunStatus.RUNNING,
    "cancelled": RunStatus.CANCELLED,
    "error": RunStatus.FAILED,
    "user_error": RunStatus.FAILED,
    "completed": RunStatus.SUCCEEDED,
}


class ToldEvent(msgspec.Struct):
    """A line of a run's history; it has no id."""

    created_at: str | None = None
    message: str | None = None
    type: str | None = None
    level: str | None = None
    step: int | float | None = None
    total_steps: int | float | None = None
    checkpoint_path: str | None = None

    @property
    def at_ms(self) -> int:
        """When it was, in ms since 1970; 0 where that is not told."""
        return moment_ms(self.created_at)

    @property
    def is_failure(self) -> bool:
        """Whether it says why a run failed."""
        return "error" in (self.type or "").lower() or (self.level or "").lower() == "error"


class ToldRun(msgspec.Struct):
    """A run. In a list, and right after it was created, the names in the registry and the events are missing."""

    id: str
    status: str = ""
    model: str | None = None
    model_object_name: str | None = None
    adapter_object_name: str | None = None
    model_output_name: str | None = None
    suffix: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    n_epochs: int | float | None = None
    learning_rate: float | None = None
    token_count: int | float | None = None
    total_price: int | float | None = None
    created_at: str | None = None
    events: list[ToldEvent] | None = None


class ToldRuns(msgspec.Struct):
    """The account's runs, all of them: this list has no pages."""

    data: list[ToldRun]


class ToldEvents(msgspec.Struct):
    """A run's history, all of it."""

    data: list[ToldEvent]


class ToldMetrics(msgspec.Struct):
    """A run's figures, in the order in which they were made; training and evaluation have rows of their own."""

    metrics: list[dict[str, Any]] | None = None


class ToldCheckpoint(msgspec.Struct):
    """A checkpoint; `checkpoint_type` says in words whether it is the final one."""

    step: int | float = 0
    checkpoint_type: str = ""


class ToldCheckpoints(msgspec.Struct):
    """A run's checkpoints."""

    data: list[ToldCheckpoint]


Told = TypeVar("Told")


def decoded(content: bytes, shape: type[Told]) -> Told:
    """Return an answer in its shape; ProviderError (RETRY) where it has another."""
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.MsgspecError as error:
        raise unreadable() from error


def as_run(told: ToldRun) -> Run:
    """Return a run as it was told."""
    status = status_of(told.status, STATUSES)
    succeeded = status is RunStatus.SUCCEEDED
    failure = _failure(told) if status is RunStatus.FAILED else ""
    return Run(
        id=told.id,
        status=status,
        said=told.status,
        model=_model(told) if succeeded else "",
        trained_tokens=None if told.token_count is None else int(told.token_count),
        epochs=None if told.n_epochs is None else int(told.n_epochs),
        rate=told.learning_rate,
        result_file=f"{METRICS}{told.id}" if succeeded else "",
        error_code=told.status.replace("_", "-") if status is RunStatus.FAILED else "",
        error_message=failure,
        base=told.model or "",
        suffix=told.suffix or "",
        files=tuple(file for file in (told.training_file, told.validation_file) if file),
        created_ms=moment_ms(told.created_at),
        cost_usd=told.total_price / NANODOLLARS if status.has_ended and told.total_price is not None else None,
    )


def _model(told: ToldRun) -> str:
    """The whole model where there is one, else the adapter, else the name that older accounts know it by."""
    return told.model_object_name or told.adapter_object_name or told.model_output_name or ""


def _failure(told: ToldRun) -> str:
    events = sorted(told.events or (), key=lambda event: event.at_ms)
    return next((event.message for event in reversed(events) if event.is_failure and event.message), "")


def as_events(told: Sequence[ToldEvent], *, since_ms: int) -> list[RunEvent]:
    """Return a run's history from then on, oldest first.

    An id is made of all that an event says; two that say the same are told apart by their order, which does not
    change, since a history only grows.
    """
    seen: Counter[str] = Counter()
    events: list[RunEvent] = []
    for event in told:
        said = msgspec.json.encode(event)
        digest = hashlib.sha256(said).hexdigest()[:32]
        seen[digest] += 1
        events.append(
            RunEvent(
                id=f"{digest}-{seen[digest]}",
                at_ms=event.at_ms,
                message=event.message or "",
            )
        )
    return sorted((event for event in events if event.at_ms >= since_ms), key=lambda event: event.at_ms)


def total_steps(told: Sequence[ToldEvent]) -> int:
    """Return how many steps a run takes in all, 0 where its history does not say (yet)."""
    return max((int(event.total_steps or 0) for event in told), default=0)


def as_metrics(rows: Sequence[dict[str, Any]], *, at_ms: int, total: int) -> list[RunEvent]:
    """Return figures as events of the moment `at_ms`: rows have no time of their own, but a kind and a step."""
    events: list[RunEvent] = []
    for row in rows:
        step, train, valid = (row.get(name) for name in (STEP, TRAIN_LOSS, VALID_LOSS))
        if step is None or (train is None and valid is None):
            continue
        kind = "train" if valid is None else "eval"
        events.append(
            RunEvent(
                id=f"{kind}-{int(step)}",
                at_ms=at_ms,
                message="",
                step=int(step),
                total_steps=total,
                train_loss=train,
                valid_loss=valid,
            )
        )
    return events


def table_of(rows: Sequence[dict[str, Any]]) -> bytes:
    """Return a run's figures as the table that other providers give as a result file: a line a step, "" for nothing."""
    steps: dict[int, dict[str, Any]] = {}
    for row in rows:
        if row.get(STEP) is not None:
            steps.setdefault(int(row[STEP]), {}).update(row)
    lines = [f"{step},{_cell(row, TRAIN_LOSS)},{_cell(row, VALID_LOSS)}" for step, row in sorted(steps.items())]
    return "\n".join(["step,train_loss,valid_loss", *lines, ""]).encode()


def _cell(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else repr(float(value))


def moment_ms(told: str | None) -> int:
    """Return a moment in ms since 1970, 0 where it cannot be read; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
