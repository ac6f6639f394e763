"""Waiting for the thing itself, never for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


def wait_for(probe: Callable[[], Found], *, timeout_s: float = 10.0) -> Found:
    """Ask `probe` until it answers something true, and return that; AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not (found := probe()):
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain; last answer: {found!r}"
        time.sleep(0.005)
    return found
