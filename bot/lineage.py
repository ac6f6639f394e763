"""Where a model comes from: its job, the models it went on from, the dataset and what was mended in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from jobstore.blobs import BlobMissingError
from jobstore.records import Ref
from jobstore.states import Kind
from jobstore.trained_rows import GENERATIONS_MAX, parents_of

if TYPE_CHECKING:
    from bot.desk import Desk
    from jobstore.jobs import Job
    from jobstore.records import Dataset, Record


@dataclass(frozen=True, slots=True)
class Version:
    """A dataset, and the recipe it was made by of the one before (as JSON values); None for a dropped file."""

    dataset: Record[Dataset]
    recipe: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Lineage:
    """`parents`: the jobs whose models were gone on from, the nearest first. `versions`: the dataset, back to its file.

    `validation`: the dataset that measured it, None where its own rows did, or it is no longer kept.
    """

    job: Record[Job]
    parents: tuple[Record[Job], ...]
    versions: tuple[Version, ...]
    validation: Record[Dataset] | None


def lineage_of(desk: Desk, job: Record[Job]) -> Lineage:
    """Return what is still known of where a model comes from."""
    validation = job.data.request.validation
    return Lineage(
        job,
        tuple(parents_of(desk.store, job)),
        tuple(_versions(desk, job.ref.team, job.data.request.dataset)),
        _dataset(desk, job.ref.team, validation.dataset) if validation else None,
    )


def _versions(desk: Desk, team: str, handle: str) -> list[Version]:
    found: list[Version] = []
    now = _dataset(desk, team, handle)
    while now is not None and len(found) < GENERATIONS_MAX:
        made = now.data.made
        found.append(Version(now, _recipe(desk, team, made.recipe) if made else None))
        now = _dataset(desk, team, made.parent) if made else None
    return found


def _dataset(desk: Desk, team: str, handle: str) -> Record[Dataset] | None:
    return desk.store.get(Ref(team, Kind.DATASET, handle))


def _recipe(desk: Desk, team: str, blob: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(desk.blobs.read(team, blob), type=dict[str, Any])
    except BlobMissingError:
        return {}
