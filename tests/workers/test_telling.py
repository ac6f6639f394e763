"""A long check says on its card how far it is, of about how many rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from finetune.catalogue import Catalogue
from finetune.check import Progress
from jobstore.blobs import Blobs
from jobstore.connections import connect_rq
from jobstore.doorbell import Doorbell
from tests.support.samples import TEAM, a_dataset
from workers.stages.check import check_dataset, rows_expected
from workers.stages.telling import Telling
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from pathlib import Path

    from jobstore.outbox import Outbox
    from jobstore.records import Dataset, Record
    from jobstore.store import Store

ROW = b'{"prompt": "a question ->", "completion": " an answer"}\n'


@pytest.fixture
def shop(store: Store, redis_url: str, tmp_path: Path) -> Workshop:
    """A workshop that tells of every block."""
    values: dict[str, Any] = {"providers": {}, "models": (), "timings": Timings(report_silence_s=0), "buckets": None}
    blobs, doorbell = Blobs(str(tmp_path / "blobs")), Doorbell(connect_rq(redis_url))
    return Workshop(store=store, blobs=blobs, doorbell=doorbell, catalogue=Catalogue.load(), **values)


def being_checked(shop: Workshop, content: bytes = ROW) -> Record[Dataset]:
    """A dataset whose check has begun."""
    sha256, size = shop.blobs.put(TEAM, [content])
    data = a_dataset(sha256=sha256, size_bytes=size)
    ref, _ = shop.store.record(TEAM, data, dedupe="", event={"type": "DatasetReceived"})
    for state, after in (("received", "fetching"), ("fetching", "checking")):
        record = shop.store.claim(ref, [state], 60_000)
        assert record is not None
        shop.store.transition(record, after, record.data)
    record = shop.store.claim(ref, ["checking"], 60_000)
    assert record is not None
    return record


def test_what_is_told_stands_on_the_record_and_a_card_goes_out(shop: Workshop, outbox: Outbox) -> None:
    record = being_checked(shop)
    before = outbox.pending(TEAM)
    Telling(shop, record).rows(40_000, 112_000)
    now = shop.store.get(record.ref)
    assert now is not None
    assert (now.state, now.data.rows_seen, now.data.rows_expected) == ("checking", 40_000, 112_000)
    assert outbox.pending(TEAM) == before + 1


def test_a_check_that_was_told_of_ends_in_its_report(shop: Workshop) -> None:
    begun = being_checked(shop, ROW * 40_000)
    after = check_dataset(shop, begun)
    assert (after.state, after.data.rows_seen, after.data.rows_expected) == ("accepted", 40_000, 0)
    assert after.version > begun.version + 2  # it was told of on the way


@pytest.mark.parametrize(
    ("rows", "bytes_read", "size_bytes", "expected"),
    [
        (40_000, 4_000_000, 11_200_000, 112_000),
        (0, 4_000_000, 11_200_000, 0),  # nothing was read as a row yet
        (40_000, 11_200_000, 11_200_000, 0),  # all was read: a workbook's rows come after its bytes
        (40_000, 4_000_000, 0, 0),  # the size is not known
    ],
)
def test_rows_are_expected_as_the_part_that_was_read_has_them(
    rows: int, bytes_read: int, size_bytes: int, expected: int
) -> None:
    assert rows_expected(Progress(rows, bytes_read), size_bytes) == expected
