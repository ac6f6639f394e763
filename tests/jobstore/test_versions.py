"""A version of a dataset begins by being mended, and is numbered among those of the dropped file, once."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from jobstore.connections import connect
from jobstore.records import Made
from jobstore.states import Actor
from jobstore.store import StaleError, Store
from tests.support.samples import RECORDED, TEAM, a_dataset

if TYPE_CHECKING:
    import redis

    from jobstore.records import Dataset

MADE = Made(parent="d1", original="d1", number="$NUMBER", source="ab", source_name="a.csv", recipe="cd")
ASKED = {"type": "VersionAsked", "number": "$NUMBER"}


def a_version(original: str) -> Dataset:
    return a_dataset(made=dataclasses.replace(MADE, parent="d9", original=original))


def test_versions_of_a_file_are_counted_from_two_whichever_version_they_are_made_of(store: Store) -> None:
    store.record(TEAM, a_dataset(), dedupe="", event=RECORDED)
    refs = [store.record(TEAM, a_version(of), dedupe="", event=ASKED)[0] for of in ("d1", "d1", "d5", "d1")]
    numbers = [record.data.made.number for ref in refs if (record := store.get(ref))]
    assert numbers == ["2", "3", "2", "4"]
    assert [store.events(ref)[0]["number"] for ref in refs] == numbers


def test_a_version_is_due_to_a_worker_at_once(store: Store) -> None:
    ref, _ = store.record(TEAM, a_dataset(made=MADE), dedupe="", event=ASKED)
    record = store.get(ref)
    assert record is not None
    assert record.state == "mending"
    assert store.next_due_ms(TEAM, Actor.WORKER) is not None
    assert store.due(TEAM, Actor.FETCHER) == []


def test_asked_for_by_many_at_once_it_is_one_version_with_one_number(redis_url: str, store: Store) -> None:
    def ask(_: int) -> tuple[str, bool]:
        connection = connect(redis_url)
        try:
            ref, is_new = Store(connection).record(TEAM, a_dataset(made=MADE), dedupe="version:d1:cd", event=ASKED)
            return ref.id, is_new
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert sum(is_new for _, is_new in answers) == 1
    assert {handle for handle, _ in answers} == {"d1"}
    ref, _ = store.record(TEAM, a_dataset(made=MADE), dedupe="another", event=ASKED)
    record = store.get(ref)
    assert record is not None
    assert record.data.made.number == "3"


def test_a_file_whose_name_is_the_mark_keeps_its_name(store: Store) -> None:
    ref, _ = store.record(TEAM, a_dataset(filename="$NUMBER $ID.csv"), dedupe="", event=RECORDED)
    record = store.get(ref)
    assert record is not None
    assert record.data.filename == "$NUMBER $ID.csv"


def test_the_count_is_forgotten_after_the_retention(store: Store, peek: redis.Redis) -> None:
    store.record(TEAM, a_dataset(made=MADE), dedupe="", event=ASKED)
    assert 0 < int(peek.ttl(f"tuneroom:{{{TEAM}}}:versions:d1")) <= 90 * 86400


def test_a_worker_that_was_overtaken_does_not_put_its_version_in_place(store: Store) -> None:
    ref, _ = store.record(TEAM, a_dataset(made=MADE), dedupe="", event=ASKED)
    slow = store.claim(ref, ["mending"], 1)
    assert slow is not None
    quick = None
    while quick is None:  # the first lease ends after a millisecond
        quick = store.claim(ref, ["mending"], 60_000)
    store.transition(quick, "checking", quick.having(sha256="new"))
    with pytest.raises(StaleError):
        store.transition(slow, "checking", slow.having(sha256="old"))
