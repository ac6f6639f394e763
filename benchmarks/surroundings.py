"""What every measurement is printed beside: the machine, the versions, the load; and what a process has used of it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # a benchmark is started as a script, and uses the rooms and the tests' stack

TICKS_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def machine(*packages: str) -> dict[str, Any]:
    """Where and with what it was measured."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_at_the_end": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, its ended children's excluded (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def memory_mb(pid: int) -> float:
    """The most memory that a process has held so far (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def own_peak_mb() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def spread(values: Sequence[float], digits: int = 3) -> dict[str, float]:
    """How a set of measurements lies."""
    if not values:
        return {"count": 0}
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "p50": round(statistics.median(ordered), digits),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], digits),
        "p99": round(ordered[int(0.99 * (len(ordered) - 1))], digits),
        "max": round(ordered[-1], digits),
    }
