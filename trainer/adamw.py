"""AdamW with decoupled weight decay, a clipped gradient and a warm-up before a linear decay."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trainer.gpt import Params

BETAS = (0.9, 0.98)
EPSILON = 1e-8
WEIGHT_DECAY = 0.05
CLIP_NORM = 1.0
WARMUP_SHARE = 0.06


def learning_rate(peak: float, step: int, total_steps: int) -> float:
    """The rate at a step (from 1): up to the peak over the first 6% of the steps, then down to a tenth of it."""
    warmup = max(1, round(total_steps * WARMUP_SHARE))
    if step <= warmup:
        return peak * step / warmup
    done = (step - warmup) / max(1, total_steps - warmup)
    return peak * (1 - 0.9 * done)


def gradient_norm(gradients: Params) -> float:
    return math.sqrt(sum(float(np.vdot(one, one)) for one in gradients.values()))


@dataclass(slots=True)
class AdamW:
    """The optimiser's running moments, one array of the parameter's shape for each."""

    params: Params
    step: int = 0
    first: Params = field(init=False)
    second: Params = field(init=False)

    def __post_init__(self) -> None:
        self.first = {name: np.zeros_like(value) for name, value in self.params.items()}
        self.second = {name: np.zeros_like(value) for name, value in self.params.items()}

    def update(self, gradients: Params, rate: float) -> None:
        """Move the parameters in place. Matrices decay towards zero; norms and biases do not."""
        self.step += 1
        scale = np.float32(min(1.0, CLIP_NORM / (gradient_norm(gradients) + 1e-12)))
        correction = math.sqrt(1 - BETAS[1] ** self.step) / (1 - BETAS[0] ** self.step)
        for name, value in self.params.items():
            gradient = gradients[name] * scale
            first, second = self.first[name], self.second[name]
            first += np.float32(1 - BETAS[0]) * (gradient - first)
            second += np.float32(1 - BETAS[1]) * (gradient * gradient - second)
            if value.ndim > 1:
                np.multiply(value, np.float32(1 - rate * WEIGHT_DECAY), out=value)
            change = np.float32(rate * correction) * first / (np.sqrt(second) + np.float32(EPSILON))
            np.subtract(value, change, out=value)
