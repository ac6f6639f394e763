"""mending → checking | unreadable: take one part of a dataset, beside the file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.containers.refusal import UnreadableError
from finetune.splitting.division import Division, Parts
from jobstore.blobs import BlobMissingError
from jobstore.refusals import Refusal
from workers.stages.telling import Telling
from workers.stages.versions import keep, refuse, stem_of, unreadable

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
        stored = shop.blobs.put(team, division.lines(split))
    except BlobMissingError:
        return refuse(shop, told.record, GONE)
    except UnreadableError as error:
        return refuse(shop, told.record, unreadable(error))
    parts = Parts.of(division, split)
    if not parts.own_rows:
        return refuse(shop, told.record, EMPTY)
    return keep(
        shop,
        told.record,
        made,
        stored=stored,
        told=parts,
        rows=parts.own_rows,
        filename=f"{stem_of(made)}-{made.part}.jsonl",
    )
