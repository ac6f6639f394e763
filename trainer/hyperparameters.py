"""What "auto" means here: settings that fit the data, chosen from its size and never from the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainer.lines import TrainingFileError, read_examples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainer.lines import Example

EPOCHS = (1, 25)
BETA = 0.1  # of the preference method, as in its paper
BYTES_BUDGET = 1_200_000  # of JSONL, over all epochs: a few seconds of training on one core


class GivenUp(Exception):  # noqa: N818 - nothing went wrong
    """The survey was told to stop."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a whole file holds: examples, bytes, and their one kind."""

    examples: int
    size_bytes: int
    kind: type[Example] | None


def survey(path: Path, give_up: Callable[[], bool]) -> Survey:
    """Read every line. Raises TrainingFileError at the first wrong one, GivenUp when told to stop."""
    examples, kind = 0, None
    for example in read_examples(path):
        examples, kind = examples + 1, type(example)
        if examples % 256 == 0 and give_up():
            raise GivenUp
    if not examples:
        raise TrainingFileError("The file has no examples.")
    return Survey(examples, path.stat().st_size, kind)


def resolve(asked: dict[str, Any], found: Survey) -> dict[str, Any]:
    """Replace each "auto"."""
    auto = {
        "n_epochs": min(EPOCHS[1], max(EPOCHS[0], BYTES_BUDGET // max(1, found.size_bytes))),
        "batch_size": min(32, max(1, found.examples // 12)),
        "learning_rate_multiplier": 1.0,
        "beta": BETA,
    }
    wanted = [name for name in auto if name in asked or name != "beta"]
    return {name: auto[name] if asked.get(name) in (None, "auto") else asked[name] for name in wanted}
