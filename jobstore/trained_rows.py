"""What models have learnt from: the test part that a split kept from one, and the questions that it was trained on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from finetune.contract import PromptContract
from finetune.formats.question import question_of
from finetune.splitting.division import Division
from jobstore.blobs import BlobMissingError
from jobstore.records import Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.held_out import HeldOutRow
    from jobstore.blobs import Blobs
    from jobstore.jobs import Job
    from jobstore.records import Dataset, Record
    from jobstore.store import Store

GENERATIONS_MAX: Final = 10
PARTS_LOOKED_THROUGH: Final = 500
"""As many datasets as a channel lists."""


def dataset_of(store: Store, record: Record[Job]) -> Record[Dataset] | None:
    """Return the dataset that a job was trained on, None where it is no longer kept."""
    return store.get(Ref(record.ref.team, Kind.DATASET, record.data.request.dataset))


def frozen_test(store: Store, blobs: Blobs, record: Record[Job]) -> str:
    """Return the hash of the test part of the split whose training part a job was trained on; "" where there is none.

    The parts of one split are told by their recipe: the same division of the same dataset, but for the part.
    """
    dataset, team = dataset_of(store, record), record.ref.team
    made = dataset.data.made if dataset else None
    if dataset is None or made is None or made.part != "train":
        return ""
    try:
        division = Division.from_json(blobs.read(team, made.recipe))
        recipe = hashlib.sha256(replace(division, part="test").as_json()).hexdigest()
        for other in store.listed(team, Kind.DATASET, dataset.data.channel, PARTS_LOOKED_THROUGH):
            of = other.data.made
            if of is not None and (of.parent, of.source, of.recipe) == (made.parent, made.source, recipe):
                return _kept(blobs, team, other)
    except BlobMissingError:
        pass
    return ""


def _kept(blobs: Blobs, team: str, part: Record[Dataset]) -> str:
    """The bytes of a part that was made; "" where it was not, or not yet. BlobMissingError where they are gone."""
    if not part.data.sha256 or part.state == "unreadable":
        return ""
    blobs.open(team, part.data.sha256).close()
    return part.data.sha256


def parents_of(store: Store, record: Record[Job]) -> list[Record[Job]]:
    """Return the jobs whose models a job went on from, the nearest first."""
    found: list[Record[Job]] = []
    now: Record[Job] | None = record
    while now is not None and now.data.request.parent and len(found) < GENERATIONS_MAX:
        now = store.get(Ref(record.ref.team, Kind.JOB, now.data.request.parent.job))
        found += [now] if now else []
    return found


def questions_trained_on(blobs: Blobs, team: str, jobs: Iterable[Record[Job]]) -> frozenset[bytes]:
    """Return the marks of the questions that models were trained on; those of rows that are gone are not known."""
    return frozenset(mark for job in jobs for mark in _marks(blobs, team, job.data))


def _marks(blobs: Blobs, team: str, job: Job) -> Iterable[bytes]:
    if not job.train_blob:
        return
    try:
        contract = PromptContract.from_json(blobs.read(team, job.contract))
        with blobs.open(team, job.train_blob) as lines:
            yield from (_mark(question) for line in lines if (question := question_of(line, contract)))
    except BlobMissingError:
        return


def without(rows: Iterable[HeldOutRow], trained_on: frozenset[bytes]) -> tuple[list[HeldOutRow], int]:
    """Return the rows whose questions nobody was trained on, and how many were left out."""
    every = list(rows)
    kept = [row for row in every if _mark(row.question) not in trained_on] if trained_on else every
    return kept, len(every) - len(kept)


def _mark(question: str) -> bytes:
    """The same for questions that differ in capitals and blanks only."""
    return hashlib.blake2b(" ".join(question.casefold().split()).encode(errors="replace"), digest_size=16).digest()
