"""uploading → creating: bring the rows to the provider, unless it has them already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from jobstore.store import Mark
from workers.stages.endings import cancelled

if TYPE_CHECKING:
    from jobstore.records import Job, Record
    from workers.provider import Provider
    from workers.workshop import Workshop


def upload(shop: Workshop, record: Record[Job]) -> Record[Job]:
    """Upload the training rows and, where some are held out, the validation rows."""
    job, ref = record.data, record.ref
    if record.cancel:
        return cancelled(shop, record)
    provider = shop.providers[job.request.provider]
    known = f"files:{provider.name}"
    blobs = [blob for blob in (job.train_blob, job.valid_blob) if blob]
    files = {blob: _at_provider(shop, provider, ref.team, blob, known) for blob in blobs}
    reach("upload.done")
    return shop.store.transition(
        record,
        "creating",
        record.having(train_file=files[job.train_blob], valid_file=files.get(job.valid_blob, ""), note=""),
        event={"type": "RowsUploaded", "provider": provider.name},
        deliveries=[card(ref, channel=job.channel, rank=Rank.PROGRESS)],
        marks=[Mark(hash=known, field=blob, value=file) for blob, file in files.items()],
    )


def _at_provider(shop: Workshop, provider: Provider, team: str, blob: str, known: str) -> str:
    """Return the provider's id for a blob; the same bytes are not uploaded twice."""
    file = shop.store.marked(team, known, blob)
    if file and provider.has_file(file):
        return file
    with shop.blobs.open(team, blob) as rows:
        return provider.upload(rows, f"tuneroom-{blob[:16]}.jsonl")
