"""What new events do to a run's progress, and how often a run is looked at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jobstore.jobs import Progress
from workers.progress import progressed
from workers.provider import Run, RunEvent, RunStatus
from workers.workshop import Timings

RUN = Run(id="ftjob-1", status=RunStatus.RUNNING, said="running")


def step(number: int, loss: float | None = None, valid: float | None = None) -> RunEvent:
    return RunEvent(
        id=f"e{number}",
        at_ms=1_000 * number,
        message="",
        step=number,
        total_steps=9,
        train_loss=loss,
        valid_loss=valid,
    )


def test_nothing_new_changes_nothing() -> None:
    before = Progress(status="running", step=4, total_steps=9, started_ms=1)
    assert progressed(before, RUN, []) == before


def test_the_newest_step_is_shown_with_the_loss_before_it() -> None:
    first = progressed(Progress(), RUN, [step(1, 3.0), step(2, 2.0)])
    assert (first.step, first.total_steps, first.train_loss, first.previous_loss) == (2, 9, 2.0, 3.0)
    second = progressed(first, RUN, [step(3, 1.5)])
    assert (second.step, second.train_loss, second.previous_loss, second.events) == (3, 1.5, 2.0, 3)


def test_a_validation_loss_stays_until_there_is_a_newer_one() -> None:
    first = progressed(Progress(), RUN, [step(1, 3.0, valid=2.5), step(2, 2.0)])
    assert first.valid_loss == 2.5


def test_messages_are_counted_only() -> None:
    after = progressed(Progress(step=4), RUN, [RunEvent(id="e9", at_ms=1, message="hello")])
    assert (after.step, after.events) == (4, 1)


@given(st.lists(st.integers(min_value=1, max_value=50), max_size=20))
def test_the_step_never_goes_back(steps: list[int]) -> None:
    progress, highest = Progress(), 0
    for number in steps:
        progress = progressed(progress, RUN, [step(number, 1.0)])
        highest = max(highest, number)
        assert progress.step == highest


def test_tries_wait_longer_each_time_and_never_less_than_asked() -> None:
    timings = Timings(retry_base_s=2, retry_max_s=60)
    assert [timings.retry_in_ms(n) for n in (0, 1, 2, 9)] == [2_000, 4_000, 8_000, 60_000]
    assert timings.retry_in_ms(0, retry_after_s=30) == 30_000
