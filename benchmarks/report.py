"""How soon a dropped file is answered with its full report, by everything that really runs.

    ./run python benchmarks/report.py --large-mb 100

prints one JSON object. The local workspace, the bot, the workers, the follower, the trainer and the server are started
as processes of their own. Each of 30 different files of 1,000 rows is dropped in the channel and timed from the
moment its message stands there, which is when its upload was complete, until the reply shows the report. Nothing is
warm but the processes. Between two files there is a pause: one a second is what Slack lets a bot say in a channel.
`--large-mb` drops a large file as well, and prints what its thread said meanwhile, and when.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from check import SEED, machine
from varied import Writer, chat_row, write_chat

from tests.support.stack import Stack

if TYPE_CHECKING:
    from sandbox.client import Message

CHANNEL = "#tuning"
REPORT = "Ready to train"
PATIENCE_S = 60.0
LARGE_PATIENCE_S = 600.0


def rows_of(seed: int, count: int) -> bytes:
    """Return a file of so many rows; each seed gives another one."""
    writer = Writer(seed)
    return b"".join(chat_row(writer) for _ in range(count))


def seconds_to_report(stack: Stack, filename: str, content: bytes, rows: int) -> float:
    """Drop a file and return how long its report took."""
    dropped = stack.workspace.as_user("mina").drop(CHANNEL, filename, content)
    shown = stack.workspace.wait_for_message(
        CHANNEL, REPORT, thread_ts=dropped.ts, where=lambda m: m.ts != dropped.ts, timeout_s=PATIENCE_S
    )
    seconds = time.time() - float(dropped.ts)
    assert f"{rows:,} rows" in shown.text, shown.text
    return seconds


def measure_small(stack: Stack, files: int, rows: int, seed: int, pause_s: float) -> dict[str, Any]:
    """Drop the small files one after the other."""
    seconds: list[float] = []
    for number in range(files):
        content = rows_of(seed + number, rows)
        time.sleep(pause_s)
        seconds.append(seconds_to_report(stack, f"tickets-{number}.jsonl", content, rows))
    ranked = sorted(seconds)
    return {
        "files": files,
        "rows": rows,
        "seconds": [round(second, 2) for second in seconds],
        "p50_s": round(ranked[math.ceil(0.5 * files) - 1], 2),
        "p95_s": round(ranked[math.ceil(0.95 * files) - 1], 2),
        "slowest_s": round(ranked[-1], 2),
    }


def measure_large(stack: Stack, path: Path) -> dict[str, Any]:
    """Drop a large file; return each text that its reply showed, with the seconds since the upload."""
    dropped = stack.workspace.as_user("mina").drop(CHANNEL, path.name, path.read_bytes())
    said: list[tuple[float, str]] = []
    posts: set[str] = set()

    def look(reply: Message) -> bool:
        posts.add(reply.ts)
        if not said or said[-1][1] != reply.text:
            said.append((round(time.time() - float(dropped.ts), 1), reply.text))
        return REPORT in reply.text

    stack.workspace.wait_for_message(
        CHANNEL, thread_ts=dropped.ts, where=lambda m: m.ts != dropped.ts and look(m), timeout_s=LARGE_PATIENCE_S
    )
    return {"size_mb": round(path.stat().st_size / 1e6, 1), "messages": len(posts), "said": said}


def measure_all(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    with Stack(folder / "home") as stack:
        report: dict[str, Any] = {
            "seed": arguments.seed,
            "small": measure_small(stack, arguments.files, arguments.rows, arguments.seed, arguments.pause_s),
        }
        if arguments.large_mb:
            path = folder / "large.jsonl"
            write_chat(path, arguments.large_mb * 1_000_000, arguments.seed)
            report["large"] = measure_large(stack, path)
    return {**report, "load_at_the_end": os.getloadavg()[0], "machine": machine()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=30)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--large-mb", type=int, default=0, help="drop a file of this size as well")
    parser.add_argument("--pause-s", type=float, default=1.5, help="before each file")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure_all(arguments, Path(name)), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
