"""checking → accepted | rejected | unreadable: read every row and say what is wrong with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from finetune.check import check
from finetune.splitting.division import of_part
from jobstore.deliveries import Delivery, Rank, Shape, card
from jobstore.faults import reach
from jobstore.keys import seen_hash
from jobstore.store import Mark
from workers.provider import ProviderError
from workers.stages.telling import Telling
from workers.tokens_chart import tokens_chart

if TYPE_CHECKING:
    from finetune.check import Progress
    from finetune.report import Report
    from jobstore.records import Dataset, Record
    from workers.workshop import Workshop

log = logging.getLogger(__name__)

TOKEN_BYTES: Final = 4
OUR_SHARE_S: Final = 3.0
"""Rows prepared and uploaded, the end noticed, results read, the model asked: 2.4 s in a play on two cores."""


def check_dataset(shop: Workshop, record: Record[Dataset]) -> Record[Dataset]:
    """Check a dataset's bytes; a long check says how far it is."""
    data, ref = record.data, record.ref
    told = Telling(shop, record)
    report = check(
        shop.blobs.blocks(ref.team, data.sha256),
        filename=data.filename,
        models=shop.models,
        catalogue=shop.catalogue,
        on_progress=lambda progress: told.rows(progress.rows, rows_expected(progress, data.size_bytes)),
    )
    part = data.made.part if data.made else ""
    report = of_part(report, part)
    stored, _ = shop.blobs.put(ref.team, [msgspec.json.encode(report)])
    changed = told.record.having(
        report=stored,
        rows_seen=report.rows,
        expected_s=_expected_s(shop, data, report),
        picture=_picture(shop, record, report),
    )
    reach("check.done")
    return shop.store.transition(
        told.record,
        report.verdict,
        changed,
        event={"type": "DatasetChecked", "verdict": report.verdict, "rows": report.rows},
        deliveries=[card(ref, channel=data.channel, thread_ts=data.message_ts, rank=Rank.TERMINAL), *_file(record)],
        # who drops a part's file to train on it is told of more than a part is
        marks=[] if part else [Mark(hash=seen_hash(data.channel), field=data.sha256, value=ref.id)],
    )


def rows_expected(progress: Progress, size_bytes: int) -> int:
    """Return about how many rows a file has, by those in the part that was read; 0 where that tells nothing.

    A workbook is read to its end before its first row is seen.
    """
    if not progress.rows or not progress.bytes_read < size_bytes:
        return 0
    return round(progress.rows * size_bytes / progress.bytes_read)


def _picture(shop: Workshop, record: Record[Dataset], report: Report) -> str:
    """Draw how long the examples are, and return the picture's hash; "" where there are none.

    It is drawn now, in a twentieth of a second, and shown only when somebody asks for it.
    """
    if report.profile is None:
        return ""
    try:
        picture = tokens_chart(report.profile, report.tokens, title=record.data.filename)
    except Exception:  # whatever the name of a file does to a font, the report does not hang on it
        log.exception("picture.failed", extra={"ref": record.ref.member})
        return ""
    return shop.blobs.put(record.ref.team, [picture])[0]


def _file(record: Record[Dataset]) -> list[Delivery]:
    """A version's rows, for its thread; a dropped file stands there already."""
    data = record.data
    if data.made is None:
        return []
    return [
        Delivery(
            id=f"rows:{record.ref.member}",
            channel=data.channel,
            kind=Shape.FILE,
            view="rows",
            ref=record.ref.member,
            rank=Rank.MILESTONE,
            thread_ts=data.message_ts,
        )
    ]


def _expected_s(shop: Workshop, data: Dataset, report: Report) -> float:
    """Return how long the first model that trains for nothing takes, until it answers; 0 where nobody knows.

    Where training is free, time is what it costs.
    """
    free = [name for name in shop.models if (price := report.price_usd.get(name)) and price.high <= 0]
    model = shop.catalogue.get(free[0]) if free else None
    provider = shop.providers.get(model.provider) if model else None
    if model is None or provider is None or report.verdict != "accepted":
        return 0.0
    size = max(data.size_bytes, report.tokens.total * TOKEN_BYTES)  # a packed file is smaller than its rows
    try:
        run_s = provider.expected_s(model.name, size)
    except ProviderError:
        return 0.0
    return run_s + OUR_SHARE_S if run_s is not None else 0.0
