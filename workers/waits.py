"""How long runs usually wait at each stage, learnt from those before, and when one has waited too long.

A wait is kept by the script that ends it, the latest fifty of each provider, model and stage.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from jobstore.jobs import Stuck
from jobstore.store import Mark

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.store import Store

KEPT: Final = 50
ENOUGH: Final = 3
TOO_LONG: Final = 3.0
LEAST_S: Final = 300.0
UNKNOWN_S: Final = 1800.0
"""How long is too long where nothing is known yet."""


def kept(record: Record[Job], stage: str, seconds: float) -> Mark:
    """Return the mark that remembers a wait; the handle's number picks the place, so that the oldest gives way."""
    return Mark(hash=_hash(record, stage), field=str(int(record.ref.id[1:]) % KEPT), value=str(max(0, round(seconds))))


def usual_s(store: Store, record: Record[Job], stage: str) -> float | None:
    """Return the median wait of earlier runs, in seconds; None where too few are known."""
    known = store.marks(record.ref.team, _hash(record, stage))
    return statistics.median(float(value) for value in known) if len(known) >= ENOUGH else None


def stuck(store: Store, record: Record[Job], now: Job, *, is_queued: bool, now_ms: int) -> Stuck | None:
    """Return what is to be said of a run that waits longer than runs do; None where it does not, or it was said.

    `now`: the job as it stands after the look at the provider.
    """
    stage, since_ms = _waiting(now, is_queued=is_queued)
    waited_s = (now_ms - since_ms) / 1000
    said = now.stuck is not None and now.stuck.stage == stage
    if said or not since_ms or now.progress.status.startswith("paus") or waited_s < LEAST_S:
        return None
    usual = now.progress.longest_gap_ms / 1000 or None if stage == "step" else usual_s(store, record, stage)
    limit_s = UNKNOWN_S if usual is None else max(LEAST_S, TOO_LONG * usual)
    return Stuck(stage=stage, waited_s=round(waited_s), usual_s=round(usual or 0)) if waited_s >= limit_s else None


def _waiting(job: Job, *, is_queued: bool) -> tuple[str, int]:
    """What a run waits for, and since when."""
    if is_queued:
        return "queued", job.run_created_ms
    if not job.progress.last_step_ms:
        return "starting", job.progress.started_ms
    return "step", job.progress.last_step_ms


def _hash(record: Record[Job], stage: str) -> str:
    return f"waits:{record.data.request.provider}:{record.data.request.model}:{stage}"
