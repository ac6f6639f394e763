"""Every event of a run is taken in once, by its id: late ones, and ones that are listed again."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobstore.jobs import Progress
from workers.progress import LATE_MS, MARKS_MAX, expected_events, progressed
from workers.provider import Run, RunEvent, RunStatus

RUN = Run(id="ftjob-1", status=RunStatus.RUNNING, said="running")


def event(number: int, at_ms: int, *, step: int = 0) -> RunEvent:
    return RunEvent(id=f"e{number}", at_ms=at_ms, message="", step=step, train_loss=1.0 / step if step else None)


def looked(progress: Progress, listed: list[RunEvent]) -> Progress:
    """A look at the run: the provider lists what there is since the moment it is asked from."""
    shown = [one for one in listed if one.at_ms >= progress.seen_since_ms]
    return progressed(progress, RUN, sorted(shown, key=lambda one: one.at_ms), now_ms=1)


def test_event_that_is_listed_behind_younger_ones_is_taken_in() -> None:
    first = looked(Progress(), [event(1, 100_000), event(3, 101_000)])
    second = looked(first, [event(1, 100_000), event(2, 100_000), event(3, 101_000)])
    assert (first.events, second.events) == (2, 3)


def test_looking_again_changes_nothing() -> None:
    listed = [event(number, 100_000 + number // 3 * 1000) for number in range(200)]
    once = looked(Progress(), listed)
    assert looked(once, listed) == once
    assert once.events == 200


def test_a_rest_does_not_count_towards_the_pace() -> None:
    """Ten steps in nine seconds, a pause of five minutes, ten more: the pace is that of the steps."""
    before = looked(Progress(), [event(number, 100_000 + number * 1_000, step=number) for number in range(1, 11)])
    paused = progressed(before, dataclasses.replace(RUN, status=RunStatus.PAUSED, said="paused"), [], now_ms=120_000)
    later = [event(number, 400_000 + number * 1_000, step=number) for number in range(11, 21)]
    assert (paused.first_step_ms, looked(paused, later).first_step_ms) == (101_000, 402_000)
    resumed = progressed(paused, RUN, [], now_ms=411_000)
    assert resumed.first_step_ms == 402_000


def test_figures_that_come_late_do_not_turn_back_what_is_shown() -> None:
    first = looked(Progress(), [event(1, 100_000, step=1), event(5, 105_000, step=5)])
    late = looked(first, [event(1, 100_000, step=1), event(4, 104_000, step=4), event(5, 105_000, step=5)])
    assert (late.step, late.train_loss, late.events) == (5, 0.2, 3)


def test_as_many_events_are_expected_as_the_last_half_minute_had() -> None:
    progress = looked(Progress(), [event(number, 100_000 + number * 2_000) for number in range(60)])
    now_ms = 100_000 + 59 * 2_000 + 100_000
    assert expected_events(progress, now_ms) == pytest.approx(65, abs=5)
    assert expected_events(Progress(), now_ms) == 0


def test_what_is_remembered_stays_small() -> None:
    progress, listed = Progress(), list[RunEvent]()
    for number in range(1000):
        listed.append(event(number, 100_000 + number * 100))
        progress = looked(progress, listed)
    assert progress.events == 1000
    assert len(progress.seen) <= MARKS_MAX


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, LATE_MS // 1000)), max_size=60),
    st.lists(st.integers(0, 60), max_size=12),
)
def test_none_is_missed_and_none_doubled(made: list[tuple[int, int]], looks: list[int]) -> None:
    """Events of whole seconds, each listed up to 30 s late, looked at whenever: all are counted, each once."""
    events = [
        (event(number, at_s * 1000), at_s + late_s) for number, (at_s, late_s) in enumerate(sorted(made, key=sum))
    ]
    progress, now_s = Progress(), 0
    for pause_s in [*looks, 1000]:
        now_s += pause_s
        progress = looked(progress, [one for one, listed_s in events if listed_s <= now_s])
    assert progress.events == len(events)
