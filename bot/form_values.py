"""What stands in the fields of a launch before anybody types: proposed from the dataset, or from an earlier request."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Final

from bot.choosing import SPLIT
from bot.views import words
from finetune.errors import UserError
from finetune.launch import suffix_from_filename
from finetune.parameters import wandb_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.offer import Offer, Start
    from finetune.launch import TrainRequest

AUTO: Final = "auto"
HOLDOUT_DEFAULT: Final = 10
HOLDOUT_MIN_ROWS: Final = 30


def first_values(offer: Offer, provider: str = "", *, model: str = "") -> dict[str, str]:
    """Return the values that a launch begins with: "auto" where the provider chooses well, else what the task wants.

    They are those for the model that is named, where there is such; else for the first on offer, or the first of a
    `provider` that is named and has one.
    """
    enough = offer.report.examples >= HOLDOUT_MIN_ROWS or offer.report.format == "reinforcement"
    start, data = _start(offer, provider, model), offer.dataset.data
    return {
        "model": start.value,
        "suffix": suffix_from_filename(data.filename),
        "valid": SPLIT,
        # of few rows none are kept aside, unless the method cannot do without
        "holdout": str(HOLDOUT_DEFAULT if enough else 0),
        "seed": str(int(data.sha256[:6], 16)),
        "batch": AUTO,
        "beta": AUTO,
        **_by_task(offer, start),
    }


def _start(offer: Offer, provider: str, model: str) -> Start:
    bases = offer.bases()
    if model:
        with contextlib.suppress(UserError):  # said once the whole request is read
            return offer.start(model)
    return next((base for base in bases if base.provider == provider.strip().lower()), bases[0])


def _by_task(offer: Offer, start: Start) -> dict[str, str]:
    """Return the values that depend on what the rows teach, and whom."""
    guidance, takes = offer.guidance(start), offer.service(start.provider).rate
    return {
        "epochs": str(guidance.epochs(offer.report.examples)) if guidance and guidance.epochs_max else AUTO,
        "lr": f"x{guidance.rate:g}" if guidance and guidance.rate and takes == "multiplier" else AUTO,
    }


def of_another_model(offer: Offer, values: Mapping[str, str]) -> dict[str, str]:
    """Return a form's values once another model is chosen in it: what only the provider before took is taken back."""
    try:
        service = offer.service(offer.start(values.get("model", "")).provider)
    except UserError:  # said in the form
        return dict(values)
    is_multiplier = values.get("lr", "").strip().lower().startswith("x")
    fits = values.get("lr", AUTO) == AUTO or is_multiplier == (service.rate == "multiplier")
    return {**values, "lr": values.get("lr", AUTO) if fits else AUTO, **({} if service.wandb else {"wandb": ""})}


def of_chosen_model(offer: Offer, values: Mapping[str, str]) -> dict[str, str]:
    """Return a form's values once a person has chosen another model in it.

    What only the provider before took is taken back, and what stands as it was proposed for the task is proposed anew:
    the same epochs are too many for one model and too few for another.
    """
    fitting = of_another_model(offer, values)
    proposed = [_by_task(offer, base) for base in offer.bases()]
    anew = _by_task(offer, _start(offer, "", fitting.get("model", "")))
    return fitting | {
        name: value
        for name, value in anew.items()
        if fitting.get(name, AUTO) in {AUTO, *(one[name] for one in proposed)}
    }


def of_line(values: Mapping[str, str]) -> dict[str, str]:
    """Return a line's values as the form has them: `valid=10%` and `valid=none` are a percentage of the rows."""
    said = values.get("valid", "").strip().lower()
    if said in {"none", "no", "0"} or re.fullmatch(r"\d+\s*%", said):
        percent = "0" if said in {"none", "no"} else said.removesuffix("%").strip()
        return {**values, "valid": SPLIT, "holdout": percent}
    return dict(values)


def values_of(request: TrainRequest, grader: str, labels: Sequence[str] = ()) -> dict[str, str]:
    """Return the values that make a request again; `grader` is its grader as JSON, `labels` its dataset's classes."""
    parent, learnt = request.parent, request.reinforcement
    start = words.model_handle(parent.job) + (f"@{parent.step}" if parent.step else "") if parent else request.model
    values = {
        "model": start,
        "suffix": request.suffix,
        "epochs": _number(request.epochs),
        "valid": request.validation.dataset if request.validation else SPLIT,
        "holdout": str(request.holdout_percent),
        "seed": str(request.seed),
        "batch": _number(request.batch_size),
        "lr": _rate(request),
        "beta": _number(request.beta),
        "wandb": wandb_words(request.wandb) if request.wandb else "",
        "cap": _number(request.cap_usd, nothing=""),
        "classes": _number(request.classes, nothing=""),
        "positive": labels[request.positive] if request.positive is not None and request.positive < len(labels) else "",
    }
    if learnt:
        values |= {
            "grader": grader,
            "effort": learnt.reasoning_effort or AUTO,
            "compute": _number(learnt.compute_multiplier),
            "eval_every": _number(learnt.eval_interval),
            "eval_samples": _number(learnt.eval_samples),
        }
    return values


def _number(value: float | None, *, nothing: str = AUTO) -> str:
    return nothing if value is None else str(value)


def _rate(request: TrainRequest) -> str:
    if request.learning_rate is not None:
        return str(request.learning_rate)
    return AUTO if request.learning_rate_multiplier is None else f"x{request.learning_rate_multiplier}"
