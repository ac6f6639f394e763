"""Named points at which a test may end the process: where a crash could break a promise.

In production nothing is armed and `reach` does nothing. Where the settings name a folder (`TUNEROOM_FAULT_FOLDER`), the
front door arms every point, and a file there orders one death: a kill test strikes exactly between two lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

POINTS: Final = frozenset(
    {
        "dataset.recorded",  # the event is recorded, nothing acknowledged yet
        "fetch.stored",  # the bytes are in the blob store, the dataset not yet `checking`
        "task.claimed",  # a task holds its lease and has done nothing
        "mend.done",  # a version's bytes are in the blob store, the record does not know
        "check.done",  # the report is computed, not committed
        "upload.done",  # the provider has the file, the record does not know
        "create.intended",  # the intent is recorded, nothing posted
        "create.posted",  # the provider has the run, the record does not know
        "follow.polled",  # the follower has read the run, not committed it
        "analyse.done",
        "host.intended",  # the intent to host a model is recorded, nothing posted
        "host.posted",  # the provider has the host, the record does not know
        "host.stopped",  # the provider has ended the host, the record does not know
        "probe.answered",
        "evaluate.answered",  # a batch of held-out rows is answered, not kept
        "evaluate.done",
        "compare.done",  # both models were asked, the verdict is not committed
        "answer.received",
        "delivery.begun",  # the attempt is recorded, nothing sent
        "delivery.sent",  # Slack has the message, the outbox does not know
        "file.uploaded",  # Slack has the bytes, the file is not yet shared
    }
)

_armed: dict[str, Callable[[], None]] = {}


def arm(point: str, action: Callable[[], None]) -> None:
    """Run `action` whenever `point` is reached in this process."""
    if point not in POINTS:
        msg = f"no fault point is called {point!r}; there are {', '.join(sorted(POINTS))}"
        raise ValueError(msg)
    _armed[point] = action


def reach(point: str) -> None:
    """Say that the code stands at `point`."""
    if _armed and point in _armed:
        _armed[point]()
