"""The training run: batches, steps, validation, checkpoints, and what is said about each on the way."""

from __future__ import annotations

import math
import operator
import shutil
import time
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from trainer.adamw import AdamW, learning_rate
from trainer.batches import epoch
from trainer.disk import write_json
from trainer.objectives import slices
from trainer.plan import CHECKPOINTS, MODEL
from trainer.run_state import restore_state, save_state
from trainer.saved_model import save_model

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence
    from pathlib import Path

    from trainer.gpt import Params
    from trainer.journal import Journal
    from trainer.objectives import Measure, Objective
    from trainer.plan import Plan
    from trainer.saved_model import SavedModel

BASE_RATE = 1.5e-3
KEPT_CHECKPOINTS = 3
VALIDATED = 64  # validation examples that are scored at once
CHECKPOINT_METRICS = frozenset(
    {"step", "train_loss", "train_mean_token_accuracy"}
    | {f"{part}_{name}" for part in ("valid", "full_valid") for name in ("loss", "mean_token_accuracy")}
)
VALIDATIONS = 20  # a sample of the validation file is scored this many times in a run, beside the whole at epoch ends


class TrainingError(Exception):
    """The run cannot go on, for a reason in the data or the hyperparameters."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.param = code, param


class Paused(Exception):  # noqa: N818 - nothing went wrong
    """The run was asked to stop, and its state is saved."""


@dataclass(slots=True)
class Run:
    """One run over its data, from `model` on; `rows` collects the metrics of each step for the result file."""

    plan: Plan
    home: Path
    journal: Journal
    model: SavedModel
    objective: Objective
    data: Sequence[Any]
    validation: Sequence[Any] | None
    rows: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def params(self) -> Params:
        return self.model.params

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.data) / self.plan.batch_size)

    @property
    def total_steps(self) -> int:
        return self.steps_per_epoch * self.plan.n_epochs

    def train(self, pausing: threading.Event) -> None:
        """Train from where the saved state is to the end.

        Raises Paused at the step at which `pausing` is found set, TrainingError if the loss stops being a number.
        """
        optimizer = AdamW(self.params)
        rng = np.random.default_rng(self.plan.seed)
        if order := restore_state(self.home, optimizer):
            rng.bit_generator.state = order
            self.journal.refresh()
            self.rows = [data for event in self.journal.metrics() if (data := event["data"])["step"] <= optimizer.step]
        while optimizer.step < self.total_steps:
            order = dict(rng.bit_generator.state)
            batches = epoch(self.data, self.plan.batch_size, rng)
            for examples in islice(batches, optimizer.step % self.steps_per_epoch, None):
                if pausing.is_set():
                    self.save_progress(optimizer, order)
                    raise Paused
                score = self.take_step(optimizer, examples)
                self.report(optimizer.step, score)
            self.save_checkpoint(optimizer.step)
            self.save_progress(optimizer, dict(rng.bit_generator.state))
        save_model(self.home / MODEL, self.model, self.plan.model)

    def save_progress(self, optimizer: AdamW, order: dict[str, Any]) -> None:
        self.journal.sync()  # a state must not outlive the events of its steps: they are not told again
        save_state(self.home, optimizer, order)

    def take_step(self, optimizer: AdamW, examples: Sequence[Any]) -> Measure:
        step = optimizer.step + 1
        score, gradients = self.objective.learn(self.params, self.model.shape, examples)
        if not math.isfinite(score.loss):
            raise TrainingError(
                "training_diverged",
                f"The loss was not a number at step {step}; try a smaller learning rate.",
                "learning_rate_multiplier",
            )
        scale = np.float32(1 / max(1, score.weight))
        mean = {name: value * scale for name, value in gradients.items()}
        peak = BASE_RATE * self.plan.learning_rate_multiplier
        optimizer.update(mean, learning_rate(peak, step, self.total_steps))
        return score

    def report(self, step: int, score: Measure) -> None:
        metrics: dict[str, Any] = {
            "step": step,
            "total_steps": self.total_steps,
            **named("train", score),
            **self.validate(step),
        }
        self.rows.append(metrics)
        said = f"Step {step}/{self.total_steps}: training loss={metrics['train_loss']:.2f}"
        if "valid_loss" in metrics:
            said += f", validation loss={metrics['valid_loss']:.2f}"
        if "full_valid_loss" in metrics:
            said += f", full validation loss={metrics['full_valid_loss']:.2f}"
        self.journal.append(f"step {step}", said, data=metrics, kind="metrics")

    def validate(self, step: int) -> dict[str, float]:
        """Score a sample of the validation file at intervals, and all of it where an epoch ends."""
        if self.validation is None:
            return {}
        found: dict[str, float] = {}
        last_of_epoch = step % self.steps_per_epoch == 0
        if last_of_epoch or step % max(1, self.total_steps // VALIDATIONS) == 0 or step == 1:
            size = min(self.plan.batch_size, len(self.validation))
            start = (step * size) % max(1, len(self.validation) - size + 1)
            found |= named("valid", self.score(self.validation[start : start + size]))
        if last_of_epoch:
            found |= named("full_valid", self.score(self.validation))
        return found

    def score(self, examples: Sequence[Any]) -> Measure:
        parts = [self.objective.measure(self.params, self.model.shape, part) for part in slices(examples, VALIDATED)]
        return reduce(operator.add, parts)

    def save_checkpoint(self, step: int) -> None:
        """Save the model as it is after an epoch, and let go of all but the last three."""
        shelf = self.home / CHECKPOINTS
        home = shelf / f"step-{step}"
        if not (home / "checkpoint.json").exists():
            shutil.rmtree(home, ignore_errors=True)
            save_model(home, self.model, f"{self.plan.model}:ckpt-step-{step}")
            metrics = {key: value for key, value in self.rows[-1].items() if key in CHECKPOINT_METRICS}
            write_json(home / "checkpoint.json", {"step": step, "created_at": int(time.time()), "metrics": metrics})
        self.journal.append(f"checkpoint {step}", f"Checkpoint created at step {step}")
        stale = step - KEPT_CHECKPOINTS * self.steps_per_epoch
        shutil.rmtree(shelf / f"step-{stale}", ignore_errors=True)


def named(prefix: str, score: Measure) -> dict[str, float]:
    """What is reported of a measurement: "train_loss", "train_mean_token_accuracy"."""
    return {f"{prefix}_{name}": round(value, 5) for name, value in score.reported().items()}
