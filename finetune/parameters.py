"""What a person types for a launch, read: rates, beta, amounts, Weights & Biases; UserError says what to change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from finetune.launch import Wandb, parse_multiplier

if TYPE_CHECKING:
    from finetune.catalogue import Method, RateUnit

SMALLEST_MULTIPLIER: Final = 0.001
"""A bare number below this is a learning rate, not a multiplier of one: nobody lowers a rate a thousand times."""

LARGEST_RATE: Final = 0.01
"""A number above this is a multiplier, not a learning rate: no model survives such a one."""

METHOD_NAMES: Final[dict[str, Method]] = {
    "sft": "supervised",
    "supervised": "supervised",
    "dpo": "dpo",
    "preference": "dpo",
    "rft": "reinforcement",
    "reinforcement": "reinforcement",
}
EFFORTS: Final = ("low", "medium", "high")

_NUMBER: Final = re.compile(r"(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:e[+-]?\d{1,2})?", re.ASCII)
_AMOUNT: Final = re.compile(r"\$?\s*((?:[0-9]{1,3}(?:,[0-9]{3}){1,2}|[0-9]{1,9})(?:\.[0-9]{0,9})?|\.[0-9]{1,9})")
"""A comma only between thousands: of somebody who writes 2,50 for two and a half it must not make 250."""
_WANDB: Final = re.compile(r"[\w.-]{1,128}")
_TAGS_MAX: Final = 10
_WANDB_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Rate:
    """A learning rate: a multiplier of the provider's own, an absolute one, or neither ("auto")."""

    multiplier: float | None = None
    absolute: float | None = None


def parse_method(text: str) -> Method:
    """Return a method by any of its names."""
    method = METHOD_NAMES.get(text.strip().lower())
    if method is None:
        raise UserError("method-invalid", "The method is sft, dpo or rft.", "Leave it out: the rows say which it is.")
    return method


def parse_rate(text: str, unit: RateUnit) -> Rate:
    """Return a learning rate as a provider takes it: `x0.5` is a multiplier, `2e-5` a rate, nothing or auto neither."""
    value = text.strip().lower()
    if value in {"", "auto"}:
        return Rate()
    if unit == "absolute":
        return Rate(absolute=_absolute(value))
    if not value.startswith("x") and (number := _number(value)) is not None and 0 < number < SMALLEST_MULTIPLIER:
        raise UserError(
            "lr-unit",
            "This provider takes a multiplier of its own learning rate, not a rate.",
            "Write x0.5 for half of it, or leave it at auto.",
        )
    return Rate(multiplier=parse_multiplier(value))


def _absolute(value: str) -> float:
    number = _number(value.removeprefix("x"))
    if value.startswith("x") or (number is not None and number > LARGEST_RATE):
        raise UserError(
            "lr-unit",
            "This provider takes a learning rate, not a multiplier.",
            "Write it as 2e-5, or leave it at auto.",
        )
    if not number:
        most = f"above 0 and at most {LARGEST_RATE:g}"
        raise UserError("lr-invalid", f"The learning rate is a number {most}, such as 2e-5.", "Or auto.")
    return number


def parse_number(text: str, *, name: str, above: float, most: float) -> float | None:
    """Return a number above `above` and at most `most`, None for "auto" or nothing."""
    value = text.strip().lower()
    if value in {"", "auto"}:
        return None
    number = _number(value)
    if number is None or not above < number <= most:
        code = f"{name.lower().replace(' ', '-')}-invalid"
        raise UserError(code, f"{name} is a number above {above:g} and at most {most:g}.", "Or leave it at auto.")
    return number


def parse_effort(text: str) -> str | None:
    """Return how hard a reasoning model thinks, None for "auto" or nothing."""
    value = text.strip().lower()
    if value in {"", "auto", "default"}:
        return None
    if value not in EFFORTS:
        raise UserError("effort-invalid", "Reasoning effort is low, medium or high.", "Or leave it at auto.")
    return value


def parse_usd(text: str) -> float | None:
    """Return an amount of US dollars, with or without the sign; None for nothing."""
    value = text.strip()
    if not value:
        return None
    match = _AMOUNT.fullmatch(value)
    number = float(match[1].replace(",", "")) if match else None
    if number is None:
        raise UserError("cap-invalid", "The most it may cost is an amount of US dollars.", "For example: 5 or $2.50")
    return number


def parse_wandb(text: str) -> Wandb | None:
    """Return where Weights & Biases shows a run: `project`, `team/project` or `team/project/name`, then `#tags`."""
    words = text.split()
    if not words:
        return None
    place, *tags = words
    parts = place.split("/")
    names = [*parts, *(tag.removeprefix("#") for tag in tags)]
    right = (
        len(text) <= _WANDB_CHARACTERS
        and len(parts) <= 3
        and all(tag.startswith("#") for tag in tags)
        and len(tags) <= _TAGS_MAX
    )
    if not right or not all(_WANDB.fullmatch(name) for name in names):
        raise UserError(
            "wandb-invalid",
            "For Weights & Biases, name a project: project, team/project or team/project/run-name, then #tags.",
            "For example: support/tickets #first-try",
        )
    entity, project, name = {1: ("", *parts, ""), 2: (*parts, ""), 3: tuple(parts)}[len(parts)]
    return Wandb(project=project, entity=entity, name=name, tags=tuple(names[len(parts) :]))


def wandb_words(wandb: Wandb) -> str:
    """Return what `parse_wandb` reads as this."""
    place = [wandb.entity, wandb.project, wandb.name] if wandb.name else [wandb.entity, wandb.project]
    return " ".join(["/".join(part for part in place if part), *(f"#{tag}" for tag in wandb.tags)])


def _number(value: str) -> float | None:
    return float(value) if _NUMBER.fullmatch(value) else None
