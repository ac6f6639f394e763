"""Fine-tuning jobs: their records, kept on disk, and the events of each."""

from __future__ import annotations

import os
import shutil
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trainer.disk import read_json, sync_directory, write_json
from trainer.identifiers import new_id
from trainer.journal import Journal
from trainer.plan import BASE, CHECKPOINTS, EVENTS, MODEL, STATE, TRAINING, VALIDATION
from trainer.refusals import Refusal

if TYPE_CHECKING:
    from pathlib import Path

BASE_MODEL = "toy-gpt"
ENDED = ("succeeded", "failed", "cancelled")
OPEN_JOURNALS = 16


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `model_name` is what its model will be called, `base` what it goes on from; times in Unix seconds."""

    id: str
    created_at: float
    model_name: str
    suffix: str | None
    training_file: str
    validation_file: str | None
    seed: int
    metadata: dict[str, str]
    hyperparameters: dict[str, Any]
    status: str = "validating_files"
    finished_at: float | None = None
    trained_tokens: int | None = None
    result_files: list[str] = field(default_factory=list[str])
    error: dict[str, Any] | None = None
    method: str = "supervised"
    base: str = BASE_MODEL

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    def public(self, estimated_finish: float | None) -> dict[str, Any]:
        """The job in OpenAI's form."""
        return {
            "object": "fine_tuning.job",
            "id": self.id,
            "model": self.base,
            "created_at": int(self.created_at),
            "finished_at": None if self.finished_at is None else int(self.finished_at),
            "fine_tuned_model": self.model_name if self.status == "succeeded" else None,
            "organization_id": "org-local",
            "result_files": self.result_files,
            "status": self.status,
            "validation_file": self.validation_file,
            "training_file": self.training_file,
            "hyperparameters": {name: value for name, value in self.hyperparameters.items() if name != "beta"},
            "trained_tokens": self.trained_tokens,
            "error": self.error,
            "user_provided_suffix": self.suffix,
            "seed": self.seed,
            "estimated_finish": None if estimated_finish is None else int(estimated_finish),
            "integrations": [],
            "metadata": self.metadata,
            "method": {"type": self.method, self.method: {"hyperparameters": self.hyperparameters}},
        }


def new_model_name(suffix: str | None) -> str:
    return f"ft:{BASE_MODEL}:local:{suffix or ''}:{new_id('', 8)}"


class JobStore:
    """The jobs under one directory, a directory each; a record is replaced whole."""

    def __init__(self, home: Path) -> None:
        self._home = home
        home.mkdir(parents=True, exist_ok=True)
        records = [Job(**read_json(path)) for path in home.glob("*/job.json")]
        self._jobs = {job.id: job for job in sorted(records, key=lambda one: one.created_at)}
        self._journals: OrderedDict[str, Journal] = OrderedDict()

    def home(self, job_id: str) -> Path:
        return self._home / job_id

    def add(self, job: Job, training: Path, validation: Path | None, base: Path | None = None) -> None:
        """Keep a new job with its data and the model it goes on from, linked: deleting those takes nothing from it."""
        home = self.home(job.id)
        home.mkdir()
        link(training, home / TRAINING)
        if validation is not None:
            link(validation, home / VALIDATION)
        if base is not None:
            shutil.copytree(base, home / BASE, copy_function=link)
        self._keep(job)
        sync_directory(self._home)

    def change(self, job_id: str, **changes: Any) -> Job:
        """Record changes to a job; a job that ends gets its time."""
        job = replace(self._jobs[job_id], **changes)
        if job.ended and job.finished_at is None:
            job = replace(job, finished_at=time.time())
        self._keep(job)
        if job.ended:  # its data would otherwise stay for good, also where the person deleted the file
            for name in (TRAINING, VALIDATION, STATE):
                (self.home(job_id) / name).unlink(missing_ok=True)
            shutil.rmtree(self.home(job_id) / BASE, ignore_errors=True)
        return job

    def _keep(self, job: Job) -> None:
        write_json(self.home(job.id) / "job.json", asdict(job))
        self._jobs[job.id] = job

    def get(self, job_id: str) -> Job:
        """Raises Refusal for an id that is unknown."""
        found = self._jobs.get(job_id)
        if found is None:
            raise Refusal(404, f"Could not find fine tune: {job_id[:100]}", code="fine_tune_not_found", param="id")
        return found

    def all(self) -> list[Job]:
        """Every job, oldest first."""
        return list(self._jobs.values())

    def journal(self, job_id: str) -> Journal:
        """The events of a job, as far as they are written; the last few used are kept in memory."""
        journal = self._journals.pop(job_id, None) or Journal(self.home(job_id) / EVENTS, job_id)
        self._journals[job_id] = journal
        if len(self._journals) > OPEN_JOURNALS:
            self._journals.popitem(last=False)
        journal.refresh()
        return journal

    def model_home(self, job_id: str) -> Path:
        return self.home(job_id) / MODEL

    def checkpoint_homes(self, job_id: str) -> list[Path]:
        """The directories of a job's whole checkpoints, newest first."""
        found = (self.home(job_id) / CHECKPOINTS).glob("step-*/checkpoint.json")
        return sorted((path.parent for path in found), key=step_of, reverse=True)


def step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def link(source: Path | str, target: Path | str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
