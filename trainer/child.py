"""The training process as the server holds it: started, asked to pause, ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio.subprocess import Process

ROOT = Path(__file__).resolve().parent.parent
CHILD_SETTINGS = (
    # Matrices this small run slower on several threads than on one, and the server needs a core too.
    "OMP_NUM_THREADS=1",
    "OPENBLAS_NUM_THREADS=1",
    "VECLIB_MAXIMUM_THREADS=1",
    "TOKENIZERS_PARALLELISM=false",
    # glibc would map and unmap every array of more than 128 kB: half of the time of a step.
    "MALLOC_MMAP_THRESHOLD_=1073741824",
    "MALLOC_TRIM_THRESHOLD_=1073741824",
)


async def start(home: Path) -> Process:
    """Start a training process, in a session of its own so that ctrl-C reaches only the server."""
    with (home / "training.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *("env", *CHILD_SETTINGS, sys.executable, "-m", "trainer.train", str(home)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def ask_to_pause(child: Process) -> None:
    """Let a training process save its state after the step it is in, and end."""
    if child.stdin is not None:
        child.stdin.write(b"p")


async def end(child: Process) -> None:
    """Kill a training process, if it is still there, and wait for it to be gone."""
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGKILL)
    await child.wait()
