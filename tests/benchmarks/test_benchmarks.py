"""Each benchmark of the jobs runs, in small, and finds what it measures in order: so that none of them rots."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

pytestmark = pytest.mark.timeout(420)
ROOT: Final = Path(__file__).parents[2]


def printed(name: str, *options: str, timeout_s: float = 400) -> dict[str, Any]:
    """Run a benchmark and return what it prints; it says by its exit code whether a promise was broken."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--json", *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_s)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-4000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_follow_looks_at_every_run_by_itself_and_by_the_list() -> None:
    report = printed(
        "follow", "--jobs", "60", "--seconds", "8", "--warm", "15", "--round", "4", "--parts", "each", "lists"
    )

    assert report["each"]["provider_calls"]["retrieve"] > 0
    assert report["each"]["provider_calls"]["events"] > 0
    assert report["lists"]["provider_calls"]["list"] > 0


def test_follow_reaches_a_ceiling_beside_the_baseline() -> None:
    report = printed("follow", "--jobs", "20", "--seconds", "6", "--ceiling-seconds", "6", "--parts", "ceiling")

    assert report["ceiling"]["1_process"]["looks_per_s"] > 0
    assert set(report["baseline"]) == {
        f"{kind}_{count}_process" for kind in ("rq", "rq_without_a_fork") for count in (1, 2)
    }


@pytest.mark.parametrize("road", ["socket", "http"])
def test_ack_loses_no_command(road: str) -> None:
    report = printed(
        "ack", "--seconds", "2", "--rate", "5", "--rows", "200", "--workers", "1", "--late", "3", "--roads", road
    )

    assert report[road]["bot"]["lost"] == report[road]["floor"]["lost"] == 0
    assert report[road]["bot"]["recorded"] == report[road]["bot"]["to_be_recorded"] == 2


def test_outbox_delivers_all_within_the_rates() -> None:
    report = printed("outbox", "--deliveries", "60", "--channels", "4", "--seconds", "3", "--patience", "120")

    assert report["left"] == report["posts_missing"] == report["posts_doubled"] == 0
    assert report["refused_429"] == {}
    assert report["cards_not_at_their_last_version"] == 0


def test_crash_pays_once_and_says_everything_once() -> None:
    report = printed("crash", "--jobs", "2", "--kills", "3", "--seconds", "150", "--lease", "short")

    assert report["paid_runs_per_request_max"] == 1
    assert report["requests"] == 2
    zero = ("events_missing", "events_doubled", "posts_missing", "posts_doubled", "unfinished")
    assert [report[name] for name in zero] == [0] * len(zero)
