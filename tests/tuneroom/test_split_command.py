"""`tuneroom split` writes parts that hold every row once, the same parts for the same file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.finetune.rows import chat, jsonl, pair
from tuneroom.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def test_the_parts_hold_every_row_once_and_are_named_after_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "tickets.jsonl", tmp_path / "parts"
    out.mkdir()
    path.write_bytes(jsonl([*map(chat, range(60))]))
    assert main(["split", str(path), "--valid", "10", "--test", "20%", "--seed", "7", "--out", str(out)]) == 0
    rows = {file.name: file.read_bytes().splitlines() for file in out.iterdir()}
    assert {name: len(lines) for name, lines in rows.items()} == {
        "tickets-train.jsonl": 42, "tickets-valid.jsonl": 6, "tickets-test.jsonl": 12,
    }  # fmt: skip
    assert sorted(line for lines in rows.values() for line in lines) == sorted(path.read_bytes().splitlines())
    said = capsys.readouterr().out
    assert "12 rows" in said
    assert "Drawn with seed 7. No two rows resemble one another." in said


def test_a_table_becomes_lines_and_the_file_chooses_the_seed(tmp_path: Path) -> None:
    table = "Prompt,completion\n" + "".join(f"question {n} ->, answer {n} END\n" for n in range(40))
    parts: list[bytes] = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "faq.csv"
        path.write_text(table)
        assert main(["split", str(path), "--test", "none"]) == 0
        parts.append((tmp_path / folder / "faq-valid.jsonl").read_bytes())
        assert not (tmp_path / folder / "faq-test.jsonl").exists()
    assert parts[0] == parts[1]
    assert json.loads(parts[0].splitlines()[0]).keys() == {"prompt", "completion"}


@pytest.mark.parametrize(
    ("lines", "options", "said"),
    [
        ([pair(number) for number in range(30)], ["--valid", "80"], "is a percentage"),
        ([pair(number) for number in range(30)], ["--seed", "x"], "Seed is"),
        ([pair(number) for number in range(5)], [], "tuneroom check"),
        ([], [], "tuneroom check"),
        (None, [], "No such file"),
    ],
)
def test_what_cannot_be_split_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[object] | None, options: list[str], said: str
) -> None:
    path = tmp_path / "a.jsonl"
    if lines is not None:
        path.write_bytes(jsonl(lines))
    assert main(["split", str(path), *options]) == 64
    assert said in capsys.readouterr().err


def test_a_part_that_is_there_already_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl([*map(pair, range(40))]))
    (tmp_path / "a-valid.jsonl").write_text("my work")
    assert main(["split", str(path)]) == 64
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "a-valid.jsonl").read_text() == "my work"
    assert not (tmp_path / "a-train.jsonl").exists()
