"""Where a run stands: all that its next step depends on, in one file, so that a killed run can go on.

A file holds the weights, both of the optimiser's moments, the step, and the random generator as it was where the
step's epoch began. Drawing from that generator again gives the epoch's order, so that a run may stop inside an epoch.
"""

# pyright: reportUnknownVariableType=false
# safetensors leaves its types open

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load, save

from trainer.disk import write_bytes
from trainer.plan import STATE

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.adamw import AdamW
    from trainer.gpt import Params


def save_state(home: Path, optimizer: AdamW, order: dict[str, Any]) -> None:
    """Replace a job's state, durably. `order` is the generator's state where the epoch of the next step begins."""
    arrays = {f"{part}/{name}": value for part, held in parts(optimizer).items() for name, value in held.items()}
    write_bytes(home / STATE, save(arrays, {"step": str(optimizer.step), "order": json.dumps(order)}))


def restore_state(home: Path, optimizer: AdamW) -> dict[str, Any] | None:
    """Put a saved state into the optimiser and its parameters, in place; returns `order`, None if nothing was saved."""
    found = saved_header(home)
    if found is None:
        return None
    arrays: Params = load((home / STATE).read_bytes())
    for part, held in parts(optimizer).items():
        for name, value in held.items():
            np.copyto(value, arrays[f"{part}/{name}"])
    optimizer.step = int(found["step"])
    return json.loads(found["order"])


def saved_step(home: Path) -> int:
    """The step that a run would go on from; 0 before there is a state."""
    found = saved_header(home)
    return int(found["step"]) if found else 0


def saved_header(home: Path) -> dict[str, str] | None:
    if not (home / STATE).exists():
        return None
    with safe_open(home / STATE, framework="numpy") as file:
        return file.metadata()


def parts(optimizer: AdamW) -> dict[str, Params]:
    return {"params": optimizer.params, "first": optimizer.first, "second": optimizer.second}
