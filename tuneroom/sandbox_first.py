"""The first minute: a new workspace opens on a dataset that is really checked, as if somebody had just dropped it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import finetune

if TYPE_CHECKING:
    from sandbox.client import Workspace

CHANNEL: Final = "#tuning"
SAMPLE: Final = Path(finetune.__file__).parent / "samples" / "ticket-routing.jsonl"
WORDS: Final = "Support tickets, each with the team that took it. Can we train a model that routes them?"


def drop_sample(workspace: Workspace) -> None:
    """Drop the sample as Mina, in a channel where nothing was ever said."""
    if not workspace.messages(CHANNEL):
        workspace.as_user("mina").drop(CHANNEL, SAMPLE.name, SAMPLE.read_bytes(), text=WORDS)
