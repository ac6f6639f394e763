"""What a run left from before its end, and the figures that stand there where a provider has no result file.

Nebius' checkpoints carry the figures that OpenAI puts into a CSV, one set an epoch, and the weights as files; a model
is made of one by its name "RUN:CHECKPOINT" (docs.tokenfactory.nebius.com/api-reference/models/create-a-custom-model).
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

import msgspec

from workers.openai_errors import plain_words
from workers.openai_runs import decoded
from workers.provider import ErrorKind, ProviderError, TunedCheckpoint

if TYPE_CHECKING:
    import openai

    from workers.openai_dialects import Dialect

PAGE: Final = 10
PAGE_OF_FIGURES: Final = 100
COLUMNS: Final = (
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)


class SaidCheckpoint(msgspec.Struct):
    """A `fine_tuning.job.checkpoint` object."""

    id: str
    step_number: int
    fine_tuned_model_checkpoint: str | None = None
    metrics: dict[str, float | None] | None = None
    result_files: list[str] | None = None


class SaidCheckpoints(msgspec.Struct):
    """A page of them."""

    data: list[SaidCheckpoint]


def checkpoints(client: openai.OpenAI, run: str, dialect: Dialect) -> list[TunedCheckpoint]:
    """Return a run's checkpoints, the newest first, by the names they can be asked for or made a model of."""
    return [
        TunedCheckpoint(name=_name(run, one, dialect), step=one.step_number)
        for one in newest(client, run, limit=_page(dialect))
    ]


def figures(client: openai.OpenAI, run: str) -> bytes:
    """Return the figures in a run's checkpoints as a result file, `step,train_loss,...`, a row for each."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["step", *COLUMNS])
    for one in newest(client, run)[::-1]:
        found = one.metrics or {}
        writer.writerow([one.step_number, *(found.get(name) for name in COLUMNS)])
    return table.getvalue().encode()


def forget(client: openai.OpenAI, adapter: str) -> None:
    """Delete the weights of a checkpoint, "RUN:CHECKPOINT"; files that are gone already are no error."""
    run, _, checkpoint = adapter.partition(":")
    for one in newest(client, run):
        for file in (one.result_files or []) if one.id == checkpoint else []:
            try:
                with plain_words():
                    client.files.delete(file)
            except ProviderError as error:
                if error.kind is not ErrorKind.MISSING:
                    raise


def newest(client: openai.OpenAI, run: str, *, limit: int = PAGE_OF_FIGURES) -> list[SaidCheckpoint]:
    """Return checkpoints, the newest first whatever order they are listed in; none where there is no such address."""
    try:
        with plain_words():
            answer = client.fine_tuning.jobs.checkpoints.with_raw_response.list(run, limit=limit)
    except ProviderError as error:
        if error.kind is ErrorKind.MISSING:
            return []
        raise
    found = decoded(answer.content, SaidCheckpoints).data
    return sorted(found, key=lambda one: one.step_number, reverse=True)


def _page(dialect: Dialect) -> int:
    return PAGE_OF_FIGURES if dialect.results == "checkpoints" else PAGE


def _name(run: str, one: SaidCheckpoint, dialect: Dialect) -> str:
    return f"{run}:{one.id}" if dialect.adapters else one.fine_tuned_model_checkpoint or one.id
