"""Jobs on their way: files validated one after another, then one job at a time trained in a process of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.disk import read_json, remove_tree
from trainer.hyperparameters import GivenUp, Survey, resolve, survey
from trainer.lines import TrainingFileError
from trainer.plan import OUTCOME, RESULTS, TRAINING, VALIDATION, Plan
from trainer.saved_model import CAUTION

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Coroutine

    from trainer.file_store import FileStore
    from trainer.jobs import Job, JobStore

LOG = logging.getLogger(__name__)
MINIMUM_EXAMPLES = 10
ROOT = Path(__file__).resolve().parent.parent
CHILD_SETTINGS = (
    # Matrices this small run slower on several threads than on one, and the server needs a core too.
    "OMP_NUM_THREADS=1",
    "OPENBLAS_NUM_THREADS=1",
    "VECLIB_MAXIMUM_THREADS=1",
    "TOKENIZERS_PARALLELISM=false",
    # glibc would map and unmap every array of more than 128 kB: half of the time of a step.
    "MALLOC_MMAP_THRESHOLD_=1073741824",
    "MALLOC_TRIM_THRESHOLD_=1073741824",
)


class InvalidFile(Exception):  # noqa: N818 - becomes the job's error
    """A job's file cannot be used; carries the job's error."""

    def __init__(self, code: str, message: str, param: str) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "param": param}


class Runner:
    """Moves every job from validating_files to its end, also those that an earlier server left half done."""

    def __init__(self, jobs: JobStore, files: FileStore) -> None:
        self._jobs, self._files = jobs, files
        self._arrived, self._queued = asyncio.Event(), asyncio.Event()
        self._child: Process | None = None
        self._training: str | None = None
        self._stopping = False

    async def run(self) -> None:
        """Work until cancelled; the training process ends before this returns."""
        for job in self._jobs.all():
            if job.status == "running":
                said = "Training was interrupted by a restart of the trainer; it starts again from the beginning"
                journal = self._jobs.journal(job.id)
                journal.mend()
                journal.append(f"restart at {len(journal.events)}", said, level="warn")
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
            found = await asyncio.to_thread(survey_files, self._jobs.home(job.id), given_up)
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
        if not (home / OUTCOME).exists():
            await self._train_in_child(job, home)
        if self._jobs.get(job.id).status == "running":
            self._settle(job, home)

    async def _train_in_child(self, job: Job, home: Path) -> None:
        Plan(job.id, job.model_name, job.seed, **job.hyperparameters).save(home)
        self._jobs.journal(job.id).append("started", "Fine-tuning job started")
        self._jobs.journal(job.id).append("caution", CAUTION, level="warn")
        self._jobs.change(job.id, status="running")
        child = await start(home)
        self._training, self._child = job.id, child
        try:
            if not self._jobs.get(job.id).ended:  # cancelled while the process was being started
                await child.wait()
        finally:
            await end(child)
            self._training = self._child = None
            self._jobs.journal(job.id).mend()

    def _settle(self, job: Job, home: Path) -> None:
        """Record how training ended. Doing it again after a crash in between changes nothing."""
        if not (home / OUTCOME).exists():
            said = "Training stopped before it was done; the trainer's log has the details."
            self._fail(job, {"code": "training_stopped", "message": said, "param": None})
            return
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


def survey_files(home: Path, give_up: Callable[[], bool]) -> Survey:
    """Read a job's files whole. Raises InvalidFile with the line that is wrong."""
    training = survey_file(home / TRAINING, "training", give_up)
    if training.examples < MINIMUM_EXAMPLES:
        said = f"Training file has {training.examples} example(s), but must have at least {MINIMUM_EXAMPLES} examples"
        raise InvalidFile("invalid_n_examples", said, "training_file")
    if (home / VALIDATION).exists():
        validation = survey_file(home / VALIDATION, "validation", give_up)
        if validation.kind is not training.kind:
            said = "The validation file's format is not that of the training file."
            raise InvalidFile("invalid_validation_file", said, "validation_file")
    return training


def survey_file(path: Path, role: str, give_up: Callable[[], bool]) -> Survey:
    try:
        return survey(path, give_up)
    except TrainingFileError as error:
        said = f"The job failed due to an invalid {role} file. {error}"
        raise InvalidFile(f"invalid_{role}_file", said, f"{role}_file") from error


async def start(home: Path) -> Process:
    """Start a training process, in a session of its own so that ctrl-C reaches only the server."""
    with (home / "training.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *("env", *CHILD_SETTINGS, sys.executable, "-m", "trainer.train", str(home)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


async def end(child: Process) -> None:
    """Kill a training process, if it is still there, and wait for it to be gone."""
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGKILL)
    await child.wait()
