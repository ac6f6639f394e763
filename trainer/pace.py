"""How long training takes on this machine: a first figure by a short trial, then what the runs themselves took."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from trainer.child import end, start
from trainer.disk import read_json, write_json
from trainer.hyperparameters import BYTES_BUDGET, EPOCHS
from trainer.journal import Journal
from trainer.plan import EVENTS, OUTCOME, TRAINING, VALIDATION, Plan

MEGABYTE: Final = 1_000_000
TRIAL_WAIT_S: Final = 5.0
TRIAL_ROWS: Final = 64
TRIAL_EPOCHS: Final = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """`base_s`: a run's start and end; `megabyte_s`: each megabyte of JSONL gone over once. `runs` it was learned from.

    With no runs it is the figure of a trial.
    """

    base_s: float
    megabyte_s: float
    runs: int = 0

    def expected(self) -> list[dict[str, float]]:
        """Return how long a run on "auto" takes by the size of its file: linear between the points, and after them.

        "auto" goes over a small file up to 25 times, over a larger one until the budget is used, over the rest once.
        """
        budget = BYTES_BUDGET / MEGABYTE
        most_s = self.base_s + budget * self.megabyte_s
        points = ((0.0, self.base_s), (budget / EPOCHS[1], most_s), (budget, most_s))
        points += ((2 * budget, most_s + budget * self.megabyte_s),)
        return [{"megabytes": round(size, 3), "seconds": round(seconds, 1)} for size, seconds in points]

    def after(self, other: Pace) -> Pace:
        """Return what is expected after one more run: half of it is that run; a trial counts for nothing beside one."""
        if not self.runs:
            return other
        base_s, megabyte_s = (self.base_s + other.base_s) / 2, (self.megabyte_s + other.megabyte_s) / 2
        return Pace(base_s, megabyte_s, self.runs + 1)


def pace_of(journal: Journal, began: float, ended: float, megabytes: float) -> Pace | None:
    """Return the pace of a run that one process made from `began` to `ended` (Unix seconds), over so many megabytes."""
    steps = journal.metrics()
    if len(steps) < 2 or megabytes <= 0 or steps[0]["created_at"] < began:  # begun by a process that died
        return None
    between = sum(max(0.0, after["created_at"] - before["created_at"]) for before, after in pairwise(steps))
    whole_s = between * len(steps) / (len(steps) - 1)
    return Pace(max(0.0, ended - began - whole_s), whole_s / megabytes, 1)


class Paces:
    """The pace as last known, kept in a file beside the jobs."""

    def __init__(self, home: Path) -> None:
        self._path = home / "pace.json"
        self._trial: asyncio.Task[None] | None = None
        self.known: Pace | None = None
        with contextlib.suppress(OSError, ValueError, TypeError):
            self.known = Pace(**read_json(self._path))

    def begin_trial(self) -> None:
        """Measure a first figure meanwhile, where nothing is known yet."""
        if self.known is None:
            self._trial = asyncio.create_task(self._try())

    async def close(self) -> None:
        """End a trial that is still going."""
        if self._trial is not None:
            self._trial.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._trial

    async def announced(self) -> dict[str, Any]:
        """Return what the base model says of itself: nothing where nothing is known. A trial is waited for a little."""
        if self._trial is not None and not self._trial.done():
            await asyncio.wait([self._trial], timeout=TRIAL_WAIT_S)
        return {} if self.known is None else {"expected_training": self.known.expected()}

    def learn(self, pace: Pace) -> None:
        """Take in how long one run took."""
        self.known = self.known.after(pace) if self.known is not None else pace
        write_json(self._path, asdict(self.known))

    async def _try(self) -> None:
        home = Path(tempfile.mkdtemp(prefix="trial-", dir=self._path.parent))
        try:
            if (pace := await trial(home)) is not None and self.known is None:
                self.known = pace
        finally:
            shutil.rmtree(home, ignore_errors=True)


async def trial(home: Path) -> Pace | None:
    """Train on a few made-up rows, by a process like any run's, and return its pace; None where it did not end well."""
    rows = [_row(number) for number in range(TRIAL_ROWS)]
    data = b"".join(rows)
    (home / TRAINING).write_bytes(data)
    (home / VALIDATION).write_bytes(b"".join(rows[:16]))
    Plan("trial", "trial", 0, TRIAL_EPOCHS, 16, 1.0).save(home)
    began = time.time()
    child = await start(home)
    try:
        await child.wait()
    finally:
        await end(child)
    ended, journal = time.time(), Journal(home / EVENTS, "trial")
    journal.refresh()
    if not (home / OUTCOME).exists():
        return None
    found = pace_of(journal, began, ended, TRIAL_EPOCHS * len(data) / MEGABYTE)
    if found is None:
        return None
    # everything else is being started just then: what counts is what the trial itself used of the processor
    share = min(1.0, float(read_json(home / OUTCOME).get("cpu_s", ended - began)) / max(ended - began, 0.001))
    return Pace(found.base_s * share, found.megabyte_s * share)


def _row(number: int) -> bytes:
    asked = f"Parcel {number * 7919 % 1000} left on day {number % 28}, and nobody here knows where it has been since."
    said = [{"role": "system", "content": "Answer with one label, and with nothing else."}]
    said += [{"role": "user", "content": asked}, {"role": "assistant", "content": ("sent", "lost")[number % 2]}]
    return json.dumps({"messages": said}).encode() + b"\n"
