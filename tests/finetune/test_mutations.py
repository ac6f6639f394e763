"""Whatever was done to a file on its way, it gives a report, the same one however its bytes arrive."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.check import check
from finetune.containers.refusal import UnreadableError
from finetune.formats.training_lines import training_lines
from finetune.report import Report
from tests.finetune.rows import CATALOGUE, chat, jsonl, pair
from tests.finetune.test_containers import JAPANESE, KOREAN, lines, table
from tests.finetune.test_workbooks import records, sheet, workbook

WHOLE = [
    ("a.jsonl", jsonl([*map(chat, range(12))])),
    ("a.jsonl", lines(KOREAN[:12]).encode("cp949")),
    ("a.jsonl.gz", gzip.compress(lines(JAPANESE[:12]).encode("cp932"), mtime=0)),
    ("a.json", json.dumps({"data": [*map(pair, range(12))]}, indent=1).encode()),
    ("a.json", json.dumps(JAPANESE[:12], ensure_ascii=False).encode("utf-16")),
    ("a.csv", table(KOREAN[:12]).encode("cp949")),
    ("a.tsv", table(JAPANESE[:12], "\t").encode("utf-8-sig")),
    ("a.csv.gz", gzip.compress(table([*map(chat, range(12))], ";").encode(), mtime=0)),
    ("a.txt", "\n".join(row["completion"] for row in KOREAN[:12]).encode()),
]
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=8)), max_size=4)


def edited(content: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for share, length, put in edits:
        at = int(share * len(content))
        content = content[:at] + put + content[at + length :]
    return content


def blocks_of(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WHOLE), EDITS, st.integers(1, 700), st.sampled_from(["", ".csv", ".json", ".xlsx", ".txt"]))
def test_an_edited_file_gives_one_report_however_it_arrives(
    whole: tuple[str, bytes], edits: list[tuple[float, int, bytes]], size: int, ending: str
) -> None:
    filename, content = whole[0] + ending, edited(whole[1], edits)
    report = check([content], filename=filename, catalogue=CATALOGUE)
    assert report.examples or report.errors
    assert Report.from_json(report.as_json()) == report
    assert report == check(blocks_of(content, size), filename=filename, catalogue=CATALOGUE)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WHOLE), EDITS)
def test_what_is_launched_of_an_edited_file_is_as_many_lines_as_examples_or_more(
    whole: tuple[str, bytes], edits: list[tuple[float, int, bytes]]
) -> None:
    filename, content = whole[0], edited(whole[1], edits)
    report = check([content], filename=filename, catalogue=CATALOGUE)
    try:
        launched = [line for _, line in training_lines([content], filename, report.format or "")]
    except UnreadableError:
        assert report.errors
        return
    assert report.examples <= len(launched) <= report.rows
    assert not any(b"\n" in line for line in launched)
    if report.verdict == "accepted":
        assert all(isinstance(json.loads(line), dict) for line in launched)


@settings(max_examples=12, deadline=None)
@given(EDITS, st.sampled_from(["a.xlsx", "a.parquet", "a"]))
def test_an_edited_workbook_gives_a_report(edits: list[tuple[float, int, bytes]], filename: str) -> None:
    content = edited(workbook(sheet(records([*map(pair, range(12))]))), edits)
    report = check([content], filename=filename, catalogue=CATALOGUE)
    assert report.examples or report.errors


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"\xff" * 60_000, b"PAR1" + b"\xff" * 60_000 + b"PAR1"])
def test_noise_that_begins_as_a_table_gives_a_report(content: bytes) -> None:
    (finding,) = check([content], filename="a", catalogue=CATALOGUE).findings
    assert finding.code == "unknown-format"


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("a.csv", b'prompt,completion\n"' + b"x,\n" * 6_000_000),
        ("a.csv", b"prompt,completion\n" + b"x" * 40_000_000),
        ("a.json", b'[{"prompt": "' + b"x" * 40_000_000),
        ("a.json", b"[" + b'{"a":' * 500_000),
        ("a.json", b'[{"prompt": "a", "completion": "' + b"\xea\xb0\x80" * 7_000_000 + b'"}]'),
        ("a.txt", b"\n" * 200_000 + b"x"),
    ],
)
def test_huge_cells_and_elements_give_a_report_in_time(filename: str, content: bytes) -> None:
    blocks = blocks_of(content, 65_536)
    report = check(blocks, filename=filename, catalogue=CATALOGUE)
    assert report.errors
