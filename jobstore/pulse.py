"""When each loop of this process last got round: what a health check asks, without asking anybody else.

A sweep that cannot reach Redis does not get round, so a process that has lost Redis falls silent by itself.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SILENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Beat:
    at_s: float
    within_s: float


class Pulse:
    """The loops of one process, by name. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._beats: dict[str, _Beat] = {}

    def beat(self, loop: str, *, within_s: float = SILENCE_S, ago_s: float = 0.0) -> None:
        """Say that a loop has got round, `ago_s`, or has begun something long: it is heard of again `within_s`."""
        with self._lock:
            self._beats[loop] = _Beat(self._clock() - ago_s, within_s)

    def ages_s(self) -> dict[str, float]:
        """Return how long ago each loop was heard of, in seconds."""
        with self._lock:
            return {loop: self._clock() - beat.at_s for loop, beat in self._beats.items()}

    def silent(self) -> dict[str, float]:
        """Return the loops that should have been heard of by now, with how long ago they were, in seconds."""
        with self._lock:
            now = self._clock()
            return {loop: now - beat.at_s for loop, beat in self._beats.items() if now - beat.at_s > beat.within_s}
