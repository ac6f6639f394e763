"""The next run to try, as what a launch form would hold: the same as the last one but for one value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from finetune.catalogue import EPOCHS_MAX
from finetune.parameters import SMALLEST_MULTIPLIER

if TYPE_CHECKING:
    from finetune.launch import TrainRequest

HOLDOUT_PERCENT: Final = 10
USUAL_RATE: Final = 1.0


@dataclass(frozen=True, slots=True)
class NextStep:
    """A button's label, and the value of a launch form that it changes."""

    label: str
    field: str
    value: str


def next_step_of(
    action: str,
    request: TrainRequest,
    *,
    epochs: int | None = None,
    rate: float | None = None,
    share: float | None = None,
    epochs_max: int = EPOCHS_MAX,
) -> NextStep | None:
    """Return what to change for a `finetune.explanation.Action`; None where nothing is to be.

    `epochs` and `rate` (a multiplier, or the rate itself where the provider takes rates) are what the run was trained
    with, where "auto" was asked for and the provider told. `share` is how much of the run was done when it was at its
    best: as many epochs are enough, and one fewer than there were at most. A run of one epoch has none to lose, so its
    learning rate is halved instead. A multiplier that nobody told is believed to have been 1. `epochs_max` is the most
    that the provider trains.
    """
    ran = request.epochs or epochs or request.quote.epochs
    match action:
        case "fewer-epochs" if ran > 1:
            enough = min(ran - 1, max(1, math.ceil(ran * (1.0 if share is None else share))))
            return NextStep(f"Train {_epochs(enough)}", "epochs", str(enough))
        case "more-epochs" if ran < epochs_max:
            return NextStep(f"Train {_epochs(ran + 1)}", "epochs", str(ran + 1))
        case "fewer-epochs" | "lower-rate":
            return _half_the_rate(request, rate)
        case "hold-out-rows" if request.holdout_percent == 0 and request.validation is None:
            return NextStep(f"Keep {HOLDOUT_PERCENT}% for validation", "holdout", str(HOLDOUT_PERCENT))
        case _:
            return None


def _half_the_rate(request: TrainRequest, rate: float | None) -> NextStep | None:
    label = "Half the learning rate"
    absolute = request.learning_rate or (rate if rate and rate < SMALLEST_MULTIPLIER else None)
    if absolute and request.learning_rate_multiplier is None:
        return NextStep(label, "lr", f"{absolute / 2:.3g}")
    ran = request.learning_rate_multiplier or rate or USUAL_RATE
    return NextStep(label, "lr", f"x{ran / 2:.3g}")


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
