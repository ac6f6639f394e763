"""How long a run is expected to take, by what a provider says of its model: seconds by the size of the file."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, cast

MEGABYTE: Final = 1_000_000


def expected_s(announced: Any, size_bytes: int) -> float | None:
    """Return the seconds for a file of so many bytes, None where nothing is announced that can be understood.

    `announced` is a list of {"megabytes": …, "seconds": …}, smallest first: linear between two points, and beyond the
    last pair as between it.
    """
    points = _points(announced)
    if len(points) < 2:
        return points[0][1] if points else None
    size = size_bytes / MEGABYTE
    here, there = next(((a, b) for a, b in pairwise(points) if size <= b[0]), points[-2:])
    slope = (there[1] - here[1]) / (there[0] - here[0])
    return max(0.0, here[1] + slope * (size - here[0]))


def _points(announced: Any) -> list[tuple[float, float]]:
    """Return (megabytes, seconds), each larger than the one before; [] where it is none of that."""
    if not isinstance(announced, list):
        return []
    try:
        points = [(float(one["megabytes"]), float(one["seconds"])) for one in cast("list[Any]", announced)]
    except (TypeError, KeyError, ValueError):
        return []
    return points if all(a[0] < b[0] for a, b in pairwise(points)) else []
