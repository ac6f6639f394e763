"""deleting → deleted: the model and its checkpoints are deleted at the provider; what is gone already is no error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobstore.deliveries import Rank, card, post
from jobstore.hosting import shown
from workers.stages.hosting import needs_host

if TYPE_CHECKING:
    from jobstore.deliveries import Delivery
    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.workshop import Workshop


def delete(shop: Workshop, record: Record[Job]) -> Record[Job]:
    """Delete the checkpoints first: while the model is there, a person still sees what remains to be done."""
    job = record.data
    provider = shop.providers[job.request.provider]
    for name in dict.fromkeys([*(point.name for point in job.checkpoints), job.model]):
        provider.delete_model(name)
    return shop.store.transition(
        record,
        "deleted",
        record.having(checkpoints=(), note=""),
        event={"type": "ModelDeleted"},
        deliveries=[
            *(shown(record.ref, job.channel, Rank.TERMINAL) if needs_host(shop, job) else [_card(record)]),
            post(record.ref, "deleted", channel=job.channel, rank=Rank.MILESTONE),
        ],
    )


def _card(record: Record[Job]) -> Delivery:
    return card(record.ref, channel=record.data.channel, rank=Rank.TERMINAL)
