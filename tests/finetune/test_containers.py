"""The same rows, in whatever holds them: read without being told, numbered as a person finds them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.finetune.rows import chat, found, jsonl, pair, report_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.report import Report

KOREAN = [
    {"prompt": f"{n}번 고객님의 주문이 아직 오지 않았어요 ->", "completion": f" 배송 {n}번 END"} for n in range(60)
]
JAPANESE = [{"prompt": f"注文{n}番がまだ届いていません ->", "completion": f" 配送{n} END"} for n in range(60)]


def table(rows: Sequence[dict[str, Any]], delimiter: str = ",") -> str:
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        cells = (row.get(name, "") for name in names)
        writer.writerow([cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False) for cell in cells])
    return out.getvalue()


def lines(rows: Sequence[Any]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def shown(report: Report) -> list[tuple[str, tuple[int, ...]]]:
    """What rows are found to have; what all of them share is another matter."""
    return [(finding.code, finding.rows) for finding in report.findings if finding.rows]


@pytest.mark.parametrize("language", [KOREAN, JAPANESE], ids=["korean", "japanese"])
@pytest.mark.parametrize(
    ("filename", "container", "first"),
    [("a.jsonl", "jsonl", 1), ("a.json", "json", 1), ("a.csv", "csv", 2), ("a.tsv", "tsv", 2), ("upload", "csv", 2)],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "national"])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_every_text_container_in_every_encoding_gives_the_same_report(
    language: list[dict[str, str]], filename: str, container: str, first: int, encoding: str, ending: str
) -> None:
    rows = [*language[:30], {"prompt": "x ->", "completion": ""}, *language[30:], language[4]]
    text = {
        "jsonl": lines(rows),
        "json": json.dumps(rows, ensure_ascii=False, indent=1),
        "csv": table(rows),
        "tsv": table(rows, "\t"),
    }[container]
    name = ("cp949" if language is KOREAN else "cp932") if encoding == "national" else encoding
    content = text.encode(name)
    report = report_of(gzip.compress(content) if ending else content, filename=filename + ending)
    assert (report.container, report.encoding, report.format) == (container, name, "prompt-completion")
    assert (report.rows, report.examples) == (62, 62)
    assert shown(report) == [("empty-completion", (30 + first,)), ("duplicate-row", (61 + first,))]
    assert report.tokens == report_of(jsonl(rows)).tokens
    assert bool(report.doubts) == (encoding in {"national", "utf-16-le", "utf-16-be"} or filename == "upload")


def test_euc_kr_is_read_as_the_cp949_it_is_part_of() -> None:
    report = report_of(table(KOREAN).encode("euc_kr"), filename="a.csv")
    assert (report.encoding, report.examples, shown(report)) == ("cp949", 60, [])
    assert "Korean" in report.doubts[0]


def test_an_encoding_is_recognised_from_the_first_text_that_is_not_ascii_however_late_it_comes() -> None:
    rows = [*map(pair, range(5_000)), *KOREAN]
    assert report_of(table(rows).encode("cp949"), filename="a.csv").encoding == "cp949"
    assert report_of(lines(rows).encode("cp949")).examples == 5_060


def test_a_few_lines_that_are_not_utf8_among_many_that_are_stay_findings() -> None:
    content = lines(KOREAN).encode().split(b"\n")
    content[16] = json.dumps(KOREAN[16], ensure_ascii=False).encode("cp949")
    report = report_of(b"\n".join(content))
    assert (report.encoding, shown(report)) == ("utf-8", [("not-utf8", (17,))])


def test_bytes_that_are_wrong_in_the_file_s_own_encoding_are_found_on_their_row() -> None:
    content = table(KOREAN).encode("cp949").split(b"\r\n")
    content[16] = content[16][:-5] + b"\xff" + content[16][-5:]
    report = report_of(b"\r\n".join(content), filename="a.csv")
    assert (report.encoding, shown(report)) == ("cp949", [("not-utf8", (17,))])


def test_chat_in_a_table_is_json_in_its_cells() -> None:
    rows = [chat(n, tools=[{"type": "function", "function": {"name": "look_up"}}]) for n in range(60)]
    report = report_of(table(rows).encode(), filename="a.csv")
    assert (report.format, report.examples, report.findings) == ("chat", 60, ())
    rows[14]["messages"] = "[{'role': 'user'}]"
    assert shown(report_of(table(rows).encode(), filename="a.csv")) == [("not-json", (16,))]


def test_a_prompt_that_is_json_stays_a_text() -> None:
    rows = [{"prompt": f'{{"id": {n}}}', "completion": " [1]"} for n in range(60)]
    report = report_of(table(rows).encode(), filename="a.csv")
    assert (report.format, report.examples, shown(report)) == ("prompt-completion", 60, [])


def test_records_are_counted_as_a_spreadsheet_counts_them() -> None:
    rows = [*map(pair, range(60))]
    rows[3]["prompt"] = "two\nlines, and a comma ->"
    content = table(rows).replace('"two', '\r\n\r\n"two') + ",\r\n,\r\n"
    content = content.replace("Ticket 40 -> , red kettle 40 END", "").replace("Ticket 41 ->, old teapot 41 END", ",")
    report = report_of(content.encode(), filename="a.csv")
    assert (report.rows, report.examples) == (60, 60)
    assert (45, found(report)["empty-completion"].rows) == (45, (45,))


@pytest.mark.parametrize(
    ("record", "code", "hint"),
    [
        ("a, b, c", "broken-row", "Row 17 has 3 cells"),
        ('"a "b" ->", c', "broken-row", "Row 17: a quote inside a text"),
        ("only a prompt ->", "empty-completion", "Write the answer"),
    ],
)
def test_a_record_that_does_not_fit_its_table_is_told_by_its_row(record: str, code: str, hint: str) -> None:
    content = table([*map(pair, range(60))]).split("\r\n")
    content[16] = record
    finding = found(report_of("\r\n".join(content).encode(), filename="a.csv"))[code]
    assert finding.rows == (17,)
    assert finding.hint.startswith(hint)


def test_a_quote_that_is_never_closed_is_told_where_it_opens() -> None:
    content = table([*map(pair, range(60))]).split("\r\n")
    content[16] = '"a ->, b'
    report = report_of("\r\n".join(content).encode(), filename="a.csv")
    assert found(report)["broken-row"].rows == (17,)
    assert "none closes it" in found(report)["broken-row"].hint


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_other_separators_are_recognised_and_said(delimiter: str) -> None:
    report = report_of(table([*map(pair, range(60))], delimiter).encode(), filename="a.csv")
    assert (report.examples, shown(report)) == (60, [])
    assert "parted by" in report.doubts[0]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(ending: str) -> None:
    content = table([*map(pair, range(60))]).replace("\r\n", ending)
    assert shown(report_of(content.encode(), filename="a.csv")) == []


@pytest.mark.parametrize(
    "document",
    [
        json.dumps([*map(pair, range(60))]),
        json.dumps([*map(pair, range(60))], indent=2),
        json.dumps({"data": [*map(pair, range(60))]}),
        json.dumps({"name": "tickets", "version": 3, "data": [*map(pair, range(60))]}, indent=4),
        "\n".join(json.dumps(pair(n), indent=2) for n in range(60)),
        "[" + ",\n".join(json.dumps(pair(n)) for n in range(60)) + "]\n",
    ],
)
def test_a_json_document_s_elements_are_its_rows(document: str) -> None:
    for filename in ("a.json", "a", "a.jsonl"):
        report = report_of(document.encode(), filename=filename)
        assert (report.container, report.rows, report.examples, shown(report)) == ("json", 60, 60, [])
        assert bool(report.doubts) == (filename == "a.jsonl")


@pytest.mark.parametrize("indent", [None, 2])
def test_an_element_s_number_counts_from_one(indent: int | None) -> None:
    rows: list[Any] = [*map(pair, range(60))]
    rows[16] = {"prompt": "x"}
    rows[40] = "no object"
    report = report_of(json.dumps(rows, indent=indent).encode(), filename="a.json")
    assert shown(report) == [("missing-column", (17,)), ("not-an-object", (41,))]


def test_after_an_element_that_is_not_json_the_others_are_read() -> None:
    document = json.dumps([*map(pair, range(60))], indent=2).replace('"prompt": "Ticket 16 ', '"prompt" "Ticket 16 ')
    report = report_of(document.encode(), filename="a.json")
    assert (report.rows, report.examples, shown(report)) == (60, 59, [("not-json", (17,))])
    assert found(report)["not-json"].hint.startswith("Line 67, character 14: colon missing.")


def test_a_document_that_was_cut_off_says_so() -> None:
    document = json.dumps([*map(pair, range(60))])
    report = report_of(document[:-1].encode(), filename="a.json")
    assert (report.examples, shown(report)) == (60, [("not-json", (61,))])
    report = report_of(document[:-20].encode(), filename="a.json")
    assert (report.examples, shown(report)) == (59, [("not-json", (60,))])


def test_not_a_number_in_a_document_is_told_by_its_element() -> None:
    document = json.dumps([{**pair(n), "score": float("nan") if n == 4 else 1} for n in range(60)])
    assert found(report_of(document.encode(), filename="a.json"))["not-json"].hint.startswith("Element 5: NaN")


def test_plain_text_is_a_completion_a_line() -> None:
    content = "\n".join([" A first line.", "", *(f" line number {n}." for n in range(60)), "", ""])
    report = report_of(content.encode(), filename="a.txt")
    assert (report.container, report.format, report.rows) == ("txt", "prompt-completion", 62)
    assert shown(report) == [("empty-completion", (2,))]


@pytest.mark.parametrize(("text", "container"), [(jsonl([*map(chat, range(60))]).decode(), "jsonl")])
def test_the_content_is_believed_before_the_name(text: str, container: str) -> None:
    for filename in ("a.csv", "a.txt", "a.json", "a", "a.xlsx"):
        report = report_of(text.encode(), filename=filename)
        assert (report.container, report.examples, report.findings) == (container, 60, ())


def test_a_gzip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=1)
    report = report_of(bomb, filename="a.jsonl.gz")
    assert [finding.code for finding in report.findings] == ["suspicious-archive"]


def test_what_unpacks_to_more_than_the_limit_is_not_read_on() -> None:
    content = gzip.compress(jsonl([*map(chat, range(60_000))]))
    report = report_of(content, filename="a.jsonl.gz", max_bytes=5 * 1024 * 1024)
    assert "larger than 5 MB" in found(report)["file-too-large"].message
    assert 20_000 < report.rows < 60_000
