"""How long `finetune.check` takes, beside OpenAI's cookbook checks of the same file in the same run.

    ./run python benchmarks/check.py --size-mb 100

prints one JSON object. Every program runs in a process of its own, cold: the check; the checks of the cookbook's
notebook "Data preparation and analysis for chat model fine-tuning", written as they are there but for the encoding
(o200k_base, with `encode_ordinary`: theirs dies on "<|endoftext|>"); and the floor: parsing the same bytes and counting
the same texts, and nothing else. CPU is user and system time together; memory is the peak. The text is made by a seed:
words of a large and growing vocabulary, several scripts, code, numbers and emoji, hardly ever the same row twice.
"""

# ruff: noqa: PLC0415 - each program pays for its own imports, and for no other's

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
SEED = 20261121

# --- the file -------------------------------------------------------------------------------------------------------

SYLLABLES = [a + b + c for a in "bcdfghklmnprstvwy" for b in "aeiou" for c in ("", "", "n", "r", "st", "ng")]
HANGUL = (0xAC00, 0xD7A3)
KANA_AND_KANJI = ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x8FFF))
CYRILLIC = (0x0430, 0x044F)
EMOJI = (0x1F300, 0x1F64F)


class Writer:
    """Writes text of many kinds; its vocabulary grows as it goes, as that of real text does."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.words = [self.new_word() for _ in range(20_000)]

    def new_word(self) -> str:
        word = "".join(self.random.choices(SYLLABLES, k=self.random.randint(1, 4)))
        return word.capitalize() if self.random.random() < 0.1 else word

    def word(self) -> str:
        if self.random.random() < 0.05:
            self.words.append(self.new_word())
        # Low ranks are frequent, high ones rare, as words are.
        return self.words[int(len(self.words) * self.random.random() ** 3)]

    def letters(self, *ranges: tuple[int, int]) -> str:
        low, high = self.random.choice(ranges)
        return "".join(chr(self.random.randint(low, high)) for _ in range(self.random.randint(1, 6)))

    def sentence(self) -> str:
        words = [self.word() for _ in range(self.random.randint(4, 18))]
        return " ".join(words) + self.random.choice([". ", "? ", "! ", ", ", ".\n"])

    def number(self) -> str:
        return (
            f"{self.random.randint(0, 10**6) / 100:,} on 20{self.random.randint(10, 29)}-0{self.random.randint(1, 9)}. "
        )

    def code(self) -> str:
        name, other = self.word().lower(), self.word().lower()
        return (
            f"def {name}({other}: int) -> list[str]:\n    return [{other}[{self.random.randint(0, 99)}:], '{name}']\n"
        )

    def foreign(self) -> str:
        ranges = self.random.choice([(HANGUL,), KANA_AND_KANJI, (CYRILLIC,)])
        return " ".join(self.letters(*ranges) for _ in range(self.random.randint(3, 12))) + ". "

    def text(self, sentences: int) -> str:
        kinds = [self.sentence, self.number, self.code, self.foreign, lambda: self.letters(EMOJI)]
        return "".join(kind() for kind in self.random.choices(kinds, [80, 6, 4, 9, 1], k=sentences))


def write_chat(path: Path, size_bytes: int, seed: int) -> None:
    """Write chat rows of about 1 kB until the file has `size_bytes`."""
    writer = Writer(seed)
    written = 0
    with path.open("wb") as file:
        while written < size_bytes:
            messages = [{"role": "system", "content": "You answer the customers of a hardware shop."}]
            for _ in range(writer.random.choice([1, 1, 1, 2])):
                messages.append({"role": "user", "content": writer.text(writer.random.randint(1, 6))})
                messages.append({"role": "assistant", "content": writer.text(writer.random.randint(2, 10))})
            written += file.write(json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n")


# --- the programs, each run in a process of its own -----------------------------------------------------------------


def check_file(path: Path) -> dict[str, Any]:
    """Our check."""
    from finetune.catalogue import Catalogue
    from finetune.check import check

    with path.open("rb") as file:
        blocks: Iterator[bytes] = iter(lambda: file.read(1024 * 1024), b"")
        report = check(blocks, filename=path.name, catalogue=Catalogue.load())
    return {"rows": report.rows, "tokens": report.tokens.total}


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

    from finetune.chat import PlainChat
    from finetune.lines import numbered_lines
    from finetune.tokens import TokenCounter

    decode = msgspec.json.Decoder(PlainChat).decode
    count = TokenCounter.load("o200k_base").count
    rows = tokens = 0
    with path.open("rb") as file:
        for _, line in numbered_lines(iter(lambda: file.read(1024 * 1024), b"")):
            rows += 1
            tokens += 3
            for message in decode(line or b"").messages:
                tokens += 4 + count(message.content)  # every role is one token
    return {"rows": rows, "tokens": tokens}


PROGRAMS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "tuneroom": check_file,
    "cookbook": check_as_cookbook,
    "floor": parse_and_count,
}


def measure(program: str, path: Path, tiktoken_cache: Path) -> dict[str, Any]:
    """Run one program on the file; seconds from its start to its end, imports and all."""
    environment = {"PYTHONPATH": str(ROOT), "TIKTOKEN_CACHE_DIR": str(tiktoken_cache), "PATH": os.defpath}
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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_mb = peak / (1024**2 if sys.platform == "darwin" else 1024)
    print(json.dumps({**figures, "peak_mb": round(peak_mb)}))


# --- the run --------------------------------------------------------------------------------------------------------


def fill_tiktoken_cache(directory: Path) -> None:
    """Put the ranks that bpe-openai ships where tiktoken looks for its downloads."""
    from finetune.ranks import URL

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
    packages = ("bpe-openai", "tiktoken", "msgspec", "numpy")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size-mb", type=int, default=10, help="size of the file in MB (default 10)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="leave the other programs out")
    parser.add_argument("--keep", type=Path, help="keep the file here, and use it again")
    parser.add_argument("--program", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.program:
        run_program(arguments.program, arguments.file)
        return
    with tempfile.TemporaryDirectory() as name:
        path = arguments.keep or Path(name) / "chat.jsonl"
        if not path.exists():
            write_chat(path, arguments.size_mb * 1_000_000, arguments.seed)
        fill_tiktoken_cache(Path(name))
        results = {program: measure(program, path, Path(name)) for program in arguments.only or PROGRAMS}
        size_mb = path.stat().st_size / 1e6
    report: dict[str, Any] = {"size_mb": round(size_mb, 1), "seed": arguments.seed, "programs": results}
    if len(results) == len(PROGRAMS):
        ours, theirs, floor = results["tuneroom"], results["cookbook"], results["floor"]
        report["cpu_of_cookbook"] = round(ours["cpu_s"] / theirs["cpu_s"], 2)
        report["cpu_of_floor"] = round(ours["cpu_s"] / floor["cpu_s"], 2)
        report["same_tokens"] = len({result["tokens"] for result in results.values()}) == 1
    print(json.dumps(report | {"machine": machine()}, indent=2))


if __name__ == "__main__":
    main()
