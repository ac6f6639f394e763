"""Waiting for the thing itself, never for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")
FIRST_PAUSE_S: Final = 0.005
LONGEST_PAUSE_S: Final = 0.05


def wait_for(probe: Callable[[], Found], *, timeout_s: float = 60.0) -> Found:
    """Ask `probe` until it answers something true, and return that; AssertionError after `timeout_s`.

    It is asked at once and often, and then more and more rarely: what is waited for needs the processors, too.
    """
    deadline, pause_s = time.monotonic() + timeout_s, FIRST_PAUSE_S
    while not (found := probe()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain; last answer: {found!r}"
        time.sleep(pause_s)
        pause_s = min(LONGEST_PAUSE_S, 1.2 * pause_s)
    return found
