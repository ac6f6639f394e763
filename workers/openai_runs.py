"""A run as OpenAI's protocol tells of it, whoever speaks it, read into the few fields that are followed.

Answers are decoded by msgspec: through the SDK's own models a page of a hundred runs costs ten times as much
(docs/adr/0020). Providers leave out, or give as null, much of what the SDK's models insist on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from workers.provider import Run, RunStatus, code_of
from workers.refusals import no_answer, unreadable
from workers.run_statuses import status_of

if TYPE_CHECKING:
    from workers.openai_dialects import Dialect

STATUSES: Final = {
    "created": RunStatus.WAITING,  # Azure's, with "pending" and "resuming"
    "pending": RunStatus.WAITING,
    "validating_files": RunStatus.WAITING,
    "queued": RunStatus.WAITING,
    "running": RunStatus.RUNNING,
    "pausing": RunStatus.RUNNING,
    "resuming": RunStatus.RUNNING,
    "paused": RunStatus.PAUSED,
    "succeeded": RunStatus.SUCCEEDED,
    "failed": RunStatus.FAILED,
    "cancelled": RunStatus.CANCELLED,
    "canceled": RunStatus.CANCELLED,
}

FIGURES_OF: Final = "checkpoints-of:"
"""What stands in the place of a result file where a run's figures stand in its checkpoints."""


class SaidError(msgspec.Struct):
    """Why a run failed."""

    code: str | int | None = None
    message: str | None = None


class SaidSettings(msgspec.Struct):
    """Hyperparameters: numbers, or "auto", or -1 for it."""

    n_epochs: Any = None
    learning_rate_multiplier: Any = None
    learning_rate: Any = None


class SaidOfMethod(msgspec.Struct):
    """What a method was asked for with."""

    hyperparameters: SaidSettings | None = None


class SaidMethod(msgspec.Struct):
    """By which method a run learns; of all but `supervised` the hyperparameters are told here alone."""

    supervised: SaidOfMethod | None = None
    dpo: SaidOfMethod | None = None
    reinforcement: SaidOfMethod | None = None


class SaidRun(msgspec.Struct):
    """A `fine_tuning.job` object."""

    id: str
    status: str
    fine_tuned_model: str | None = None
    trained_tokens: int | float | None = None
    result_files: list[str] | None = None
    hyperparameters: SaidSettings | None = None
    method: msgspec.Raw = msgspec.Raw(b"null")  # read when it is needed; some say its name alone
    error: SaidError | None = None
    model: str | None = None
    user_provided_suffix: str | None = None
    suffix: str | None = None
    training_file: str | None = None
    validation_file: str | None = None
    created_at: int | float | None = None
    finished_at: int | float | None = None
    metadata: dict[str, Any] | None = None


class SaidRuns(msgspec.Struct):
    """A page of them."""

    data: list[SaidRun]
    has_more: bool = False


Shape = TypeVar("Shape")


def decoded(content: bytes, shape: type[Shape], *, is_paid: bool = False) -> Shape:
    """Return an answer in its shape; where one that cannot be read may have been paid for, nobody knows what it did."""
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.MsgspecError as error:
        try:
            return msgspec.json.decode(_without_nan(content), type=shape)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise (no_answer() if is_paid else unreadable()) from error


def _without_nan(content: bytes) -> bytes:
    """The same JSON with null for NaN and Infinity, which are none: a loss that diverged must not end the following."""
    return msgspec.json.encode(json.loads(content, parse_constant=lambda _: None))


def run_of(said: SaidRun, dialect: Dialect) -> Run:
    """Return a run as the port knows it."""
    # `error: {}` is how a run without one is told
    error = said.error if said.error and said.error.code else None
    settings, chosen = said.hyperparameters or SaidSettings(), _settings_of_method(said)
    return Run(
        id=said.id,
        status=status_of(said.status, STATUSES),
        said=said.status,
        model=said.fine_tuned_model or "",
        epochs=_told(settings.n_epochs) or _told(chosen.n_epochs),
        rate=_rate(settings) or _rate(chosen),
        trained_tokens=None if said.trained_tokens is None else int(said.trained_tokens),
        result_file=_result_file(said, dialect),
        error_code=code_of(error.code) if error else "",
        error_message=(error.message or "") if error else "",
        base=said.model or "",
        suffix=said.user_provided_suffix or said.suffix or "",
        files=tuple(file for file in (said.training_file, said.validation_file) if file),
        created_ms=int((said.created_at or 0) * 1000),
        finished_ms=int((said.finished_at or 0) * 1000),
    )


def _result_file(said: SaidRun, dialect: Dialect) -> str:
    if dialect.results == "checkpoints":  # `result_files` are weights there
        return f"{FIGURES_OF}{said.id}"
    return next(iter(said.result_files or []), "")


def _settings_of_method(said: SaidRun) -> SaidSettings:
    """The hyperparameters within whichever method it is; none where they are told in another shape."""
    try:
        method = msgspec.json.decode(said.method, type=SaidMethod)
    except msgspec.MsgspecError:
        return SaidSettings()
    of_method = method.supervised or method.dpo or method.reinforcement
    return (of_method.hyperparameters if of_method else None) or SaidSettings()


def _rate(settings: SaidSettings) -> Any:
    return _told(settings.learning_rate_multiplier) or _told(settings.learning_rate)


def _told(value: Any) -> Any:
    """A hyperparameter, None while it is left to the provider."""
    return value if isinstance(value, (int, float)) and value > 0 else None
