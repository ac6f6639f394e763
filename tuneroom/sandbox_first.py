"""The first minute: a new workspace opens on a dataset that is really checked, as if somebody had just dropped it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import finetune
from sandbox.client import WaitedInVainError

if TYPE_CHECKING:
    from sandbox.client import Workspace

CHANNEL: Final = "#tuning"
SAMPLE: Final = Path(finetune.__file__).parent / "samples" / "ticket-routing.jsonl"
WORDS: Final = "Support tickets, each with the team that took it. Can we train a model that routes them?"


CHECK_S: Final = 10.0
CHECKED: Final = "a checked dataset is waiting in #tuning."
BEING_CHECKED: Final = "a dataset is being checked in #tuning."
AS_LEFT: Final = "everything is as it was left."


def drop_sample(workspace: Workspace) -> str:
    """Drop the sample as Mina where nothing was ever said, wait a little for its report, and say what waits there."""
    if workspace.messages(CHANNEL):
        return AS_LEFT
    dropped = workspace.as_user("mina").drop(CHANNEL, SAMPLE.name, SAMPLE.read_bytes(), text=WORDS)
    try:
        workspace.wait_for_message(CHANNEL, "Ready to train", thread_ts=dropped.ts, timeout_s=CHECK_S)
    except WaitedInVainError:
        return BEING_CHECKED
    return CHECKED
