"""How a version that was made of a dataset is kept, or refused: the end of every stage that makes one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from jobstore.refusals import Refusal

if TYPE_CHECKING:
    from finetune.containers.refusal import UnreadableError
    from jobstore.records import Dataset, Made, Record
    from workers.workshop import Workshop


def keep(
    shop: Workshop, record: Record[Dataset], made: Made, *, stored: tuple[str, int], told: Any, rows: int, filename: str
) -> Record[Dataset]:
    """Have a version checked next: `stored` is its bytes' hash and size, `told` what its card says of the making."""
    sha256, size_bytes = stored
    difference, _ = shop.blobs.put(record.ref.team, [msgspec.json.encode(told)])
    reach("mend.done")
    return shop.store.transition(
        record,
        "checking",
        record.having(
            sha256=sha256,
            size_bytes=size_bytes,
            rows_seen=0,
            filename=filename,
            made=replace(made, difference=difference),
        ),
        event={"type": "VersionMade", "sha256": sha256, "rows": rows},
    )


def refuse(shop: Workshop, record: Record[Dataset], refusal: Refusal) -> Record[Dataset]:
    """Say on its card why a dataset cannot be read, or why there is no such version."""
    data = record.data
    return shop.store.transition(
        record,
        "unreadable",
        record.having(refusal=refusal),
        event={"type": "DatasetUnreadable", "code": refusal.code},
        deliveries=[card(record.ref, channel=data.channel, thread_ts=data.message_ts, rank=Rank.TERMINAL)],
    )


def unreadable(error: UnreadableError) -> Refusal:
    """Return why the file that a version is made of cannot be read."""
    return Refusal(code=error.refusal.code, message=error.refusal.message, hint=error.refusal.hint)


def stem_of(made: Made) -> str:
    """Return the name of the file that a version is made of, without its endings: "tickets" of "tickets.csv.gz"."""
    return made.source_name.removesuffix(".gz").rpartition(".")[0] or made.source_name
