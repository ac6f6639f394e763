"""Each benchmark of the jobs runs, in small, and finds what it measures in order: so that none of them rots.

Nothing here measures: each starts what it would start, for a second or two, with all the patience that a slow machine
needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

pytestmark = pytest.mark.timeout(420)
ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = "120"


def printed(name: str, *options: str, timeout_s: float = 400) -> dict[str, Any]:
    """Run a benchmark and return what it prints; it says by its exit code whether a promise was broken."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--json", *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_s)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-4000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_follow_looks_at_every_run_by_itself_and_by_the_list_and_as_often_as_it_can() -> None:
    report = printed(
        "follow", "--jobs", "60", "--seconds", "4", "--warm", "0.2", "--settle", "0.2", "--round", "1",
        "--ceiling-seconds", "1", "--processes", "1",
    )  # fmt: skip

    assert report["each"]["provider_calls"]["retrieve"] > 0
    assert report["each"]["provider_calls"]["events"] > 0
    assert report["lists"]["provider_calls"]["list"] > 0
    assert report["ceiling"]["1_process"]["provider_calls"]["events"] > 0
    assert set(report["baseline"]) == {"rq_1_process", "rq_without_a_fork_1_process"}


def test_ack_loses_no_command_by_either_road() -> None:
    report = printed(
        "ack", "--seconds", "1", "--warm", "0.5", "--settle", "0", "--rate", "10", "--rows", "200", "--workers", "1",
        "--late", PATIENCE, "--give-up", PATIENCE,
    )  # fmt: skip

    for road in ("socket", "http"):
        assert report[road]["bot"]["lost"] == report[road]["floor"]["lost"] == 0
        assert report[road]["bot"]["recorded"] == report[road]["bot"]["to_be_recorded"] == 2


def test_outbox_delivers_all_within_the_rates() -> None:
    report = printed("outbox", "--deliveries", "40", "--channels", "4", "--seconds", "2", "--patience", PATIENCE)

    assert report["left"] == report["posts_missing"] == report["posts_doubled"] == 0
    assert report["refused_429"] == {}
    assert report["cards_not_at_their_last_version"] == 0


def test_crash_pays_once_and_says_everything_once() -> None:
    report = printed("crash", "--jobs", "1", "--kills", "1", "--seconds", "300", "--lease", "short")

    assert report["paid_runs_per_request_max"] == 1
    assert report["requests"] == 1
    zero = ("events_missing", "events_doubled", "posts_missing", "posts_doubled", "unfinished")
    assert [report[name] for name in zero] == [0] * len(zero)
