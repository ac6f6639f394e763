"""What a training process is told, and what it leaves behind: the files in a job's directory."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from trainer.disk import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = "events.jsonl"
TRAINING = "training.jsonl"
VALIDATION = "validation.jsonl"
MODEL = "model"
BASE = "base"
CHECKPOINTS = "checkpoints"
STATE = "state.safetensors"
RESULTS = "results.csv"
OUTCOME = "outcome.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """One training run, complete: with the same files and the same plan comes the same model.

    `beta` is of the preference method; None: learn by example.
    """

    job_id: str
    model: str
    seed: int
    n_epochs: int
    batch_size: int
    learning_rate_multiplier: float
    beta: float | None = None

    def save(self, home: Path) -> None:
        write_json(home / "plan.json", asdict(self))

    @classmethod
    def load(cls, home: Path) -> Plan:
        return cls(**read_json(home / "plan.json"))
