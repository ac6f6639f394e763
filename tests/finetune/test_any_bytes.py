"""Any bytes at all give a report: never a crash, never a hang, and always a finding that says what to do."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.check import Progress, check
from finetune.report import Report
from tests.finetune.rows import CATALOGUE, chat, found, jsonl, report_of

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.dictionaries(
    st.sampled_from(["role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "x"]),
    st.sampled_from(["system", "user", "assistant", "tool", "", "\ud800", None, 0, 1, [], [{}], {"a": "b"}])
    | JSON_VALUES,
    max_size=5,
)
TURNS = st.dictionaries(
    st.sampled_from(["from", "value", "role", "content", "type", "image_url", "url", "function", "id", "arguments"]),
    st.sampled_from(["human", "gpt", "function", "data:image/png;base64,iVBO", "https://[x", {"url": "file:"}])
    | JSON_VALUES,
    max_size=4,
)
PICTURES = st.fixed_dictionaries(
    {"type": st.just("image_url")},
    optional={"image_url": st.fixed_dictionaries({"url": st.text() | st.just("https://[")}) | JSON_VALUES},
)
ROWS = st.one_of(
    st.fixed_dictionaries(
        {"messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": st.lists(PICTURES)}))}
    ),
    st.fixed_dictionaries({"messages": st.lists(MESSAGES | JSON_VALUES, max_size=4)}, optional={"tools": JSON_VALUES}),
    st.dictionaries(st.sampled_from(["prompt", "completion", "Prompt", "messages", "a"]), JSON_VALUES, max_size=4),
    st.dictionaries(
        st.sampled_from(["input", "preferred_output", "non_preferred_output", "prompt", "chosen", "rejected"]),
        st.lists(MESSAGES, max_size=3) | st.fixed_dictionaries({"messages": st.lists(MESSAGES)}) | JSON_VALUES,
        max_size=5,
    ),
    st.dictionaries(
        st.sampled_from(["instruction", "input", "output", "conversations", "messages", "answer", "tools"]),
        st.lists(MESSAGES | TURNS, max_size=3) | JSON_VALUES,
        max_size=4,
    ),
    JSON_VALUES,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=6), st.sampled_from(["a.jsonl", "a.csv", "", "a.xlsx"]))
def test_any_bytes_in_any_blocks_give_a_report(blocks: list[bytes], filename: str) -> None:
    report = check(blocks, filename=filename, catalogue=CATALOGUE, models=["toy-gpt", "gpt-3.5-turbo"])
    assert report.examples or report.errors
    assert Report.from_json(report.as_json()) == report
    assert report == check(
        [b"".join(blocks)], filename=filename, catalogue=CATALOGUE, models=["toy-gpt", "gpt-3.5-turbo"]
    )


@settings(max_examples=120, deadline=None)
@given(st.lists(ROWS, max_size=8))
def test_any_rows_give_a_report_that_survives_json(rows: list[object]) -> None:
    content = "\n".join(json.dumps(row) for row in rows).encode()
    report = report_of(content)
    assert Report.from_json(json.dumps(report.as_json())) == report
    for finding in report.findings:
        assert len(finding.rows) <= min(20, finding.count)
        assert list(finding.rows) == sorted(set(finding.rows))
        assert finding.message
        assert finding.hint


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": [{"type": []}, {"type": {}}]}]},
        {
            "messages": [
                {"role": {}, "content": "x", "name": [], "weight": {}, "tool_calls": [{"id": [], "function": 1}]}
            ]
        },
        {
            "input": {"messages": [{"role": []}]},
            "preferred_output": [{"role": []}],
            "non_preferred_output": [{"role": {}}],
        },
        {"prompt": [{}], "chosen": [{"role": []}], "rejected": [{"role": [], "content": {}}]},
        {"conversations": [{"from": [], "value": {}}, {"from": {}}, 5]},
        {
            "messages": [{"role": "user", "content": "x"}],
            "tools": [{"type": [], "function": {"name": []}}],
            "answer": {},
        },
    ],
)
def test_values_of_any_kind_where_a_name_belongs_are_findings(row: object) -> None:
    assert report_of(jsonl([row] * 12)).errors


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "<workbook/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "filename", "code", "words"),
    [
        (b"", "data.jsonl", "empty-file", "empty"),
        (b"\xef\xbb\xbf \r\n\n\t", "data.jsonl", "empty-file", "empty"),
        (b"\n" * 200_000, "data.jsonl", "empty-file", "empty"),
        (zipped("readme.txt"), "data.zip", "unknown-format", "Unpack"),
        (b"PK\x03\x04", "data.xlsx", "unknown-format", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "data.xls", "unknown-format", "password"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "data.jsonl.gz.gz", "suspicious-archive", "Unpack"),
        (gzip.compress(b"{}" * 999, mtime=0)[:-9], "data.jsonl.gz", "unknown-format", "Pack it again"),
        (gzip.compress(b"%PDF-1.7", mtime=0), "data.pdf.gz", "unknown-format", "PDF"),
        (gzip.compress(b"", mtime=0), "data.jsonl.gz", "empty-file", "empty"),
        (b"prompt,completion\n", "data.csv", "empty-file", "empty"),
        (b"[]", "data.json", "empty-file", "empty"),
        (b"<!DOCTYPE html><html>sign in</html>", "data.jsonl", "unknown-format", "login page"),
        (b"\x7fELF\x02\x01\x00\x00", "data.jsonl", "unknown-format", "binary"),
        (b"%PDF-1.7", "data.pdf", "unknown-format", "PDF"),
    ],
)
def test_what_is_no_dataset_is_called_by_its_name(content: bytes, filename: str, code: str, words: str) -> None:
    report = report_of(content, filename=filename)
    (finding,) = report.findings
    assert (report.verdict, finding.code) == ("unreadable", code)
    assert words in f"{finding.message} {finding.hint}"


def test_text_in_a_file_called_jsonl_is_told_line_by_line() -> None:
    report = report_of(b"Dear colleague\nplease find the data attached\n")
    assert (report.verdict, found(report)["not-json"].rows) == ("unreadable", (1, 2))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"x" * 20_000_000, "not-json"),
        (b'{"messages": [{"role": "user", "content": "' + b"wort " * 4_000_000 + b'"}]}', "assistant-missing"),
        (b"[" + b"1," * 10_000_000 + b"1]", "not-an-object"),
        (b'{"prompt": "' + b" " * 1_000_000 + b'", "completion": " "}', "mixed-formats"),
        (b"x" * 40_000_000, "not-json"),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "not-json"),
    ],
)
def test_a_huge_line_is_one_row_with_a_finding_and_no_hang(line: bytes, code: str) -> None:
    started = time.perf_counter()
    blocks = [line[start : start + 65_536] for start in range(0, len(line), 65_536)]
    report = check([*blocks, b"\n", jsonl([*map(chat, range(12))])], filename="data.jsonl", catalogue=CATALOGUE)
    assert time.perf_counter() - started < 100
    assert found(report)[code].rows == (1,)


def test_special_tokens_names_in_text_are_text() -> None:
    rows = [chat(number, {"role": "assistant", "content": f"<|endoftext|> {number}"}) for number in range(60)]
    assert report_of(jsonl(rows)).findings == ()


def test_a_byte_order_mark_is_no_error_and_is_said() -> None:
    report = report_of(b"\xef\xbb\xbf" + jsonl([*map(chat, range(60))]))
    assert (report.encoding, report.findings, report.examples) == ("utf-8-sig", (), 60)


def test_progress_is_told_after_every_block() -> None:
    content = jsonl([*map(chat, range(40_000))])
    told: list[Progress] = []
    check([content], filename="data.jsonl", catalogue=CATALOGUE, on_progress=told.append)
    assert len(told) == -(-len(content) // (4 * 1024 * 1024))
    assert told[-1].bytes_read == len(content)
    assert 0 < told[0].rows < told[-1].rows <= 40_000


MEASURE = """
import resource, sys
from tests.finetune.rows import CATALOGUE, chat, jsonl
from finetune.check import check
block = jsonl([*map(chat, range(3_000))]) + b"\\n"
report = check((block for _ in range(int(sys.argv[1]))), filename="data.jsonl", catalogue=CATALOGUE)
print(report.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def measured(blocks: int) -> tuple[int, int]:
    """The rows and the peak memory in kB of a process that checks so many blocks of 0.45 MB."""
    ran = subprocess.run([sys.executable, "-c", MEASURE, str(blocks)], capture_output=True, text=True, check=True)
    rows, peak_kb = map(int, ran.stdout.split())
    return rows, peak_kb


def test_memory_does_not_grow_with_the_file() -> None:
    _, little = measured(2)
    rows, much = measured(62)
    assert rows == 186_000
    # 27 MB more to read, some four times that as objects: 16 bytes an example are kept, and NumPy to sort them.
    assert much - little < 45_000
