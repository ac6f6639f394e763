"""mending → checking | unreadable: take one part of a dataset, beside the file itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from finetune.containers.refusal import UnreadableError
from finetune.splitting.division import Division, Parts
from jobstore.blobs import BlobMissingError
from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from jobstore.records import Refusal
from workers.stages.telling import Telling

if TYPE_CHECKING:
    from jobstore.records import Dataset, Made, Record
    from workers.workshop import Workshop

GONE: Final = Refusal(
    code="bytes-gone",
    message="The file that it is a part of is no longer kept.",
    hint="Drop it here once more, and split that.",
)
EMPTY: Final = Refusal(
    code="nothing-left",
    message="No row is left for it: ten are needed to train on, and rows that belong together stay together.",
    hint="Add rows, or ask for fewer parts.",
)


def divide(shop: Workshop, record: Record[Dataset], made: Made) -> Record[Dataset]:
    """Divide the dataset that a version is a part of, and keep that part; the others are datasets of their own."""
    team = record.ref.team
    told = Telling(shop, record)
    try:
        division = Division.from_json(shop.blobs.read(team, made.recipe))
        split = division.split(shop.blobs.blocks(team, made.source), made.source_name, on_row=told.rows)
        sha256, size = shop.blobs.put(team, division.lines(split))
    except BlobMissingError:
        return _refuse(shop, told.record, GONE)
    except UnreadableError as error:
        refusal = error.refusal
        return _refuse(shop, told.record, Refusal(code=refusal.code, message=refusal.message, hint=refusal.hint))
    parts = Parts.of(division, split)
    if not parts.own_rows:
        return _refuse(shop, told.record, EMPTY)
    stored, _ = shop.blobs.put(team, [msgspec.json.encode(parts)])
    reach("mend.done")
    return shop.store.transition(
        told.record,
        "checking",
        told.record.having(
            sha256=sha256,
            size_bytes=size,
            rows_seen=0,
            filename=_filename(made),
            made=replace(made, difference=stored),
        ),
        event={"type": "VersionMade", "sha256": sha256, "rows": parts.own_rows},
    )


def _filename(made: Made) -> str:
    """Return what a part's file is called: "tickets.csv" becomes "tickets-test.jsonl"."""
    stem = made.source_name.removesuffix(".gz").rpartition(".")[0] or made.source_name
    return f"{stem}-{made.part}.jsonl"


def _refuse(shop: Workshop, record: Record[Dataset], refusal: Refusal) -> Record[Dataset]:
    data = record.data
    return shop.store.transition(
        record,
        "unreadable",
        record.having(refusal=refusal),
        event={"type": "DatasetUnreadable", "code": refusal.code},
        deliveries=[card(record.ref, channel=data.channel, thread_ts=data.message_ts, rank=Rank.TERMINAL)],
    )
