"""What a person confirms before money is spent: the exact request, its price, and one digest over both."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from finetune.catalogue import Method  # noqa: TC001 - msgspec reads the annotations at run time
from finetune.errors import UserError

SEED_MAX = 2_147_483_647

METHOD_OF_FORMAT: Final[dict[str, Method]] = {"preference": "dpo", "reinforcement": "reinforcement"}
"""What rows of a format are trained by; every other format is learnt by example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What the run is expected to cost, in US dollars, and what that rests on."""

    low_usd: float
    high_usd: float
    epochs: int
    tokens: int
    prices_as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Another checked dataset whose rows the run is measured on."""

    dataset: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What training goes on from: the model of a job of ours, or its checkpoint at `step` (0: the finished model).

    `name` is what the provider calls it.
    """

    job: str
    name: str
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wandb:
    """Where Weights & Biases shows the run; "" leaves the provider's default."""

    project: str
    entity: str = ""
    name: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinforcement:
    """What learning from a grader needs besides; None means the provider's "auto".

    `grader` is the hash of a blob: the grader as JSON, in the form that `finetune.graders` makes.
    """

    grader: str
    reasoning_effort: str | None = None
    compute_multiplier: float | None = None
    eval_interval: int | None = None
    eval_samples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainRequest:
    """One fine-tune, exactly as it will be asked of the provider. None means the provider's "auto".

    `holdout_percent` of the rows are kept aside for validation (0: none), drawn with `seed`; with `validation` it is 0.
    `model` is the base, also where training goes on from a tuned one (`parent`). The learning rate is a multiplier of
    the provider's own or an absolute one, as the provider takes it. `cap_usd` is the most a person said it may cost.
    `classes` is how many classes a person said there are, `positive` the place of the class (among the labels of the
    dataset's contract) that figures about two classes are of.
    """

    dataset: str
    sha256: str
    format: str
    provider: str
    model: str
    suffix: str
    seed: int
    epochs: int | None
    batch_size: int | None
    learning_rate_multiplier: float | None
    holdout_percent: int
    quote: Quote
    method: Method = "supervised"
    learning_rate: float | None = None
    beta: float | None = None
    reinforcement: Reinforcement | None = None
    validation: Validation | None = None
    parent: Parent | None = None
    wandb: Wandb | None = None
    cap_usd: float | None = None
    classes: int | None = None
    positive: int | None = None

    def digest(self) -> str:
        """SHA-256 over every field, quote included: what a confirmation is bound to.

        A field that stands at its default is left out: what was confirmed before there was such a field keeps its
        digest.
        """
        canonical = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The request as plain JSON values, without the later fields that stand at their defaults."""
        values = asdict(self)
        return {
            field.name: values[field.name]
            for field in dataclasses.fields(self)
            if field.default is dataclasses.MISSING or getattr(self, field.name) != field.default
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> TrainRequest:
        """The inverse of `as_dict`."""
        nested = {name: _NESTED[name](**value[name]) for name in _NESTED if value.get(name) is not None}
        if "wandb" in nested:
            nested["wandb"] = dataclasses.replace(nested["wandb"], tags=tuple(nested["wandb"].tags))
        return cls(**{**value, **nested})


_NESTED: Final[dict[str, Any]] = {
    "quote": Quote,
    "reinforcement": Reinforcement,
    "validation": Validation,
    "parent": Parent,
    "wandb": Wandb,
}


def parse_suffix(text: str) -> str:
    """Return a suffix providers take: 1 to 64 of a-z, 0-9 and hyphens; UserError says what to change."""
    suffix = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", suffix):
        raise UserError(
            "suffix-invalid",
            "A name is 1 to 64 letters a to z, digits and hyphens, and neither begins nor ends with a hyphen.",
            "For example: support-bot",
        )
    return suffix


def suffix_from_filename(filename: str) -> str:
    """Propose a suffix from a file's name: "Support tickets (final).jsonl" → "support-tickets-final"."""
    stem = filename.rsplit("/", 1)[-1].split(".", 1)[0].lower()
    suffix = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:40].strip("-")
    return suffix or "model"


def parse_whole(text: str, *, name: str, low: int, high: int) -> int | None:
    """Return a whole number between `low` and `high`, None for "auto" or nothing; UserError otherwise."""
    value = text.strip().lower()
    if value in {"", "auto"}:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", value) or not low <= int(value) <= high:
        raise UserError(
            f"{name}-invalid", f"{name.capitalize()} is a whole number from {low} to {high}.", "Or leave it at auto."
        )
    return int(value)


def parse_multiplier(text: str) -> float | None:
    """Return a learning-rate multiplier above 0 and at most 100, None for "auto"; UserError otherwise."""
    value = text.strip().lower()
    if value in {"", "auto"}:
        return None
    match = re.fullmatch(r"x?((?:\d{1,3}(?:\.\d{0,18})?|\.\d{1,18})(?:e-?\d{1,2})?)", value, re.ASCII)
    number = float(match[1]) if match else 0.0
    if not 0 < number <= 100:
        raise UserError(
            "lr-invalid", "The learning-rate multiplier is above 0 and at most 100.", "Such as x0.5, or auto."
        )
    return number
