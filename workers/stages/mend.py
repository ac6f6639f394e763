"""mending → checking | unreadable: make a new version of a dataset, beside the file it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.containers.refusal import UnreadableError
from finetune.mending import Mending, Recipe
from jobstore.blobs import BLOCK_BYTES, BlobMissingError
from jobstore.refusals import Refusal
from workers.stages.divide import divide
from workers.stages.telling import Telling
from workers.stages.versions import keep, refuse, stem_of, unreadable

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
        stored = shop.blobs.put(team, _blocks(mending))
    except BlobMissingError:
        return refuse(shop, told.record, GONE)
    except UnreadableError as error:
        return refuse(shop, told.record, unreadable(error))
    difference = mending.difference
    if difference.is_nothing or not difference.rows_after:
        return refuse(shop, told.record, NOTHING if difference.is_nothing else EMPTY)
    return keep(
        shop,
        told.record,
        made,
        stored=stored,
        told=difference,
        rows=difference.rows_after,
        filename=_filename(made),
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
    stem = stem_of(made)
    base, mark, number = stem.rpartition("-v")
    if mark and number.isdecimal() and made.parent != made.original:
        stem = base
    return f"{stem}-v{made.number}.jsonl"
