"""What Together is asked for: the body that creates a run, and the question what it would cost.

The body is that of `POST /v1/fine-tunes` as the SDK's own helper sends it (`FinetuneRequest` in together 3.1.1,
`lib/types/fine_tuning.py`). The helper itself is not used: beside the one POST that costs money it makes two more
requests, takes no deadline, and prints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from workers.intent_tags import tagged

if TYPE_CHECKING:
    from finetune.launch import TrainRequest
    from workers.provider import Order

SUFFIX_CHARACTERS: Final = 40
"""The longest suffix ("up to 40 character suffix", the SDK's `FineTuningResource.create`)."""

LEARNING_RATE: Final = 1e-5
"""What the SDK asks for where nobody chose."""
CHECKPOINTS_MAX: Final = 10


def creation(order: Order) -> dict[str, Any]:
    """Return the whole body that creates a run: every choice that was confirmed, and the SDK's defaults for the rest.

    There is no "auto" for epochs: what they cost was confirmed by a number, so it is that number that is asked for.
    Validation rows are read once an epoch, as often as the quote counted them. A run without a method of training is a
    LoRA one, and one that goes on from a checkpoint trains as that did.
    """
    request = order.request
    body: dict[str, Any] = {
        "training_file": order.train_file,
        "n_epochs": epochs(request),
        "n_checkpoints": min(epochs(request), CHECKPOINTS_MAX),
        "n_evals": evaluations(order),
        "packing": True,
        "batch_size": request.batch_size or "max",
        "learning_rate": request.learning_rate or LEARNING_RATE,
        "lr_scheduler": {"lr_scheduler_type": "cosine", "lr_scheduler_args": {"min_lr_ratio": 0.0, "num_cycles": 0.5}},
        "warmup_ratio": 0.0,
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        "suffix": tagged(request.suffix, order.intent, most=SUFFIX_CHARACTERS),
        "random_seed": request.seed,
        "training_method": training_method(request),
    }
    return body | _start(request) | ({"validation_file": order.valid_file} if order.valid_file else {})


def estimation(order: Order) -> dict[str, Any]:
    """Return what `fine_tuning.estimate_price` is asked, which is told no more than what a price depends on."""
    request = order.request
    asked: dict[str, Any] = {
        "training_file": order.train_file,
        "n_epochs": epochs(request),
        "n_evals": evaluations(order),
        "training_method": training_method(request),
    }
    return asked | _start(request) | ({"validation_file": order.valid_file} if order.valid_file else {})


def epochs(request: TrainRequest) -> int:
    """Return how often the rows are gone over."""
    return max(1, request.epochs or request.quote.epochs)


def evaluations(order: Order) -> int:
    """Return how often the validation rows are read, which costs what training on them would."""
    return epochs(order.request) if order.valid_file else 0


def training_method(request: TrainRequest) -> dict[str, Any]:
    """Return by which method is trained; a beta that nobody chose is the provider's."""
    if request.method == "dpo":
        return {"method": "dpo"} | ({"dpo_beta": request.beta} if request.beta is not None else {})
    return {"method": "sft", "train_on_inputs": "auto"}


def _start(request: TrainRequest) -> dict[str, Any]:
    """Return what training goes on from; a base beside a checkpoint is refused."""
    return {"from_checkpoint": request.parent.name} if request.parent else {"model": request.model}
