"""The bodies of OpenAI's protocol: what a request is asked for as, in the dialect of whoever is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from workers.intent_tags import tagged
from workers.openai_dialects import ORIGINAL, SUFFIX_CHARACTERS, bare
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from finetune.launch import TrainRequest, Wandb
    from workers.openai_dialects import Dialect
    from workers.provider import Order

INTENT_KEY: Final = "tuneroom_intent"
AUTO: Final = "auto"


def creation(order: Order, dialect: Dialect = ORIGINAL) -> dict[str, Any]:
    """Return what `jobs.create` is called with: every choice that was confirmed, and nothing else.

    What the SDK has no argument for is in `extra_body`.
    """
    request = order.request
    body: dict[str, Any] = {
        "model": request.parent.name if request.parent else bare(request.model, request.provider),
        "training_file": order.train_file,
        "seed": request.seed,
    }
    body |= _known_again(order, dialect)
    if dialect.settings == "flat":
        body["hyperparameters"] = flat_settings(request, dialect)
    else:
        body["method"] = method(request, order.grader)
    if order.valid_file:
        body["validation_file"] = order.valid_file
    if request.wandb:
        body["integrations"] = [{"type": "wandb", "wandb": wandb(request.wandb)}]
    return body | ({"extra_body": dict(dialect.body)} if dialect.body else {})


def _known_again(order: Order, dialect: Dialect) -> dict[str, Any]:
    """The suffix, and what a run that was lost is found by."""
    if dialect.lookup == "suffix":
        return {"suffix": tagged(order.request.suffix, order.intent, most=SUFFIX_CHARACTERS)}
    return {"suffix": order.request.suffix, "metadata": {INTENT_KEY: order.intent}}


def flat_settings(request: TrainRequest, dialect: Dialect) -> dict[str, Any]:
    """Return hyperparameters beside the method, the learning rate as an absolute one.

    There is no "auto" here. What nobody chose is the provider's default, but for the epochs: what they cost was
    confirmed by a number, so it is that number that is asked for. ProviderError where more were chosen than there are.
    """
    if request.epochs and request.epochs > dialect.epochs_max:
        most = f"At most {dialect.epochs_max} epochs can be trained at this provider."
        raise ProviderError(ErrorKind.REFUSED, "too-many-epochs", most, "Start it again with fewer.")
    chosen: dict[str, Any] = {
        "n_epochs": min(request.epochs or request.quote.epochs, dialect.epochs_max),
        "batch_size": request.batch_size,
        "learning_rate": request.learning_rate,
    }
    return {name: value for name, value in chosen.items() if value is not None} | dict(dialect.flat_settings)


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
