"""How a job's model is to be asked: the contract that was kept when the job was confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.contract import PromptContract

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from workers.workshop import Workshop


def contract_of(shop: Workshop, team: str, job: Job) -> PromptContract:
    """Return how the job's model is to be asked."""
    return PromptContract.from_json(shop.blobs.read(team, job.contract))
