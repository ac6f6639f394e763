"""The stage that makes a version: what it makes, and why it may not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from finetune.catalogue import Catalogue
from finetune.conversion.conversion import Conversion
from finetune.mending import Recipe
from jobstore.blobs import Blobs
from jobstore.connections import connect_rq
from jobstore.doorbell import Doorbell
from jobstore.records import Made, Record
from tests.support.samples import TEAM, a_dataset
from workers.stages.mend import mend
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jobstore.records import Dataset
    from jobstore.store import Store

    Make = Callable[..., Record[Dataset]]

REPEATED = b'{"prompt": "a", "completion": "b"}\n' * 3 + b'{"prompt": "c", "completion": "d"}\n'
FIX = Recipe(format="prompt-completion", fixes=("duplicate-row",))


@pytest.fixture
def shop(store: Store, redis_url: str, tmp_path: Path) -> Workshop:
    values: dict[str, Any] = {"providers": {}, "models": (), "timings": Timings(report_silence_s=0), "buckets": None}
    blobs, doorbell = Blobs(str(tmp_path / "blobs")), Doorbell(connect_rq(redis_url))
    return Workshop(store=store, blobs=blobs, doorbell=doorbell, catalogue=Catalogue.load(), **values)


@pytest.fixture
def make(shop: Workshop) -> Make:
    """Ask for a version of some bytes, and make it."""

    def made_of(content: bytes | None, recipe: Recipe, name: str = "a.csv", **fields: str) -> Record[Dataset]:
        source = shop.blobs.put(TEAM, [content])[0] if content is not None else "0" * 64
        stored = shop.blobs.put(TEAM, [recipe.as_json()])[0]
        made = Made(**{
            "parent": "d1", "original": "d1", "number": "$NUMBER", "source": source, "source_name": name,
            "recipe": stored, **fields,
        })  # fmt: skip
        ref, _ = shop.store.record(TEAM, a_dataset(filename=name, made=made), dedupe="", event={"type": "VersionAsked"})
        record = shop.store.claim(ref, ["mending"], 60_000)
        assert record is not None
        mend(shop, record)
        after = shop.store.get(ref)
        assert after is not None
        return after

    return made_of


def test_a_version_is_bytes_of_its_own_and_goes_on_to_its_check(shop: Workshop, make: Make) -> None:
    after = make(REPEATED, FIX, "tickets.jsonl")
    assert (after.state, after.data.filename) == ("checking", "tickets-v2.jsonl")
    assert shop.blobs.read(TEAM, after.data.sha256) == REPEATED[-70:]
    assert after.data.size_bytes == 70
    assert after.data.made is not None
    assert json.loads(shop.blobs.read(TEAM, after.data.made.difference))["changes"][0]["rows"] == [2, 3]
    assert shop.store.events(after.ref)[-1]["rows"] == 2


def test_the_same_recipe_and_bytes_are_the_same_version(make: Make) -> None:
    assert make(REPEATED, FIX).data.sha256 == make(REPEATED, FIX).data.sha256


@pytest.mark.parametrize(
    ("name", "parent", "called"),
    [
        ("tickets.csv", "d1", "tickets-v2.jsonl"),
        ("tickets.jsonl.gz", "d1", "tickets-v2.jsonl"),
        ("tickets-v2.jsonl", "d2", "tickets-v2.jsonl"),
        ("car-v8.csv", "d1", "car-v8-v2.jsonl"),
        ("문의 모음.xlsx", "d1", "문의 모음-v2.jsonl"),
        ("noextension", "d1", "noextension-v2.jsonl"),
    ],
)
def test_a_version_is_called_after_the_file_with_its_number(make: Make, name: str, parent: str, called: str) -> None:
    assert make(REPEATED, FIX, name, parent=parent).data.filename == called


def test_what_would_change_nothing_is_no_version(make: Make) -> None:
    after = make(REPEATED[-70:], FIX)
    assert (after.state, after.data.sha256) == ("unreadable", "")
    assert after.data.refusal is not None
    assert after.data.refusal.code == "nothing-to-change"


def test_a_version_without_rows_is_none(make: Make) -> None:
    how = Conversion(source="chat", target="prompt-completion")
    talk = b'{"messages": [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    refusal = make(talk, Recipe(format="chat", conversion=how)).data.refusal
    assert refusal is not None
    assert refusal.code == "nothing-left"


@pytest.mark.parametrize(("content", "code"), [(None, "bytes-gone"), (b"\x1f\x8b broken", "unknown-format")])
def test_bytes_that_are_gone_or_broken_are_said(make: Make, content: bytes | None, code: str) -> None:
    after = make(content, FIX)
    assert after.data.refusal is not None
    assert (after.state, after.data.refusal.code) == ("unreadable", code)


def test_how_far_a_long_one_is_stands_on_its_card(shop: Workshop, make: Make) -> None:
    rows = b"".join(b'{"prompt": "%d", "completion": "b"}\n' % (number % 2_500) for number in range(2_600))
    after = make(rows, FIX)
    seen = [event for event in shop.store.events(after.ref) if event["type"] == "VersionMade"]
    assert seen[0]["rows"] == 2_500
    assert after.version > 3  # recorded, told of twice, made
