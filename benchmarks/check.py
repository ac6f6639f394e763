"""How long `finetune.check` takes, beside OpenAI's cookbook checks and pandas on the same file in the same run.

    ./run python benchmarks/check.py --size-mb 10 --size-mb 100 --size-mb 512 --tables --runs 3

prints one JSON object. Every program runs in a process of its own, cold: the check, in two processes as it comes and
in one; the check of formats and tokens alone, in one; the checks of the cookbook's notebook "Data preparation and
analysis for chat model fine-tuning", written as they are there but for the encoding (o200k_base, with
`encode_ordinary`: theirs dies on "<|endoftext|>"); pandas, which only reads; and the floor: parsing the same bytes and
counting the same texts, and nothing else. "stages" says where the rest goes. CPU is user and system time together, of
a companion too; memory is the peaks of both processes, added up. With several runs, which take turns, the least
CPU, the least wall clock and the highest peak of each program are printed. The text is made by a seed: words of a
large and growing vocabulary, several scripts, code, numbers and emoji, hardly ever the same row twice.
"""

# ruff: noqa: PLC0415 - each program pays for its own imports, and for no other's

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import importlib.metadata
import importlib.util
import itertools
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from varied import write_chat, write_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).parents[1]
SEED = 20261121
FLOOR_ROWS = 200
"""Rows whose texts the floor counts in one call."""

# --- the programs, each run in a process of its own -----------------------------------------------------------------


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(1024 * 1024), b"")


def check_file(path: Path, *, alone: bool = False) -> dict[str, Any]:
    """Our check."""
    from finetune.catalogue import Catalogue
    from finetune.check import check

    with path.open("rb") as file:
        report = check(blocks_of(file), filename=path.name, catalogue=Catalogue.load(), alone=alone)
    return {"rows": report.rows, "tokens": report.tokens.total, "findings": sum(f.count for f in report.findings)}


def check_formats_and_tokens(path: Path) -> dict[str, Any]:
    """Our check without near-duplicates and sensitive data."""
    from finetune.checking import batches, study
    from finetune.checking.windows import SKETCH_SIZE

    def no_looks(rows: list[list[str]]) -> study.Looks:
        return study.Looks(b"\xff" * (4 * SKETCH_SIZE * len(rows)), bytes(4 * len(rows)), [])

    batches.look_at = no_looks
    return check_file(path, alone=True)


def read_with_pandas(path: Path) -> dict[str, Any]:
    """What pandas takes to read the file, and do nothing with it."""
    import pandas as pd

    if path.suffix == ".csv":
        return {"rows": len(pd.read_csv(path))}
    if path.suffix == ".xlsx":
        return {"rows": len(pd.read_excel(path, engine="calamine"))}
    return {"rows": len(pd.read_json(path, lines=True))}


def time_stages(path: Path) -> dict[str, Any]:
    """CPU seconds of each stage of a check, measured one by one over the same rows, each batch as it is in a check."""
    from finetune.checking.batches import BATCH_CHARACTERS
    from finetune.checking.near_duplicates import NearDuplicates
    from finetune.checking.plain import plain
    from finetune.checking.sensitive import sensitive_of
    from finetune.checking.study import TokenStudy
    from finetune.checking.windows import sketches_of
    from finetune.containers.lines import numbered_lines
    from finetune.containers.surrogates import in_utf8
    from finetune.counting.memory import keep_small_blocks
    from finetune.counting.tokens import TokenCounter
    from finetune.formats.chat import read_plain

    seconds: dict[str, float] = defaultdict(float)
    near, rows = NearDuplicates(), 0

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        started = time.process_time()
        result = work()
        seconds[stage] += time.process_time() - started
        return result

    keep_small_blocks()
    study = timed("make counter", lambda: TokenStudy([TokenCounter.load_for_much("o200k_base")]))
    with path.open("rb") as file:
        lines = numbered_lines(blocks_of(file))
        while batch := timed("read lines", lambda: list(itertools.islice(lines, BATCH_CHARACTERS // 1_000))):
            examples = timed("read rows", lambda batch=batch: [read_plain(line or b"") for _, line in batch])
            read = [example.texts for example in examples if example is not None]
            texts = timed("make UTF-8", lambda read=read: [list(map(in_utf8, row)) for row in read])
            timed("count tokens", lambda texts=texts: study.of(texts))
            texts = timed("make plain", lambda texts=texts: [list(map(plain, row)) for row in texts])
            timed("sensitive data", lambda texts=texts: sensitive_of([b"\n".join(row) for row in texts]))
            found = timed("sketches", lambda texts=texts: sketches_of([b" ".join(row[2:]) for row in texts]))
            near.add(*found, np_range(rows, len(texts)))
            rows += len(texts)
    timed("near-duplicates", near.pairs)
    return {"rows": rows, "stages_cpu_s": {stage: round(spent, 2) for stage, spent in seconds.items()}}


def np_range(start: int, length: int) -> Any:
    import numpy as np

    return np.arange(start, start + length, dtype=np.uint32)


def check_as_cookbook(path: Path) -> dict[str, Any]:
    """The cookbook's checks, counts and statistics."""
    import numpy as np
    import tiktoken

    encoding = tiktoken.get_encoding("o200k_base")
    with path.open(encoding="utf-8") as file:
        dataset = [json.loads(line) for line in file]
    cookbook_format_errors(dataset)

    def example_tokens(messages: list[dict[str, str]]) -> int:
        tokens = 3
        for message in messages:
            tokens += 3
            for key, value in message.items():
                tokens += len(encoding.encode_ordinary(value)) + (key == "name")
        return tokens

    lengths: dict[str, list[int]] = defaultdict(list)
    missing = {"system": 0, "user": 0}
    for example in dataset:
        messages = example["messages"]
        for role in missing:
            missing[role] += not any(message["role"] == role for message in messages)
        lengths["messages"].append(len(messages))
        lengths["example"].append(example_tokens(messages))
        replies = (message["content"] for message in messages if message["role"] == "assistant")
        lengths["assistant"].append(sum(len(encoding.encode_ordinary(reply)) for reply in replies))
    for values in lengths.values():
        for statistic in (min, max, np.mean, np.median):
            statistic(values)
        np.quantile(values, 0.05), np.quantile(values, 0.95)
    sum(min(16_385, length) for length in lengths["example"])
    return {"rows": len(dataset), "tokens": sum(lengths["example"])}


def cookbook_format_errors(dataset: list[Any]) -> dict[str, int]:
    """The notebook's format errors, its conditions as they are there."""
    errors: dict[str, int] = defaultdict(int)
    for example in dataset:
        if not isinstance(example, dict):
            errors["data_type"] += 1
            continue
        messages = example.get("messages", None)
        if not messages:
            errors["missing_messages_list"] += 1
            continue
        for message in messages:
            if "role" not in message or "content" not in message:
                errors["message_missing_key"] += 1
            if any(key not in ("role", "content", "name", "function_call", "weight") for key in message):
                errors["message_unrecognized_key"] += 1
            if message.get("role", None) not in ("system", "user", "assistant", "function"):
                errors["unrecognized_role"] += 1
            content = message.get("content", None)
            if (not content and not message.get("function_call", None)) or not isinstance(content, str):
                errors["missing_content"] += 1
        if not any(message.get("role", None) == "assistant" for message in messages):
            errors["example_missing_assistant_message"] += 1
    return errors


def parse_and_count(path: Path) -> dict[str, Any]:
    """The floor: what no checker can do without."""
    import msgspec

    from finetune.containers.lines import numbered_lines
    from finetune.counting.tokens import TokenCounter
    from finetune.formats.chat import PlainChat

    decode = msgspec.json.Decoder(PlainChat).decode
    counter = TokenCounter.load_for_much("o200k_base")
    rows = tokens = 0
    with path.open("rb") as file:
        lines = numbered_lines(iter(lambda: file.read(1024 * 1024), b""))
        while batch := list(itertools.islice(lines, FLOOR_ROWS)):
            messages = [message for _, line in batch for message in decode(line or b"").messages]
            rows += len(batch)
            tokens += 3 * len(batch) + 4 * len(messages)  # every role is one token
            tokens += sum(counter.count_all([message.content.encode() for message in messages]))
    return {"rows": rows, "tokens": tokens}


PROGRAMS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "tuneroom": check_file,
    "tuneroom-one-process": lambda path: check_file(path, alone=True),
    "formats-and-tokens": check_formats_and_tokens,
    "cookbook": check_as_cookbook,
    "floor": parse_and_count,
    "stages": time_stages,
    "pandas": read_with_pandas,
}
FOR_TABLES = ("tuneroom", "pandas")


def measure(program: str, path: Path, tiktoken_cache: Path) -> dict[str, Any]:
    """Run one program on the file; seconds from its start to its end, imports and all."""
    environment = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:]]),
        "TIKTOKEN_CACHE_DIR": str(tiktoken_cache),
        "PATH": os.defpath,
    }
    started = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, __file__, "--program", program, "--file", str(path)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    wall_s = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"wall_s": round(wall_s, 2), "cpu_s": round(cpu_s, 2), **json.loads(ran.stdout)}


def run_program(program: str, path: Path) -> None:
    """What a measured process does."""
    figures = PROGRAMS[program](path)
    print(json.dumps({**figures, "peak_mb": round(own_peak_mb() + peak_mb(resource.RUSAGE_CHILDREN))}))


def own_peak_mb() -> float:
    """The most memory that this program took. Linux counts in `ru_maxrss` what the process was before the exec: us."""
    status = Path("/proc/self/status")
    if not status.exists():
        return peak_mb(resource.RUSAGE_SELF)
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def peak_mb(who: int) -> float:
    """The most memory that one of these processes took."""
    return resource.getrusage(who).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


# --- the run --------------------------------------------------------------------------------------------------------


def fill_tiktoken_cache(directory: Path) -> None:
    """Put the ranks that bpe-openai ships where tiktoken looks for its downloads."""
    from finetune.counting.ranks import URL

    package = importlib.util.find_spec("bpe_openai")
    if package is None or package.origin is None:
        raise SystemExit("bpe-openai is not installed: there are no ranks to compare with")
    packed = Path(package.origin).with_name("data") / "o200k_base.tiktoken.gz"
    name = hashlib.sha1(URL.format("o200k_base").encode(), usedforsecurity=False).hexdigest()
    (directory / name).write_bytes(gzip.decompress(packed.read_bytes()))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), cpu)
    packages = ("bpe-openai", "gigatoken", "tiktoken", "msgspec", "numpy", "pandas", "python-calamine")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version_of(name) for name in packages},
    }


def version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def best(results: list[dict[str, Any]]) -> dict[str, Any]:
    """What a program did in several runs."""
    figures = {key: min(result[key] for result in results) for key in ("wall_s", "cpu_s")}
    return {
        **min(results, key=lambda result: result["cpu_s"]),
        **figures,
        "peak_mb": max(r["peak_mb"] for r in results),
    }


def compare(path: Path, programs: Iterable[str], tiktoken_cache: Path, runs: int) -> dict[str, Any]:
    """Run the programs on one file, and say how they compare."""
    rounds = [{program: measure(program, path, tiktoken_cache) for program in programs} for _ in range(runs)]
    results = {program: best([figures[program] for figures in rounds]) for program in rounds[0]}
    report: dict[str, Any] = {"file": path.name, "size_mb": round(path.stat().st_size / 1e6, 1), "programs": results}
    cookbook = results.get("cookbook")
    if cookbook is not None:
        ours = [name for name in ("tuneroom", "tuneroom-one-process", "formats-and-tokens") if name in results]
        report["cpu_of_cookbook"] = {name: round(results[name]["cpu_s"] / cookbook["cpu_s"], 2) for name in ours}
        report["wall_of_cookbook"] = {name: round(results[name]["wall_s"] / cookbook["wall_s"], 2) for name in ours}
        totals = {result["tokens"] for result in results.values() if "tokens" in result}
        report["same_tokens"] = len(totals) == 1
    return report


def measure_all(arguments: argparse.Namespace, directory: Path) -> dict[str, Any]:
    fill_tiktoken_cache(directory)
    files: list[dict[str, Any]] = []
    for size_mb in arguments.size_mb or ([] if arguments.tables else [10]):
        path = (arguments.keep or directory) / f"chat-{size_mb}-mb.jsonl"
        if not path.exists():
            write_chat(path, size_mb * 1_000_000, arguments.seed)
        files.append(compare(path, arguments.only or PROGRAMS, directory, arguments.runs))
    if arguments.tables:
        tables = write_tables(directory, arguments.seed)
        files += [compare(path, FOR_TABLES, directory, arguments.runs) for path in tables]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "seed": arguments.seed,
        "runs": arguments.runs,
        "files": files,
        "load_at_the_end": load,
        "machine": machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-mb", type=int, action="append", help="size of a chat file in MB (default 10)")
    parser.add_argument("--tables", action="store_true", help="CSV and XLSX of 50,000 rows too")
    parser.add_argument("--runs", type=int, default=1, help="run each program so often (default 1)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="leave the other programs out")
    parser.add_argument("--keep", type=Path, help="keep the chat files in this directory, and use them again")
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.program:
        run_program(arguments.program, arguments.file)
        return
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(measure_all(arguments, Path(name)), indent=2))


if __name__ == "__main__":
    main()
