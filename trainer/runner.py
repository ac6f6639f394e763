"""Jobs on their way: files validated one after another, then one job at a time trained in a process of its own."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from typing import TYPE_CHECKING, Any

from trainer.child import ask_to_pause, end, start
from trainer.disk import read_json, remove_tree
from trainer.file_survey import InvalidFile, survey_files
from trainer.hyperparameters import GivenUp, resolve
from trainer.pace import MEGABYTE, pace_of
from trainer.plan import OUTCOME, RESULTS, TRAINING, Plan
from trainer.run_state import saved_step
from trainer.saved_model import CAUTION

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Coroutine
    from pathlib import Path

    from trainer.file_store import FileStore
    from trainer.jobs import Job, JobStore
    from trainer.pace import Paces

LOG = logging.getLogger(__name__)


class Runner:
    """Moves every job from validating_files to its end, also those that an earlier server left half done."""

    def __init__(self, jobs: JobStore, files: FileStore, paces: Paces) -> None:
        self._jobs, self._files, self._paces = jobs, files, paces
        self._arrived, self._queued = asyncio.Event(), asyncio.Event()
        self._child: Process | None = None
        self._training: str | None = None
        self._stopping = False

    async def run(self) -> None:
        """Work until cancelled; the training process ends before this returns."""
        for job in self._jobs.all():
            if job.status in ("running", "pausing"):
                self._jobs.journal(job.id).mend()
                self._take_up(job)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._validate_jobs())
                group.create_task(self._train_jobs())
        finally:
            self._stopping = True

    def submit(self, job: Job) -> None:
        """Take on a job that was just recorded."""
        journal = self._jobs.journal(job.id)
        journal.append("created", f"Created fine-tuning job: {job.id}")
        journal.append("validating", f"Validating training file: {job.training_file}")
        self._arrived.set()

    async def cancel(self, job: Job) -> Job:
        """End a job that is not over. Recorded first, so that a crash cannot bring it back."""
        job = self._jobs.change(job.id, status="cancelled")
        if self._training == job.id and self._child is not None:
            await end(self._child)
        remove_tree(self._jobs.model_home(job.id))
        journal = self._jobs.journal(job.id)
        journal.mend()
        journal.append("cancelled", "The job was cancelled")
        return job

    def pause(self, job: Job) -> Job:
        """Let a job rest: one in line at once, one that trains after the step it is in."""
        if job.status == "queued":
            return self._rest(job)
        job = self._jobs.change(job.id, status="pausing")
        self._ask_to_pause(job)
        return job

    def resume(self, job: Job) -> Job:
        """Put a paused job back in line, where its age puts it."""
        self._tell(job, "The job was resumed and waits for its turn")
        job = self._jobs.change(job.id, status="queued")
        self._queued.set()
        return job

    def _ask_to_pause(self, job: Job) -> None:
        if self._training == job.id and self._child is not None:
            ask_to_pause(self._child)

    def _rest(self, job: Job) -> Job:
        self._tell(job, f"The job was paused at step {saved_step(self._jobs.home(job.id))}")
        return self._jobs.change(job.id, status="paused")

    def _take_up(self, job: Job) -> None:
        """Decide on a job that an earlier server left while it trained."""
        if (self._jobs.home(job.id) / OUTCOME).exists():
            self._jobs.change(job.id, status="running")
        elif job.status == "pausing":
            self._rest(job)
        else:
            said = "Training was interrupted by a restart of the trainer; it goes on from its last checkpoint"
            self._tell(job, said, level="warn")

    def _tell(self, job: Job, message: str, level: str = "info") -> None:
        """Record what may happen to a job more than once."""
        journal = self._jobs.journal(job.id)
        journal.append(f"{message} at {len(journal.events)}", message, level=level)

    def _next(self, *statuses: str) -> Job | None:
        return next((job for job in self._jobs.all() if job.status in statuses), None)

    async def _validate_jobs(self) -> None:
        while True:
            self._arrived.clear()
            while job := self._next("validating_files"):
                await self._guard(job, self._validate(job))
            await self._arrived.wait()

    async def _guard(self, job: Job, work: Coroutine[None, None, None]) -> None:
        """One job's trouble is that job's end, and not the end of those behind it."""
        try:
            await work
        except Exception:
            if self._jobs.get(job.id).ended:
                return
            LOG.exception("job %s failed on our side", job.id)
            said = "Something failed inside the trainer; its log has the details."
            self._fail(job, {"code": "server_error", "message": said, "param": None})

    async def _validate(self, job: Job) -> None:
        def given_up() -> bool:
            return self._stopping or self._jobs.get(job.id).ended

        try:
            found = await asyncio.to_thread(survey_files, self._jobs.home(job.id), job.method, given_up)
        except GivenUp:
            return
        except asyncio.CancelledError:
            self._stopping = True
            raise
        except InvalidFile as invalid:
            if not self._jobs.get(job.id).ended:
                self._fail(job, invalid.error)
            return
        if self._jobs.get(job.id).ended:
            return
        self._jobs.journal(job.id).append("validated", "Files validated, moving job to queued state")
        self._jobs.change(job.id, status="queued", hyperparameters=resolve(job.hyperparameters, found))
        self._queued.set()

    async def _train_jobs(self) -> None:
        while True:
            self._queued.clear()
            while job := self._next("running", "queued"):
                await self._guard(job, self._train(job))
            await self._queued.wait()

    async def _train(self, job: Job) -> None:
        home = self._jobs.home(job.id)
        begun_at = saved_step(home)
        began = time.time()
        if not (home / OUTCOME).exists():
            await self._train_in_child(job, home)
            if not begun_at:
                self._learn(job, home, began)
        job = self._jobs.get(job.id)
        if job.ended:
            return
        if (home / OUTCOME).exists():
            self._settle(job, home)
        elif job.status == "pausing":
            self._rest(job)
        elif saved_step(home) > begun_at:  # it stays "running", and is the next one to be trained
            said = "The training process ended before its time; training goes on from its last checkpoint"
            self._tell(job, said, level="warn")
        else:
            said = "Training stopped before it was done; the trainer's log has the details."
            self._fail(job, {"code": "training_stopped", "message": said, "param": None})

    def _learn(self, job: Job, home: Path, began: float) -> None:
        """Take the pace of a run that went through in one go."""
        if not (home / OUTCOME).exists() or read_json(home / OUTCOME).get("error"):
            return
        megabytes = (home / TRAINING).stat().st_size * int(job.hyperparameters["n_epochs"]) / MEGABYTE
        if pace := pace_of(self._jobs.journal(job.id), began, time.time(), megabytes):
            self._paces.learn(pace)

    async def _train_in_child(self, job: Job, home: Path) -> None:
        Plan(job.id, job.model_name, job.seed, **job.hyperparameters).save(home)
        self._jobs.journal(job.id).append("started", "Fine-tuning job started")
        self._jobs.journal(job.id).append("caution", CAUTION, level="warn")
        if step := saved_step(home):
            self._tell(job, f"Training goes on from step {step}")
        self._jobs.change(job.id, status="running")
        child = await start(home)
        self._training, self._child = job.id, child
        try:
            now = self._jobs.get(job.id)  # it may have been cancelled or paused while the process was being started
            if now.status == "pausing":
                self._ask_to_pause(now)
            if not now.ended:
                await child.wait()
        finally:
            await end(child)
            self._training = self._child = None
            self._jobs.journal(job.id).mend()

    def _settle(self, job: Job, home: Path) -> None:
        """Record how training ended. Doing it again after a crash in between changes nothing."""
        outcome = read_json(home / OUTCOME)
        if outcome.get("error"):
            self._fail(job, outcome["error"])
            return
        # OpenAI serves result files as base64, to the surprise of many; a client written against us must cope.
        results = base64.b64encode((home / RESULTS).read_bytes())
        name = f"file-{job.id.removeprefix('ftjob-')}"
        record = self._files.put(name, "step_metrics.csv", "fine-tune-results", results)
        journal = self._jobs.journal(job.id)
        journal.append("model", f"New fine-tuned model created: {job.model_name}. {CAUTION}")
        journal.append("completed", "The job has successfully completed")
        self._jobs.change(
            job.id, status="succeeded", trained_tokens=outcome["trained_tokens"], result_files=[record.id]
        )

    def _fail(self, job: Job, error: dict[str, Any]) -> None:
        self._jobs.journal(job.id).append("failed", f"The job failed: {error['message']}", level="error")
        self._jobs.change(job.id, status="failed", error=error)
