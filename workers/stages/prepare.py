"""requested → uploading: make the very rows that will be trained on, from the dataset that was confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.formats.question import first_question
from finetune.split import split_jsonl
from jobstore.deliveries import Rank, card
from jobstore.records import Ref, Refusal
from jobstore.states import Kind
from workers.stages.endings import cancelled, fail
from workers.stages.probe import contract_of

if TYPE_CHECKING:
    from jobstore.records import Job, Record
    from workers.workshop import Workshop


def prepare(shop: Workshop, record: Record[Job]) -> Record[Job]:
    """Hold rows out for validation with the request's seed, and keep both parts, and one question, as blobs."""
    job, ref = record.data, record.ref
    if record.cancel:
        return cancelled(shop, record)
    if job.request.digest() != job.digest:
        return fail(shop, record, CHANGED)
    blocks = shop.blobs.blocks(ref.team, job.request.sha256)
    dataset = shop.store.get(Ref(ref.team, Kind.DATASET, job.request.dataset))
    split = split_jsonl(
        blocks,
        job.request.holdout_percent / 100,
        job.request.seed,
        filename=dataset.data.filename if dataset else "",
        format_name=job.request.format,
    )
    train, _ = shop.blobs.put(ref.team, split.train)
    valid, valid_bytes = shop.blobs.put(ref.team, split.valid)
    question = first_question(split.valid, contract_of(shop, ref.team, job))
    return shop.store.transition(
        record,
        "uploading",
        record.having(
            train_blob=train,
            valid_blob=valid if valid_bytes else "",
            sample=shop.blobs.put_text(ref.team, question) if question else "",
        ),
        event={"type": "RowsPrepared"},
        deliveries=[card(ref, channel=job.channel, rank=Rank.PROGRESS)],
    )


CHANGED = Refusal(
    code="digest-mismatch",
    message="The request is not the one that was confirmed, so I did not start it.",
    hint="Nothing was charged. Start it again from the dataset's report.",
)
