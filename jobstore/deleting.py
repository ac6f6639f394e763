"""A tuned model is deleted for good: a person says so, a worker does it at the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.errors import UserError
from jobstore.deliveries import Rank, card
from jobstore.store import StaleError

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.store import Store


def insist_on_model(record: Record[Job]) -> None:
    """Raise the UserError that says why there is no model to delete."""
    if record.state in {"deleting", "deleted"}:
        raise UserError("deleted-already", f"The model of {record.ref.id} is deleted already.", "Try /tune list.")
    if record.data.open_stay is not None:
        raise UserError("hosted-now", f"The model of {record.ref.id} is hosted.", "Stop hosting first.")
    if "deleting" not in record.at.to:
        raise UserError("no-model", f"{record.ref.id} has no model to delete.", "/tune cancel stops a job.")


def delete_model(store: Store, record: Record[Job], person: str) -> Record[Job]:
    """Record that a ready model is to be deleted, checkpoints included."""
    insist_on_model(record)
    try:
        return store.transition(
            record,
            "deleting",
            record.data,
            event={"type": "DeletionRequested", "person": person},
            deliveries=[card(record.ref, channel=record.data.channel, rank=Rank.MILESTONE)],
            audit={"act": "delete-model", "person": person, "on": record.ref.member, "model": record.data.model},
        )
    except StaleError as error:
        raise UserError(
            "changed-meanwhile", "The job has changed meanwhile.", "Look at its card, and again."
        ) from error
