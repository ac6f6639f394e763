"""Results in plain words: whether the run learnt, over-learnt or stopped short, and what to try next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.results import Curves, Series

Diagnosis = Literal["fits", "overfitting", "underfitting", "unclear"]
Action = Literal["none", "fewer-epochs", "more-epochs", "lower-rate", "hold-out-rows"]

FEWEST_POINTS = 4
"""With fewer validation measurements than this, no shape is read into them."""

NOTICEABLE = 0.05
NOTICEABLE_NATS = 0.02
"""A change of less than 5%, or less than 0.02, is not read as rising or falling."""

_Points = list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the curves say. `sentence` and `next_step` are for anybody; `action` is the next step for a button.

    Losses and shares of tokens predicted right are the last ones measured; `best_step` and `best_valid_loss` are where
    validation loss was lowest, smoothed as `explain` says. None where there is no such measurement.
    """

    final_train_loss: float | None
    final_valid_loss: float | None
    final_train_accuracy: float | None
    final_valid_accuracy: float | None
    best_step: int | None
    best_valid_loss: float | None
    diagnosis: Diagnosis
    sentence: str
    next_step: str
    action: Action


class _Judgement(NamedTuple):
    diagnosis: Diagnosis
    sentence: str
    next_step: str
    action: Action


def explain(curves: Curves, *, held_out: bool = False) -> Explanation:
    """Say what the curves mean, by these rules, the first that fits. `held_out`: rows were given to measure the run by.

    Validation loss is `full_valid_loss` where it was measured twice or more, else `valid_loss`. That is of one batch
    and noisy, so each point is averaged with those before it, a tenth of all; training loss likewise, a fifth of all.
    Losses rise or fall where they change by 5%, and by 0.02 at least.

    1. Training loss ends half above its lowest, and 0.5 nats: it went astray, "unclear" → half the learning rate.
    2. Fewer than 4 validation points: "unclear" → hold rows out, where none were given.
    3. Validation loss ends above its lowest: "overfitting" → the checkpoint at the lowest, fewer epochs.
    4. Validation loss fell over the last quarter of its points: "underfitting" → more epochs.
    5. It ends where it began: "unclear" → compare with the base model.
    6. Otherwise: "fits".
    """
    train = _points(curves.step, curves.train_loss)
    measured, valid = _validation(curves)
    judgement = _judge(_smoothed(train, max(1, len(train) // 5)), valid, held_out=held_out)
    best_step, best_loss = min(valid, key=lambda point: point[1], default=(None, None))
    return Explanation(
        final_train_loss=train[-1][1] if train else None,
        final_valid_loss=measured[-1][1] if measured else None,
        final_train_accuracy=last(curves.train_accuracy),
        final_valid_accuracy=last((*curves.valid_accuracy, *curves.full_valid_accuracy)),
        best_step=best_step,
        best_valid_loss=best_loss,
        diagnosis=judgement.diagnosis,
        sentence=judgement.sentence,
        next_step=judgement.next_step,
        action=judgement.action,
    )


def checkpoint_to_use(curves: Curves, steps: Sequence[int]) -> int | None:
    """Return the step of the checkpoint that did better than the end; None where none is known to.

    Only after overfitting, by the validation loss that `explain` judges: the lowest one last measured at or before a
    checkpoint, where from there to the end it rose. Of two as low it is the earlier.
    """
    if explain(curves).diagnosis != "overfitting":
        return None
    _, valid = _validation(curves)
    lowest: tuple[float, int] | None = None
    for step in sorted(steps):
        before = [loss for at, loss in valid if at <= step < valid[-1][0]]
        if before and (lowest is None or before[-1] < lowest[0]):
            lowest = (before[-1], step)
    return lowest[1] if lowest and _rose(lowest[0], valid[-1][1]) else None


def last(series: Series) -> float | None:
    """Return the last measurement there is; None where there is none."""
    return next((value for value in reversed(series) if value is not None), None)


def _validation(curves: Curves) -> tuple[_Points, _Points]:
    """Validation loss as it was measured, and as it is judged."""
    full = _points(curves.step, curves.full_valid_loss)
    if len(full) > 1:
        return full, full
    measured = _points(curves.step, curves.valid_loss)
    return measured, _smoothed(measured, max(1, len(measured) // 10))


def _judge(train: _Points, valid: _Points, *, held_out: bool) -> _Judgement:
    lowest = min(train, key=lambda point: point[1], default=None)
    if lowest and train[-1][1] >= max(1.5 * lowest[1], lowest[1] + 0.5):
        return _astray(lowest, train[-1])
    if len(valid) < FEWEST_POINTS:
        return _without_validation(train, valid, held_out=held_out)
    first, last = valid[0][1], valid[-1][1]
    best = min(valid, key=lambda point: point[1])
    before = valid[-max(2, len(valid) // 4)][1]
    if _rose(best[1], last):
        return _overfitting(best, last)
    if _rose(last, before):
        return _Judgement(
            "underfitting",
            f"Validation loss was still falling at the end ({before:.2f} to {last:.2f}): "
            "the model had more to learn (underfitting).",
            "Train one or two epochs more.",
            "more-epochs",
        )
    if not _rose(last, first):
        return _Judgement(
            "unclear",
            f"Validation loss hardly moved ({first:.2f} to {last:.2f}): these rows may teach little that is new.",
            "Compare its answers with the base model's.",
            "none",
        )
    return _Judgement(
        "fits",
        f"Validation loss fell from {first:.2f} to {last:.2f} and levelled off: "
        "the model learnt what these rows can teach it.",
        "Try it on questions that are not in the file.",
        "none",
    )


def _rose(low: float, high: float) -> bool:
    return high - low >= max(NOTICEABLE_NATS, NOTICEABLE * low)


def _astray(lowest: tuple[int, float], last: tuple[int, float]) -> _Judgement:
    return _Judgement(
        "unclear",
        f"Training loss rose again after step {lowest[0]}, from {lowest[1]:.2f} to {last[1]:.2f}: "
        "the steps were probably too large.",
        "Train again with half the learning rate.",
        "lower-rate",
    )


def _overfitting(best: tuple[int, float], last: float) -> _Judgement:
    return _Judgement(
        "overfitting",
        f"Validation loss was best at step {best[0]} ({best[1]:.2f}), then rose to {last:.2f}: "
        "the model began to learn the training rows by heart (overfitting).",
        "Train fewer epochs, or use an earlier checkpoint if one did better.",
        "fewer-epochs",
    )


def _without_validation(train: _Points, valid: _Points, *, held_out: bool) -> _Judgement:
    course = f"Training loss went from {train[0][1]:.2f} to {train[-1][1]:.2f}. " if train else ""
    if valid or held_out:
        few = "too few validation measurements" if valid else "no validation loss among the provider's figures"
        return _Judgement(
            "unclear",
            f"{course}There {'are' if valid else 'is'} {few} to say how well it does on new rows.",
            "Try it on questions that are not in the file.",
            "none",
        )
    return _Judgement(
        "unclear",
        f"{course}No rows were held out, so nothing shows how well it does on new ones.",
        "Next time, keep some rows for validation.",
        "hold-out-rows",
    )


def _points(steps: tuple[int, ...], series: Series) -> _Points:
    return [(step, value) for step, value in zip(steps, series, strict=True) if value is not None]


def _smoothed(points: _Points, width: int) -> _Points:
    """Average each point with those before it, `width` in all."""
    sums = [0.0]
    for _, value in points:
        sums.append(sums[-1] + value)
    starts = [max(0, end - width) for end in range(1, len(points) + 1)]
    means = [(sums[end] - sums[start]) / (end - start) for end, start in enumerate(starts, start=1)]
    return [(step, mean) for (step, _), mean in zip(points, means, strict=True)]
