"""The words that providers have for how a run is; one that nobody knows means that it goes on, and is logged."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Final

from workers.provider import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

WORD_MAX: Final = 60


def status_of(said: str, known: Mapping[str, RunStatus]) -> RunStatus:
    """Return how a run is by a provider's word for it."""
    return known[said] if said in known else _still_going(said[:WORD_MAX])


@functools.lru_cache(maxsize=64)
def _still_going(said: str) -> RunStatus:
    """Log a word once a process: thousands of runs are looked at every minute."""
    log.warning("run.status_unknown", extra={"status": said})
    return RunStatus.RUNNING
