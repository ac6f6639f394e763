"""Fault points: nothing armed, nothing happens; an unknown one is refused."""

from __future__ import annotations

import pytest

from jobstore import faults


@pytest.fixture(autouse=True)
def disarmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing armed."""
    monkeypatch.setattr(faults, "_armed", {})


def test_point_that_is_not_armed_does_nothing() -> None:
    for point in faults.POINTS:
        faults.reach(point)


def test_armed_point_strikes_each_time_and_no_other_does() -> None:
    struck: list[str] = []
    faults.arm("create.posted", lambda: struck.append("create.posted"))
    for point in sorted(faults.POINTS):
        faults.reach(point)
    faults.reach("create.posted")
    assert struck == ["create.posted"] * 2


def test_unknown_point_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no fault point is called 'nowhere'; .*create\.posted"):
        faults.arm("nowhere", lambda: None)
