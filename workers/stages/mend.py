"""mending → checking | unreadable: make a new version of a dataset, beside the file it is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from finetune.containers.refusal import UnreadableError
from finetune.mending import Mending, Recipe
from jobstore.blobs import BLOCK_BYTES, BlobMissingError
from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from jobstore.records import Refusal
from workers.stages.divide import divide
from workers.stages.telling import Telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jobstore.records import Dataset, Made, Record
    from workers.workshop import Workshop

GONE: Final = Refusal(
    code="bytes-gone",
    message="The file that it is made of is no longer kept.",
    hint="Drop it here once more, and mend that.",
)
NOTHING: Final = Refusal(
    code="nothing-to-change", message="It would be the same file: there is nothing to change.", hint=""
)
EMPTY: Final = Refusal(
    code="nothing-left", message="No row would be left.", hint="Mend the rows in the file itself, and drop it again."
)


def mend(shop: Workshop, record: Record[Dataset]) -> Record[Dataset]:
    """Apply a version's recipe to the bytes it is made of; the same recipe and bytes give the same version."""
    made, team = record.data.made, record.ref.team
    assert made is not None, "only a version begins by mending"
    if made.part:
        return divide(shop, record, made)
    told = Telling(shop, record)
    try:
        recipe = Recipe.from_json(shop.blobs.read(team, made.recipe))
        mending = Mending(shop.blobs.blocks(team, made.source), made.source_name, recipe, on_row=told.rows)
        sha256, size = shop.blobs.put(team, _blocks(mending))
    except BlobMissingError:
        return _refuse(shop, told.record, GONE)
    except UnreadableError as error:
        refusal = error.refusal
        return _refuse(shop, told.record, Refusal(code=refusal.code, message=refusal.message, hint=refusal.hint))
    difference = mending.difference
    if difference.is_nothing or not difference.rows_after:
        return _refuse(shop, told.record, NOTHING if difference.is_nothing else EMPTY)
    stored, _ = shop.blobs.put(team, [msgspec.json.encode(difference)])
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
        event={"type": "VersionMade", "sha256": sha256, "rows": difference.rows_after},
    )


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Gather lines into blocks of about 1 MiB: a write a line would take longer than the mending."""
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


def _filename(made: Made) -> str:
    """Return what a version's file is called: "tickets.csv" becomes "tickets-v2.jsonl", and that "tickets-v3.jsonl"."""
    stem = made.source_name.removesuffix(".gz").rpartition(".")[0] or made.source_name
    base, mark, number = stem.rpartition("-v")
    if mark and number.isdecimal() and made.parent != made.original:
        stem = base
    return f"{stem}-v{made.number}.jsonl"


def _refuse(shop: Workshop, record: Record[Dataset], refusal: Refusal) -> Record[Dataset]:
    data = record.data
    return shop.store.transition(
        record,
        "unreadable",
        record.having(refusal=refusal),
        event={"type": "DatasetUnreadable", "code": refusal.code},
        deliveries=[card(record.ref, channel=data.channel, thread_ts=data.message_ts, rank=Rank.TERMINAL)],
    )
