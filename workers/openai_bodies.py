"""The bodies of OpenAI's protocol: what a request is asked for as."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from finetune.launch import TrainRequest, Wandb
    from workers.provider import Order

INTENT_KEY: Final = "tuneroom_intent"
AUTO: Final = "auto"


def creation(order: Order) -> dict[str, Any]:
    """Return the whole body that creates a run: every choice that was confirmed, and nothing else."""
    request = order.request
    body: dict[str, Any] = {
        "model": request.parent.name if request.parent else request.model,
        "training_file": order.train_file,
        "suffix": request.suffix,
        "seed": request.seed,
        "metadata": {INTENT_KEY: order.intent},
        "method": method(request, order.grader),
    }
    if order.valid_file:
        body["validation_file"] = order.valid_file
    if request.wandb:
        body["integrations"] = [{"type": "wandb", "wandb": wandb(request.wandb)}]
    return body


def method(request: TrainRequest, grader: str) -> dict[str, Any]:
    """Return the `method` object; a hyperparameter that nobody chose is "auto"."""
    chosen: dict[str, Any] = {
        "n_epochs": _or_auto(request.epochs),
        "batch_size": _or_auto(request.batch_size),
        "learning_rate_multiplier": _or_auto(request.learning_rate_multiplier or request.learning_rate),
    }
    if request.method == "dpo":
        chosen["beta"] = _or_auto(request.beta)
    if request.reinforcement is None:
        return {"type": request.method, request.method: {"hyperparameters": chosen}}
    learnt = request.reinforcement
    chosen |= {
        "compute_multiplier": _or_auto(learnt.compute_multiplier),
        "eval_interval": _or_auto(learnt.eval_interval),
        "eval_samples": _or_auto(learnt.eval_samples),
        "reasoning_effort": learnt.reasoning_effort or "default",
    }
    return {"type": "reinforcement", "reinforcement": {"grader": json.loads(grader), "hyperparameters": chosen}}


def wandb(place: Wandb) -> dict[str, Any]:
    """Return where Weights & Biases shows the run."""
    given: dict[str, Any] = {"project": place.project, "entity": place.entity, "name": place.name}
    return {name: value for name, value in given.items() if value} | ({"tags": list(place.tags)} if place.tags else {})


def _or_auto(value: float | None) -> Any:
    return AUTO if value is None else value
