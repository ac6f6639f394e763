"""The prompt contract: what inference must repeat so that it matches the training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ContractKind = Literal["chat", "completion"]


@dataclass(frozen=True, slots=True)
class PromptContract:
    """How a trained model expects to be asked, learnt from its data.

    Chat: `system` is the system message, where every row begins with the same one. Completion: `separator` is what
    every prompt ends with, and `stop` what every completion ends with, and holds nowhere else.
    """

    kind: ContractKind
    system: str | None = None
    stop: tuple[str, ...] = ()
    separator: str | None = None
