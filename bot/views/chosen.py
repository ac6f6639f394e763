"""What was chosen for a run, as facts to be read: one line each, only what says something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, code, mrkdwn
from bot.views import words
from finetune.parameters import wandb_words

if TYPE_CHECKING:
    from finetune.launch import TrainRequest

    Facts = list[tuple[str, str | Mrkdwn]]

METHODS: Final = {"supervised": "example (supervised)", "dpo": "preference (DPO)", "reinforcement": "reinforcement"}
SHA_SHOWN: Final = 12


def chosen_facts(request: TrainRequest) -> Facts:
    """Every choice of a request; of those a method does not have, nothing."""
    return [
        ("Base model", words.name(request.model)),
        ("Goes on from", _parent(request)),
        ("Provider", words.name(request.provider)),
        ("Method", METHODS[request.method]),
        ("Dataset", mrkdwn("{id} {sha}", id=words.handle(request.dataset), sha=code(request.sha256[:SHA_SHOWN]))),
        *_validation(request),
        ("Epochs", or_auto(request.epochs)),
        ("Batch size", or_auto(request.batch_size)),
        *_rate(request),
        ("Beta", or_auto(request.beta) if request.method == "dpo" else ""),
        *_reinforcement(request),
        ("Weights & Biases", words.name(wandb_words(request.wandb)) if request.wandb else ""),
        ("Name", words.name(request.suffix)),
    ]


def or_auto(value: float | None) -> str:
    """A number that was chosen, or that the provider chooses."""
    return "auto" if value is None else f"{value:g}"


def _parent(request: TrainRequest) -> Mrkdwn:
    if request.parent is None:
        return EMPTY
    step = f" at step {request.parent.step:,}" if request.parent.step else ""
    return mrkdwn("{model}{step}", model=words.model_handle(words.name(request.parent.job)), step=_spaced(step))


def _spaced(text: str) -> Mrkdwn:
    return mrkdwn(" {text}", text=text.strip()) if text else EMPTY


def _validation(request: TrainRequest) -> Facts:
    if request.validation is None:
        return [("Kept for validation", f"{request.holdout_percent}%, seed {request.seed}")]
    sha = code(request.validation.sha256[:SHA_SHOWN])
    measured = mrkdwn("{id} {sha}", id=words.handle(request.validation.dataset), sha=sha)
    return [("Measured by", measured), ("Seed", str(request.seed))]


def _rate(request: TrainRequest) -> Facts:
    if request.learning_rate is not None:
        return [("Learning rate", f"{request.learning_rate:g}")]
    return [("Learning-rate multiplier", or_auto(request.learning_rate_multiplier))]


def _reinforcement(request: TrainRequest) -> Facts:
    learnt = request.reinforcement
    if learnt is None:
        return []
    return [
        ("Grader", code(learnt.grader[:SHA_SHOWN])),
        ("Reasoning effort", words.name(learnt.reasoning_effort or "auto")),
        ("Compute multiplier", or_auto(learnt.compute_multiplier)),
        ("Steps between evaluations", or_auto(learnt.eval_interval)),
        ("Evaluation samples", or_auto(learnt.eval_samples)),
    ]
