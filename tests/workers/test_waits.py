"""A stage that takes much longer than it does is said once, after what was learnt from earlier runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bot.views import stuck_post
from jobstore.jobs import Job, Progress, Stuck
from tests.support.samples import recorded
from workers import waits

if TYPE_CHECKING:
    from jobstore.records import Record
    from jobstore.store import Store

MIN_MS = 60_000
NOW_MS = 1_000 * MIN_MS


def waited(store: Store, minutes: float, stage: str = "queued") -> None:
    """One more run has waited so long."""
    ref = recorded(store)
    record: Any = store.get(ref)
    store.transition(record, "uploading", record.data, marks=[waits.kept(record, stage, minutes * 60)])


def a_run(store: Store, **changes: Any) -> Record[Job]:
    record: Any = store.get(recorded(store))
    return dataclasses.replace(record, data=record.having(run="r1", **changes))


def stuck(store: Store, record: Record[Job], *, is_queued: bool = True) -> Stuck | None:
    return waits.stuck(store, record, record.data, is_queued=is_queued, now_ms=NOW_MS)


def queued(store: Store, minutes: float, **changes: Any) -> Record[Job]:
    return a_run(store, run_created_ms=int(NOW_MS - minutes * MIN_MS), **changes)


def test_queue_that_takes_far_longer_than_usual_is_said(store: Store) -> None:
    for minutes in (7, 8, 9):
        waited(store, minutes)
    assert stuck(store, queued(store, 20)) is None
    found = stuck(store, queued(store, 52))
    assert found == Stuck(stage="queued", waited_s=52 * 60, usual_s=8 * 60)


def test_it_is_said_once(store: Store) -> None:
    for minutes in (7, 8, 9):
        waited(store, minutes)
    said = Stuck(stage="queued", waited_s=1800, usual_s=480)
    assert stuck(store, queued(store, 90, stuck=said)) is None


def test_without_earlier_runs_half_an_hour_is_long(store: Store) -> None:
    assert stuck(store, queued(store, 29)) is None
    assert stuck(store, queued(store, 31)) == Stuck(stage="queued", waited_s=31 * 60, usual_s=0)


def test_what_is_usually_over_in_a_moment_is_given_five_minutes(store: Store) -> None:
    for _ in range(3):
        waited(store, 0.1)
    assert stuck(store, queued(store, 4.9)) is None
    assert stuck(store, queued(store, 5.1)) is not None


def test_run_without_a_new_step_is_measured_by_its_own_pace(store: Store) -> None:
    progress = Progress(status="running", last_step_ms=NOW_MS - 40 * MIN_MS, longest_gap_ms=15 * MIN_MS)
    assert stuck(store, a_run(store, progress=progress), is_queued=False) is None
    slower = dataclasses.replace(progress, last_step_ms=NOW_MS - 46 * MIN_MS)
    found = stuck(store, a_run(store, progress=slower), is_queued=False)
    assert found == Stuck(stage="step", waited_s=46 * 60, usual_s=15 * 60)


def test_paused_run_is_not_stuck(store: Store) -> None:
    progress = Progress(status="paused", last_step_ms=NOW_MS - 400 * MIN_MS, longest_gap_ms=MIN_MS)
    assert stuck(store, a_run(store, progress=progress), is_queued=False) is None


def test_only_the_latest_fifty_waits_are_kept(store: Store) -> None:
    for number in range(waits.KEPT + 10):
        waited(store, 1 if number < 10 else 3)
    record = a_run(store)
    assert len(store.marks(record.ref.team, "waits:local:tiny:queued")) == waits.KEPT
    assert waits.usual_s(store, record, "queued") == 180


@pytest.mark.parametrize(("said", "text"), [
    (Stuck(stage="queued", waited_s=52 * 60, usual_s=8 * 60), "Queued 52 min; usually 8 min. I'm still watching."),
    (Stuck(stage="queued", waited_s=52 * 60, usual_s=0), "Queued 52 min. I'm still watching."),
    (Stuck(stage="step", waited_s=46 * 60, usual_s=60), "No new step for 46 min; usually 60 s. I'm still watching."),
    (Stuck(stage="starting", waited_s=46 * 60, usual_s=0), "Running 46 min without a first step. I'm still watching."),
])  # fmt: skip
def test_it_is_said_in_plain_words_with_a_way_out(store: Store, said: Stuck, text: str) -> None:
    record = dataclasses.replace(a_run(store, stuck=said), state="queued")
    shown = stuck_post(record)
    assert shown.text == text
    assert "Cancel" in str(shown.blocks)
