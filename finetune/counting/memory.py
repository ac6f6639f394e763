"""The memory of this process: how much it takes, and what glibc keeps of what is given back."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import sys
from pathlib import Path
from typing import Final

_M_TRIM_THRESHOLD: Final = -1  # malloc.h
_M_MMAP_THRESHOLD: Final = -3

_KEPT_BYTES: Final = 4 * 1024 * 1024
_LARGE_BYTES: Final = 1024 * 1024


def resident_bytes() -> int:
    """Return the memory that this process takes; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


def keep_small_blocks() -> None:
    """Have glibc keep blocks of less than 1 MiB at hand, up to 4 MiB in all, and map larger ones one by one.

    By itself it gives a batch's arrays back to the system as soon as they are not needed, and a check takes a fifth
    longer; or it keeps blocks of up to 32 MB, so that a counter that is given up leaves holes, and a check of 512 MB
    needs 35 MB more.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # musl has no mallopt
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
            mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
