"""Bringing rows to a provider: how far it is, stopped half-way, found again; with a real record and real bytes."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

import pytest

from finetune.catalogue import Catalogue
from jobstore.blobs import Blobs
from jobstore.money import Account, Reservation, person_account
from tests.support.samples import CHANNEL, MONTH, TEAM, a_job, recorded
from workers.provider import ErrorKind, ProviderError
from workers.stages import upload as stage
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobstore.jobs import Job
    from jobstore.records import Record, Ref
    from jobstore.store import Store
    from workers.provider import Rows

ROWS, HELD_OUT = b'{"a": 1}\n' * 100, b'{"a": 2}\n' * 10


class Receiving:
    """A provider that takes files in hundred-byte parts, and tells what it has; `between` happens after each part."""

    name = "local"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.listed: list[tuple[str, int, str]] = []
        self.between: Callable[[], Any] = lambda: None
        self.refuses: ProviderError | None = None

    def may_train(self, model: str) -> None:
        if self.refuses is not None:
            raise self.refuses

    def upload(self, rows: Rows, sent: Callable[[int], None]) -> str:
        received = b""
        while part := rows.file.read(100):
            received += part
            self.between()
            sent(len(received))
        file = f"file-{len(self.files) + 1}"
        self.files[file] = received
        self.listed.append((rows.name, rows.size_bytes, file))
        return file

    def has_file(self, file: str) -> bool:
        return file in self.files

    def find_file(self, rows: Rows) -> str:
        return next((file for name, size, file in self.listed if (name, size) == (rows.name, rows.size_bytes)), "")


@pytest.fixture
def provider() -> Receiving:
    return Receiving()


@pytest.fixture
def shop(store: Store, tmp_path: Path, provider: Receiving, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(stage, "PROGRESS_EVERY_MS", 0)
    return Workshop(
        store=store,
        blobs=Blobs(str(tmp_path)),
        doorbell=None,  # type: ignore[arg-type] - nothing rings here
        buckets=None,  # type: ignore[arg-type] - nor is anything paced
        providers={"local": provider},  # type: ignore[dict-item] - as much of one as an upload asks
        catalogue=Catalogue.load(),
        models=(),
        timings=Timings(),
    )


@pytest.fixture
def uploading(shop: Workshop) -> Record[Job]:
    """A job whose rows are made, its price reserved, held by a worker."""
    train, _ = shop.blobs.put(TEAM, [ROWS])
    valid, _ = shop.blobs.put(TEAM, [HELD_OUT])
    mine = Account(name=person_account("U1"), cap_micros=9_000_000)
    reserve = Reservation(
        month=MONTH, micros=2_000_000, run_cap_micros=9_000_000, month_cap_micros=9_000_000, accounts=(mine,)
    )
    job = a_job(train_blob=train, valid_blob=valid, accounts=(mine.name,))
    ref = recorded(shop.store, job, reserve=reserve)
    record = shop.store.get(ref)
    assert record is not None
    shop.store.transition(record, "uploading", job)
    return held(shop, ref)


def held(shop: Workshop, ref: Ref) -> Record[Job]:
    record = shop.store.claim(ref, ["uploading"], 60_000)
    assert record is not None
    return record


def test_both_files_arrive_whole_and_are_remembered(
    shop: Workshop, provider: Receiving, uploading: Record[Job]
) -> None:
    after = stage.upload(shop, uploading)
    assert after.state == "creating"
    assert provider.files == {after.data.train_file: ROWS, after.data.valid_file: HELD_OUT}
    assert shop.store.marked(TEAM, "files:local", uploading.data.train_blob) == after.data.train_file


def test_card_hears_how_far_it_is(shop: Workshop, provider: Receiving, uploading: Record[Job]) -> None:
    seen: list[tuple[int, int]] = []

    def look() -> None:
        now = shop.store.get(uploading.ref)
        assert now is not None
        seen.append((now.data.sent_bytes, now.data.send_bytes))

    provider.between = look
    stage.upload(shop, uploading)
    whole = len(ROWS) + len(HELD_OUT)
    assert seen[:3] == [(0, 0), (100, whole), (200, whole)]
    assert seen[-1] == (900, whole)
    assert sorted(seen) == seen


def test_cancelled_while_it_is_on_its_way_stops_and_gives_the_money_back(
    shop: Workshop, provider: Receiving, uploading: Record[Job]
) -> None:
    provider.between = lambda: shop.store.flag_cancel(uploading.ref, "U1", channel=CHANNEL)
    after = stage.upload(shop, uploading)
    assert after.state == "cancelled"
    assert provider.files == {}
    assert [shop.store.spend(TEAM, MONTH, account) for account in ("", "person:U1")] == [(0.0, 0.0)] * 2


def test_account_that_may_not_train_sends_no_byte(shop: Workshop, provider: Receiving, uploading: Record[Job]) -> None:
    provider.refuses = ProviderError(ErrorKind.NOT_AVAILABLE, "training_not_available", "It may not.", "Go elsewhere.")
    with pytest.raises(ProviderError, match="training_not_available"):
        stage.upload(shop, uploading)
    assert provider.files == {}


def test_file_that_is_remembered_or_listed_is_not_sent_again(
    shop: Workshop, provider: Receiving, uploading: Record[Job]
) -> None:
    """Listed is what a worker left that died before it could write the id down."""
    with shop.blobs.open(TEAM, uploading.data.train_blob) as content:
        size = content.seek(0, os.SEEK_END)
    provider.files["file-old"] = ROWS
    provider.listed.append((f"tuneroom-{uploading.data.train_blob[:32]}.jsonl", size, "file-old"))
    after = stage.upload(shop, uploading)
    assert after.data.train_file == "file-old"
    assert len(provider.files) == 2

    again = a_job(**{name: getattr(uploading.data, name) for name in ("train_blob", "valid_blob")})
    ref = recorded(shop.store, dataclasses.replace(again, title="again"))
    record = shop.store.get(ref)
    assert record is not None
    shop.store.transition(record, "uploading", again)
    last = stage.upload(shop, held(shop, ref))
    assert (last.data.train_file, last.data.valid_file) == (after.data.train_file, after.data.valid_file)
    assert len(provider.files) == 2


def test_file_that_the_provider_has_lost_is_sent_again(
    shop: Workshop, provider: Receiving, uploading: Record[Job]
) -> None:
    after = stage.upload(shop, uploading)
    lost = after.data.train_file
    provider.listed.clear()
    del provider.files[lost]
    ref = recorded(shop.store, uploading.data)
    record = shop.store.get(ref)
    assert record is not None
    shop.store.transition(record, "uploading", uploading.data)
    assert stage.upload(shop, held(shop, ref)).data.train_file in provider.files
