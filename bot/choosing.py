"""Each choice of a launch, checked against what the rows, the model and the provider allow."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Final

from bot.said import FieldError
from finetune.errors import UserError
from finetune.launch import METHOD_OF_FORMAT, Reinforcement, Validation, parse_whole
from finetune.parameters import parse_effort, parse_method, parse_number, parse_wandb

if TYPE_CHECKING:
    from bot.offer import Offer, Start
    from bot.said import Said
    from finetune.catalogue import Method
    from finetune.launch import Wandb

TRAIN_MIN: Final = 10
TWO_CLASSES: Final = 2
SPLIT: Final = "split"
OF_REINFORCEMENT: Final = ("grader", "effort", "compute", "eval_every", "eval_samples")
METHOD_WORDS: Final[dict[Method, str]] = {
    "supervised": "example (sft)",
    "dpo": "preference (dpo)",
    "reinforcement": "reinforcement (rft)",
}


def insist_on_provider(offer: Offer, start: Start, said: Said) -> None:
    """Raise FieldError where a provider is named that is not there, or not the one that trains this model."""
    named = said.values.get("provider", "").strip().lower()
    here = offer.desk.providers
    if named and named not in here:
        known = f"The provider here is {next(iter(here))}." if len(here) == 1 else f"Providers here: {', '.join(here)}."
        raise FieldError("model", UserError("provider-unknown", known, "Leave provider= out, or name one of these."))
    if named and named != start.provider:
        error = UserError(
            "provider-differs",
            f"{start.label} is trained by {start.provider}, not by {named}.",
            "Leave provider= out, or name a model of its own.",
        )
        raise FieldError("model", error)


def method_of(offer: Offer, said: Said) -> Method:
    """Return how the rows are trained on, which they say themselves; whoever names a method must name that one."""
    method = METHOD_OF_FORMAT.get(str(offer.report.format), "supervised")
    named: Method | None = said.read("method", parse_method) if said.values.get("method") else None
    if named and named != method:
        error = UserError(
            "method-not-for-format",
            f"{offer.report.format} rows are learnt by {METHOD_WORDS[method]}, not by {METHOD_WORDS[named]}.",
            f"{_ROWS_FOR[named]} Or leave method= out.",
        )
        raise FieldError("model", error)
    return method


_ROWS_FOR: Final[dict[Method, str]] = {
    "supervised": "Examples to learn by are chat rows, or prompts with completions.",
    "dpo": "For dpo, drop rows with input, preferred_output and non_preferred_output.",
    "reinforcement": "For rft, drop rows whose messages end with the user, with the right answer beside them.",
}


def validation_of(offer: Offer, said: Said) -> tuple[Validation | None, int]:
    """Return the dataset to measure by, or else how many percent of the rows."""
    if said.values.get("valid", "") not in {"", SPLIT}:
        other = said.read("valid", offer.validation)
        return Validation(dataset=other.ref.id, sha256=other.data.sha256), 0
    holdout = said.read("holdout", lambda text: parse_whole(text, name="percentage", low=0, high=50)) or 0
    _insist_on_rows(offer, holdout)
    return None, holdout


def _insist_on_rows(offer: Offer, holdout_percent: int) -> None:
    left = offer.report.examples - math.ceil(offer.report.examples * holdout_percent / 100)
    if holdout_percent and left < TRAIN_MIN:
        error = UserError(
            "too-few-left",
            f"That would leave {left} rows to train on, and providers want {TRAIN_MIN}.",
            "Keep fewer for validation.",
        )
        raise FieldError("holdout", error)


def beta_of(method: Method, said: Said) -> float | None:
    """Return the beta of learning by preference, None for auto."""
    beta: float | None = said.read("beta", lambda text: parse_number(text, name="Beta", above=0, most=2))
    if beta is not None and method != "dpo":
        error = UserError("beta-not-for-method", "Only learning by preference (dpo) has a beta.", "Leave beta= out.")
        raise FieldError("beta", error)
    return beta


def insist_on_own(method: Method, said: Said) -> None:
    """Raise FieldError where something is named that only learning by reinforcement has: it would be dropped unsaid."""
    for name in OF_REINFORCEMENT if method != "reinforcement" else ():
        if said.values.get(name, "").strip().lower() not in {"", "auto", "default"}:
            only = f"Only learning by reinforcement (rft) has {name}=."
            raise FieldError(name, UserError(f"{name}-not-for-method", only, f"Leave {name}= out."))


def insist_on_measure(method: Method, validation: Validation | None, holdout_percent: int) -> None:
    """Raise FieldError where learning by reinforcement has no rows to be measured on, which providers insist on.

    OpenAI's and Azure's guides to reinforcement fine-tuning want a training and a validation file.
    """
    if method == "reinforcement" and validation is None and not holdout_percent:
        error = UserError(
            "validation-missing",
            "Learning by reinforcement needs rows to measure it by.",
            "Keep some of these, such as 10%, or name another dataset.",
        )
        raise FieldError("holdout", error)


def reinforcement_of(grader: str, said: Said) -> Reinforcement:
    """Return what learning by reinforcement needs besides."""
    return Reinforcement(
        grader=hashlib.sha256(grader.encode()).hexdigest(),
        reasoning_effort=said.read("effort", parse_effort),
        compute_multiplier=said.read("compute", lambda text: parse_number(text, name="Compute", above=1e-5, most=10)),
        eval_interval=said.read("eval_every", lambda text: parse_whole(text, name="steps", low=1, high=10**6)),
        eval_samples=said.read("eval_samples", lambda text: parse_whole(text, name="samples", low=1, high=1_000)),
    )


def wandb_of(offer: Offer, start: Start, said: Said) -> Wandb | None:
    """Return where Weights & Biases shows the run, None for nowhere; FieldError where the provider cannot."""
    wandb: Wandb | None = said.read("wandb", parse_wandb)
    if wandb is not None and not offer.service(start.provider).wandb:
        error = UserError(
            "wandb-unsupported", f"{start.provider} does not report to Weights & Biases.", "Leave wandb= out."
        )
        raise FieldError("wandb", error)
    return wandb


def classes_of(offer: Offer, text: str) -> int | None:
    """Return the number of classes, which the rows must have: otherwise some class is misspelt."""
    said = parse_whole(text, name="number of classes", low=2, high=1_000)
    found = len(offer.labels)
    if said is not None and said != found:
        raise UserError(
            "classes-differ",
            f"The rows have {found or 'no'} classes, not {said}.",
            "Look for labels that are spelt in several ways, or leave classes= out.",
        )
    return said


def positive_of(offer: Offer, text: str) -> int | None:
    """Return the place of the class that is named among the dataset's labels."""
    wanted = text.strip().casefold()
    if not wanted:
        return None
    names = [label.strip().casefold() for label in offer.labels]
    if len(names) != TWO_CLASSES or wanted not in names:
        known = ", ".join(offer.labels) if len(names) == TWO_CLASSES else "none, since there are not two classes"
        raise UserError("positive-unknown", "There is no such class to be the positive one.", f"There is {known}.")
    return names.index(wanted)
