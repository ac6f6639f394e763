"""What a model is asked: rows of the frozen test part of its dataset's split, or else rows held out of training.

Never rows that it, or a model that it went on from, was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from finetune.contract import PromptContract
from finetune.evaluation import CLASSES_MIN, EXACT_TASKS, Given, Plan, positive_of
from finetune.held_out import chosen
from finetune.report import Report
from jobstore.blobs import BlobMissingError
from jobstore.trained_rows import dataset_of, frozen_test, parents_of, questions_trained_on, without

if TYPE_CHECKING:
    from collections.abc import Mapping

    from finetune.held_out import HeldOutRow
    from jobstore.blobs import Blobs
    from jobstore.evaluations import Source
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.store import Store


@dataclass(frozen=True, slots=True)
class Questions:
    """What to ask, how many rows there were to draw from, and where they are from."""

    plan: Plan
    total: int
    source: Source


def questions_of(store: Store, blobs: Blobs, record: Record[Job], *, limit: int) -> Questions | None:
    """Return at most `limit` rows to ask a job's model, drawn by its seed.

    None where there are no such rows, or no answer would be right or wrong.
    """
    job, team = record.data, record.ref.team
    contract = PromptContract.from_json(blobs.read(team, job.contract))
    counts = {label.name: label.rows for label in contract.labels}
    is_classifier = len(counts) >= CLASSES_MIN
    if not limit or (not is_classifier and _task(store, blobs, record) not in EXACT_TASKS):
        return None
    rows, total, source = _drawn(store, blobs, record, contract, limit)
    if rows:
        rows, _ = without(rows, questions_trained_on(blobs, team, parents_of(store, record)))
    if not rows:
        return None
    labels = tuple(sorted(counts)) if is_classifier else ()
    positive = _positive(job, counts) if is_classifier else ""
    return Questions(Plan(rows=tuple(rows), labels=labels, positive=positive), total, source)


def questions_before(blobs: Blobs, record: Record[Job]) -> Questions | None:
    """Return the rows that a job's model was asked once it was trained; None where it was asked none, or they are gone.

    They are small and at hand, where drawing rows anew reads a whole dataset.
    """
    found = record.data.evaluation
    if found is None:
        return None
    try:
        plan = msgspec.json.decode(blobs.read(record.ref.team, found.plan), type=Plan)
    except BlobMissingError:
        return None
    return Questions(plan, found.held_out, found.source) if plan.rows else None


def _drawn(
    store: Store, blobs: Blobs, record: Record[Job], contract: PromptContract, limit: int
) -> tuple[list[HeldOutRow], int, Source]:
    """The rows of the test part where there is one that can be asked, else those of validation."""
    sources: tuple[tuple[str, Source], ...] = (
        (frozen_test(store, blobs, record), "test"),
        (record.data.valid_blob, ""),
    )
    for blob, source in sources:
        if not blob:
            continue
        with blobs.open(record.ref.team, blob) as lines:
            rows, total = chosen(lines, contract, limit=limit, seed=record.data.request.seed)
        if rows:
            return rows, total, source
    return [], 0, ""


def _positive(job: Job, counts: Mapping[str, int]) -> str:
    """The class that a person named, else the one that the rows suggest."""
    place = job.request.positive
    return positive_of(counts) if place is None else list(counts)[place]


def _task(store: Store, blobs: Blobs, record: Record[Job]) -> str | None:
    """What the rows teach, as their check inferred it."""
    dataset = dataset_of(store, record)
    if dataset is None or not dataset.data.report:
        return None
    return Report.from_json(blobs.read(record.ref.team, dataset.data.report)).task


def answers_of(blobs: Blobs, record: Record[Job]) -> dict[HeldOutRow, Given]:
    """Return what a job's model has answered to held-out rows already; {} where that was another of its checkpoints."""
    found, team = record.data.evaluation, record.ref.team
    if found is None or not found.answers or record.data.used_step:
        return {}
    try:
        plan = msgspec.json.decode(blobs.read(team, found.plan), type=Plan)
        given = msgspec.json.decode(blobs.read(team, found.answers), type=list[Given])
    except BlobMissingError:
        return {}
    return dict(zip(plan.rows, given, strict=False))
