"""requested → uploading: make the very rows that will be trained on, from the dataset that was confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from finetune.checking.overlaps import shared_rows
from finetune.containers.rows import Rows
from finetune.formats.preference import as_protocol
from finetune.formats.question import first_question
from finetune.split import split_jsonl
from jobstore.deliveries import Rank, card
from jobstore.records import Ref
from jobstore.refusals import Refusal
from jobstore.states import Kind
from workers.stages.contracts import contract_of
from workers.stages.endings import cancelled, fail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from finetune.launch import TrainRequest, Validation
    from finetune.split import Split
    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.workshop import Workshop


def prepare(shop: Workshop, record: Record[Job]) -> Record[Job]:
    """Make what is trained on and what is measured by, and keep both, and one question, as blobs.

    Measured by is another dataset, none of whose rows may be trained on, or rows held out with the request's seed.
    """
    job, ref = record.data, record.ref
    if record.cancel:
        return cancelled(shop, record)
    if job.request.digest() != job.digest:
        return fail(shop, record, CHANGED)
    parts = _parts(shop, record)
    if (other := job.request.validation) and (shared := _shared(shop, ref.team, job.request, other)):
        return fail(shop, record, overlapping(other.dataset, shared))
    train_blob, _ = shop.blobs.put(ref.team, parts.train())
    valid_blob, valid_bytes = shop.blobs.put(ref.team, parts.valid())
    question = first_question(parts.valid(), contract_of(shop, ref.team, job))
    return shop.store.transition(
        record,
        "uploading",
        record.having(
            train_blob=train_blob,
            valid_blob=valid_blob if valid_bytes else "",
            sample=shop.blobs.put_text(ref.team, question) if question else "",
        ),
        event={"type": "RowsPrepared"},
        deliveries=[card(ref, channel=job.channel, rank=Rank.PROGRESS)],
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is trained on and what is measured by, as lines, read anew from the blobs at each call."""

    train: Callable[[], Iterable[bytes]]
    valid: Callable[[], Iterable[bytes]]


def _parts(shop: Workshop, record: Record[Job]) -> _Parts:
    request = record.data.request
    split = _split(shop, record, request.dataset, request.sha256, request.holdout_percent / 100)
    if request.validation is None:
        return _Parts(lambda: _as_sent(request, split.train), lambda: _as_sent(request, split.valid))
    other = _split(shop, record, request.validation.dataset, request.validation.sha256, 0.0)
    return _Parts(lambda: _as_sent(request, split.train), lambda: _as_sent(request, other.train))


def _split(shop: Workshop, record: Record[Job], dataset: str, sha256: str, fraction: float) -> Split:
    team, request = record.ref.team, record.data.request
    return split_jsonl(
        shop.blobs.blocks(team, sha256),
        fraction,
        request.seed,
        filename=_filename(shop, team, dataset),
        format_name=request.format,
    )


def _filename(shop: Workshop, team: str, dataset: str) -> str:
    kept = shop.store.get(Ref(team, Kind.DATASET, dataset))
    return kept.data.filename if kept else ""


def _shared(shop: Workshop, team: str, request: TrainRequest, other: Validation) -> list[int]:
    """Return the rows of the other dataset, by their numbers in its file, that are trained on as well."""
    learnt, held_out = (
        Rows(shop.blobs.blocks(team, sha256), _filename(shop, team, dataset))
        for dataset, sha256 in ((request.dataset, request.sha256), (other.dataset, other.sha256))
    )
    return shared_rows(learnt, held_out)


def _as_sent(request: TrainRequest, lines: Iterable[bytes]) -> Iterable[bytes]:
    if request.format != "preference":
        return lines
    return (as_protocol(line).rstrip(b"\n") + b"\n" for line in lines)


CHANGED = Refusal(
    code="digest-mismatch",
    message="The request is not the one that was confirmed, so I did not start it.",
    hint="Nothing was charged. Start it again from the dataset's report.",
)
ROWS_NAMED: Final = 10


def overlapping(dataset: str, rows: list[int]) -> Refusal:
    """The refusal of a validation dataset whose lines `rows` are trained on as well."""
    named = ", ".join(map(str, rows[:ROWS_NAMED]))
    more = f" and {len(rows) - ROWS_NAMED:,} more" if len(rows) > ROWS_NAMED else ""
    return Refusal(
        code="train-validation-overlap",
        message=f"Rows {named}{more} of {dataset} are to measure the model, and are trained on as well.",
        hint="Delete them from one of the two files: what was learnt measures nothing.",
    )
