"""A job's events: an append-only JSONL file that its training process writes while the server reads it."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PACE_STEPS = 50  # how many of the last steps the pace is taken from


class Journal:
    """The events of one job, oldest first, each recorded once.

    An event's id derives from the job and from what happened, so that a run that starts again after a crash, and
    with the same seed goes through the same steps, adds only what is not yet there.
    """

    def __init__(self, path: Path, job_id: str) -> None:
        self._path, self._job_id = path, job_id
        self._read_bytes = 0
        self.events: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def refresh(self) -> None:
        """Take in the whole lines written since the last look; half a line waits for its rest."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read_bytes)
            fresh, newline, _ = file.read().rpartition(b"\n")
        for line in fresh.splitlines():
            event = json.loads(line)
            self._places[event["id"]] = len(self.events)
            self.events.append(event)
        self._read_bytes += len(fresh) + len(newline)

    def mend(self) -> None:
        """Cut off the half line that a killed writer left. Call it only while nobody else writes."""
        self.refresh()
        if self._path.exists() and self._path.stat().st_size > self._read_bytes:
            with self._path.open("r+b") as file:
                file.truncate(self._read_bytes)

    def append(
        self, key: str, message: str, *, level: str = "info", data: dict[str, Any] | None = None, kind: str = "message"
    ) -> None:
        """Record what key names within this job, unless it is recorded already."""
        digest = hashlib.sha256(f"{self._job_id}/{key}".encode()).hexdigest()
        event = {
            "object": "fine_tuning.job.event",
            "id": f"ftevent-{digest[:24]}",
            "created_at": time.time(),
            "level": level,
            "message": message,
            "data": data if data is not None else {},
            "type": kind,
        }
        self.refresh()
        if event["id"] in self._places:
            return
        with self._path.open("ab") as file:
            file.write(json.dumps(event).encode() + b"\n")
        self.refresh()

    def sync(self) -> None:
        """Make what was appended survive a loss of power."""
        with self._path.open("ab") as file:
            os.fsync(file.fileno())

    def metrics(self) -> list[dict[str, Any]]:
        """The events that tell of a step, in order."""
        return [event for event in self.events if event["type"] == "metrics"]

    def place(self, event_id: str) -> int | None:
        """Where an event stands, from 0 for the oldest; None for an id that is not of this job."""
        return self._places.get(event_id)

    def estimated_finish(self) -> float | None:
        """When the last step will be done (Unix seconds) at the pace of late; None before the second step.

        The pace is a median: a pause or a restart between two steps is not how long a step takes.
        """
        steps = self.metrics()[-PACE_STEPS:]
        if len(steps) < 2:
            return None
        last = steps[-1]
        pace = statistics.median(after["created_at"] - before["created_at"] for before, after in pairwise(steps))
        return last["created_at"] + pace * (last["data"]["total_steps"] - last["data"]["step"])
