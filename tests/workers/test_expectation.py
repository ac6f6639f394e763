"""How long a run is expected to take, by what the provider announces."""

from __future__ import annotations

from typing import Any

import pytest

from workers.expectation import expected_s

ANNOUNCED = [
    {"megabytes": 0.0, "seconds": 1},
    {"megabytes": 0.05, "seconds": 11},
    {"megabytes": 1.0, "seconds": 11},
    {"megabytes": 2.0, "seconds": 21},
]


@pytest.mark.parametrize(("size_bytes", "seconds"), [(0, 1), (25_000, 6), (50_000, 11), (500_000, 11), (3_000_000, 31)])
def test_it_is_read_between_the_points_and_beyond_them(size_bytes: int, seconds: float) -> None:
    assert expected_s(ANNOUNCED, size_bytes) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "announced",
    [None, [], "soon", [1, 2], [{"megabytes": 1}], [{"megabytes": 1, "seconds": None}], [*ANNOUNCED[:2], ANNOUNCED[0]]],
)
def test_what_cannot_be_understood_is_not_known(announced: Any) -> None:
    assert expected_s(announced, 1000) is None


def test_one_figure_holds_for_every_size() -> None:
    assert expected_s(ANNOUNCED[1:2], 9_000_000) == 11
