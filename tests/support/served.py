"""`tuneroom sandbox` as a person starts it: the command itself, in a home of its own, until the test has ended."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx2

from sandbox.client import Workspace
from tests.support.waiting import wait_for
from tuneroom.settings import environment

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 240.0
PACE: Final = {"base_s": 1.0, "megabyte_s": 8.0, "runs": 1}
TRAIN: Final = "Train (free, about 15 s)…"
"""The button on the sample at that pace: 1 s, 1.2 MB gone over in 25 epochs or fewer, and the product's own share."""
OUTSIDE: Final = ("SLACK_", "OPENAI_", "REDIS_", "TUNEROOM_")


@contextlib.contextmanager
def served(home: Path, *, pace: Mapping[str, float] | None = PACE) -> Generator[str]:
    """Run the sandbox and yield the page's address once it says that it is ready.

    `pace` is what its trainer believes of this machine; None: it measures, as for anybody.
    """
    (home / "trainer").mkdir(parents=True)
    if pace is not None:
        (home / "trainer" / "pace.json").write_text(json.dumps(pace))
    said = home.with_suffix(".out")
    kept = {name: value for name, value in environment().items() if not name.startswith(OUTSIDE)}
    command = [sys.executable, "-P", "-m", "tuneroom", "sandbox", "--port", "0", "--home", str(home)]
    with said.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=kept | {"PYTHONPATH": str(ROOT)}, stdout=out, stderr=out)
    try:
        yield wait_for(lambda: _address(said, process), timeout_s=START_S)
    except BaseException as error:
        error.add_note(f"{said.read_text()}\n{_logs(home)}")
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def figures(url: str) -> dict[str, Any]:
    """Return what the page shows beside the controls."""
    return httpx2.get(f"{url}/sandbox/figures", trust_env=False, timeout=20).json()


def paid_runs(url: str) -> int:
    """Return the number that the page shows."""
    return int(dict(figures(url)["figures"])["Paid runs"])


@contextlib.contextmanager
def workspace_of(url: str) -> Generator[Workspace]:
    """Be somebody at the page's workspace, without the page."""
    with Workspace(url) as workspace:
        yield workspace


def _address(said: Path, process: subprocess.Popen[bytes]) -> str | None:
    assert process.poll() is None, said.read_text()
    lines = [line for line in said.read_text().splitlines() if line.startswith("Open http")]
    return lines[0].removeprefix("Open ").split(": ")[0] if lines else None


def _logs(home: Path) -> str:
    logs = sorted((home / "logs").glob("*.log"))
    return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in logs)
