"""The benchmark of the check runs, in small, and every program in it counts the same tokens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.timeout(420)
BENCHMARK: Final = Path(__file__).parents[2] / "benchmarks" / "check.py"
PROGRAMS: Final = ("tuneroom", "tuneroom-one-process", "formats-and-tokens", "cookbook", "floor", "stages")


def test_all_programs_count_the_same_tokens_in_a_file_that_is_studied_by_two_processes() -> None:
    pytest.importorskip("bpe_openai", reason="no ranks for the cookbook")
    chosen = [option for name in PROGRAMS for option in ("--only", name)]
    command = [sys.executable, str(BENCHMARK), "--size-mb", "7", *chosen]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
    assert ended.returncode == 0, ended.stderr[-4000:]

    [file] = json.loads(ended.stdout)["files"]
    assert file["same_tokens"]
    assert {file["programs"][name]["rows"] for name in PROGRAMS} == {file["programs"]["cookbook"]["rows"]}
    assert set(file["programs"]["stages"]["stages_cpu_s"]) >= {"read rows", "count tokens", "sketches"}
