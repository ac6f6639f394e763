"""What a run's events lead to: each is taken in once, by its id, late ones too."""

from __future__ import annotations

import dataclasses
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobstore.jobs import Progress
    from workers.provider import Run, RunEvent

LATE_MS: Final = 30_000
"""How late an event may be listed, behind younger ones, and still be taken in."""
MARKS_MAX: Final = 64


def expected_events(before: Progress, now_ms: int) -> int:
    """How many events have come since `before.seen_since_ms`, if as often as in its last half minute."""
    return round(len(before.seen) * (now_ms - before.seen_since_ms) / LATE_MS)


def progressed(before: Progress, run: Run, listed: Sequence[RunEvent], *, now_ms: int = 0) -> Progress:
    """Return the progress that a look at a run leads to; the same value where there is nothing new.

    `listed`: the run's events from `before.seen_since_ms` on, oldest first, those that were taken in before among them.
    """
    events = _unseen(before, listed)
    ordered = sorted(events, key=lambda event: event.step)
    changes: dict[str, Any] = {"status": run.said} | _steps(before, ordered)
    if before.status == "paused" and run.said == "running" and before.last_step_ms:
        # the rest does not count towards the pace: it is as if the run had begun so much later
        rested_ms = min((event.at_ms for event in ordered if event.step), default=now_ms) - before.last_step_ms
        changes["first_step_ms"] = before.first_step_ms + max(0, rested_ms)
    if events:
        since_ms, marks = _window(before, listed)
        changes |= {"events": before.events + len(events), "seen_since_ms": since_ms, "seen": marks}
    if not before.started_ms and (changes.get("step") or run.said in {"running", "succeeded"}):
        changes["started_ms"] = now_ms
    return dataclasses.replace(before, **changes)


def _unseen(before: Progress, listed: Sequence[RunEvent]) -> list[RunEvent]:
    seen: set[int] = set(before.seen)
    found: list[RunEvent] = []
    for event in listed:
        mark = _mark(event)
        if event.at_ms >= before.seen_since_ms and mark not in seen:
            seen.add(mark)
            found.append(event)
    return found


def _mark(event: RunEvent) -> int:
    """A small stand-in for an event's id: thousands of runs keep some dozens each."""
    return zlib.crc32(event.id.encode())


def _window(before: Progress, listed: Sequence[RunEvent]) -> tuple[int, tuple[int, ...]]:
    """From when events are listed again next time, and the marks of those since then."""
    ordered = sorted((event for event in listed if event.at_ms >= before.seen_since_ms), key=lambda event: event.at_ms)
    since_ms = max(before.seen_since_ms, ordered[-1].at_ms - LATE_MS)
    kept = [event for event in ordered if event.at_ms >= since_ms]
    if len(kept) > MARKS_MAX:  # a whole moment stays or goes: a half-remembered one would be taken in again
        since_ms = min(kept[-MARKS_MAX].at_ms + 1, ordered[-1].at_ms)
        kept = [event for event in kept if event.at_ms >= since_ms]
    return since_ms, tuple(dict.fromkeys(_mark(event) for event in kept))


def _steps(before: Progress, events: Sequence[RunEvent]) -> dict[str, Any]:
    """What the metrics change, given by step; one that comes late does not turn back what is shown."""
    metrics = [event for event in events if event.step]
    if not metrics:
        return {}
    newer = [event for event in metrics if event.step >= before.step]
    losses = [event.train_loss for event in newer if event.train_loss is not None]
    valid = [event.valid_loss for event in newer if event.valid_loss is not None]
    last_ms = max(before.last_step_ms, *(event.at_ms for event in metrics))
    return {
        "step": max(before.step, metrics[-1].step),
        "total_steps": next((event.total_steps for event in reversed(newer) if event.total_steps), before.total_steps),
        "train_loss": losses[-1] if losses else before.train_loss,
        "previous_loss": before.train_loss if before.train_loss is not None else losses[0] if losses else None,
        "valid_loss": valid[-1] if valid else before.valid_loss,
        "first_step_ms": before.first_step_ms or metrics[0].at_ms,
        "last_step_ms": last_ms,
        "longest_gap_ms": max(before.longest_gap_ms, _longest_gap_ms(before, metrics)),
    }


def _longest_gap_ms(before: Progress, metrics: Sequence[RunEvent]) -> int:
    times = [event.at_ms for event in metrics]
    if before.last_step_ms:
        times.append(before.last_step_ms)
    times.sort()
    return max((later - earlier for earlier, later in pairwise(times)), default=0)
