"""Which of a run's models answers: the finished one, or a checkpoint that a person put in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.errors import UserError
from jobstore.deliveries import Rank, card, post
from jobstore.store import StaleError

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.store import Store


def use_checkpoint(store: Store, record: Record[Job], person: str, step: int) -> Record[Job]:
    """Let the checkpoint at `step` answer from now on, or the finished model for 0; the thread and the audit say so.

    UserError where the model is not ready, there is no such checkpoint (any more), or somebody chose meanwhile.
    """
    job, ref = record.data, record.ref
    if record.state == "hosted":
        raise UserError("hosted-now", f"The model of {ref.id} is hosted as it is.", "Stop hosting, and choose again.")
    if record.state not in {"ready", "asleep"}:
        raise UserError("not-ready", f"The model of {ref.id} is not ready yet.", "Press it again once it answers.")
    if step and step not in {one.step for one in job.checkpoints}:
        raise UserError("checkpoint-gone", f"{ref.id} has no checkpoint at step {step}.", "Its details list them.")
    if step == job.used_step:
        return record
    try:
        return store.transition(
            record,
            record.state,
            record.having(used_step=step),
            event={"type": "CheckpointChosen", "person": person, "step": step},
            deliveries=[
                card(ref, channel=job.channel, rank=Rank.MILESTONE),
                post(ref, "checkpoint", channel=job.channel, rank=Rank.MILESTONE, once=str(record.version + 1)),
            ],
            audit={"act": "use-checkpoint", "person": person, "on": ref.member, "step": step},
        )
    except StaleError as error:
        raise UserError(
            "chosen-meanwhile",
            "Somebody else chose a checkpoint just now.",
            "Look at the job's card, and choose again.",
        ) from error
