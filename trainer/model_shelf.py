"""The models there are: the untrained base, and what jobs left on disk, by name."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from trainer.disk import remove_tree
from trainer.gpt import Shape, initial_params
from trainer.jobs import BASE_MODEL, step_of
from trainer.refusals import Refusal, unknown_model
from trainer.saved_model import CAUTION, SavedModel, load_model
from trainer.vocabulary import Vocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.jobs import Job, JobStore

BASE_CREATED = 1_795_132_800  # 2026-11-20
BASE_CAUTION = "Untrained: random weights that answer with random bytes until they are fine-tuned."
CHECKPOINT = re.compile(r"(?P<model>.+):ckpt-step-\d+")
load_cached = lru_cache(maxsize=8)(load_model)


class ModelShelf:
    """Models by name. A fine-tuned model exists as long as its directory does."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs

    @cached_property
    def _base(self) -> SavedModel:
        vocabulary = Vocabulary.learn([])
        shape = Shape(vocabulary.size)
        return SavedModel(initial_params(shape, seed=0), shape, vocabulary, "any")

    def _homes(self, job: Job) -> dict[str, Path]:
        """The models of one job that are on disk, with their directories."""
        found = {f"{job.model_name}:ckpt-step-{step_of(home)}": home for home in self._jobs.checkpoint_homes(job.id)}
        final = self._jobs.model_home(job.id)
        return {job.model_name: final, **found} if job.status == "succeeded" and final.exists() else found

    def _find(self, name: str) -> tuple[Job, Path]:
        owner = match["model"] if (match := CHECKPOINT.fullmatch(name)) else name
        for job in self._jobs.all():
            if job.model_name == owner and (home := self._homes(job).get(name)):
                return job, home
        raise unknown_model(name)

    def exists(self, name: str) -> bool:
        try:
            return name == BASE_MODEL or bool(self._find(name))
        except Refusal:
            return False

    def all(self) -> list[dict[str, Any]]:
        """Every model in OpenAI's form, the base first."""
        tuned = [describe(name, job) for job in self._jobs.all() for name in self._homes(job)]
        return [describe(BASE_MODEL, None), *tuned]

    def get(self, name: str) -> dict[str, Any]:
        """One model in OpenAI's form. Raises Refusal."""
        return describe(name, None if name == BASE_MODEL else self._find(name)[0])

    def load(self, name: str) -> SavedModel:
        """The model itself, from memory if it was used lately. Raises Refusal."""
        return self._base if name == BASE_MODEL else load_cached(self._find(name)[1])

    def home(self, name: str) -> Path:
        """Where a fine-tuned model or a checkpoint lies. Raises Refusal."""
        return self._find(name)[1]

    def delete(self, name: str) -> None:
        """Delete a fine-tuned model or a checkpoint. Raises Refusal for the base and for what is not there."""
        if name == BASE_MODEL:
            raise Refusal(
                403, f"The base model {BASE_MODEL} cannot be deleted.", code="permission_denied", param="model"
            )
        remove_tree(self._find(name)[1])


def describe(name: str, job: Job | None) -> dict[str, Any]:
    created = BASE_CREATED if job is None else int(job.finished_at or job.created_at)
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "tuneroom",
        "shutdown_date": None,
        "description": BASE_CAUTION if job is None else CAUTION,
    }
