"""Workbooks and Parquet files, read in a process that may take only so much."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest

from finetune.containers.limited import limited_rows
from finetune.containers.refusal import UnreadableError
from tests.finetune.rows import chat, found, pair, report_of

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
)
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def cell(value: Any) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c t="b"><v>{int(value)}</v></c>' if isinstance(value, bool) else f"<c><v>{value}</v></c>"


def sheet(records: Sequence[Sequence[Any]]) -> str:
    rows = "".join(f'<row r="{n}">{"".join(map(cell, record))}</row>' for n, record in enumerate(records, 1) if record)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def workbook(*sheets: str) -> bytes:
    """A workbook of these sheets, written by hand, so that no package is needed to make one."""
    numbers = range(1, len(sheets) + 1)
    names = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{RELATION}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{RELATION}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELATION}"><sheets>{names}</sheets></workbook>'
        )
        archive.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}">{links}</Relationships>')
        for number, content in zip(numbers, sheets, strict=True):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", content)
    return buffer.getvalue()


def records(rows: Sequence[dict[str, Any]]) -> list[list[Any]]:
    names = list(rows[0])
    cells = ([row[name] for name in names] for row in rows)
    return [names, *[[json.dumps(c, ensure_ascii=False) if isinstance(c, list) else c for c in row] for row in cells]]


class TestWorkbooks:
    @pytest.fixture(autouse=True)
    def _needs_calamine(self) -> None:
        pytest.importorskip("python_calamine")

    def test_rows_are_numbered_as_the_spreadsheet_shows_them(self) -> None:
        rows = records([{"prompt": f"문의 {n} ->", "completion": n} for n in range(60)])
        rows[16][1] = None
        rows[30] = []
        rows[31] = ["", ""]
        report = report_of(workbook(sheet([*rows, ["", ""], []])), filename="a.xlsx")
        assert (report.container, report.format, report.rows, report.examples) == (
            "xlsx",
            "prompt-completion",
            60,
            60,
        )
        assert found(report)["empty-completion"].rows == (17, 31, 32)
        assert report.doubts == ()

    def test_chat_is_json_in_the_cells_and_columns_that_nothing_reads_are_said(self) -> None:
        report = report_of(workbook(sheet(records([chat(n, id=n) for n in range(60)]))), filename="upload")
        assert (report.format, report.examples) == ("chat", 60)
        assert [finding.code for finding in report.findings] == ["extra-column"]

    def test_numbers_and_truth_are_the_text_that_is_shown(self) -> None:
        rows = [{"prompt": 2.5, "completion": True}, {"prompt": 7, "completion": False}]
        doubts: list[str] = []
        read = list(limited_rows("xlsx", [workbook(sheet(records(rows)))], doubts=doubts))
        assert read == [(2, b'{"prompt":"2.5","completion":"TRUE"}'), (3, b'{"prompt":"7","completion":"FALSE"}')]

    def test_the_process_knows_nothing_of_our_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONHOME", "/nowhere")  # with it no Python starts
        report = report_of(workbook(sheet(records([*map(pair, range(60))]))), filename="a.xlsx")
        assert (report.examples, [finding for finding in report.findings if finding.rows]) == (60, [])

    def test_the_sheet_with_the_known_names_is_read_and_said(self) -> None:
        book = workbook(sheet([["Notes"], ["by Mina"]]), sheet([]), sheet(records([*map(pair, range(60))])))
        report = report_of(book, filename="a.xlsx")
        assert (report.examples, [finding for finding in report.findings if finding.rows]) == (60, [])
        assert report.doubts == ("The workbook has 3 sheets; sheet 3 was read, and no other.",)

    def test_what_is_no_workbook_is_said(self) -> None:
        book = workbook(sheet(records([*map(pair, range(60))])))
        report = report_of(book[: len(book) // 2], filename="a.xlsx")
        assert [finding.code for finding in report.findings] == ["unknown-format"]
        assert "damaged" in report.findings[0].message
        report = report_of(book.replace(b"worksheets", b"workshifts"), filename="a.xlsx")
        assert [finding.code for finding in report.findings] == ["unknown-format"]

    def test_an_archive_that_declares_absurdly_much_is_refused(self) -> None:
        report = report_of(workbook(sheet([["prompt"]]) + " " * 200_000_000), filename="a.xlsx")
        assert [finding.code for finding in report.findings] == ["suspicious-archive"]

    @pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not limit a process's memory")
    def test_a_sheet_that_asks_for_more_memory_than_allowed_is_refused(self) -> None:
        far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
        book = workbook(f'<worksheet xmlns="{MAIN}"><sheetData>{far}</sheetData></worksheet>')
        report = report_of(book, filename="a.xlsx")
        assert [finding.code for finding in report.findings] == ["suspicious-archive"]

    def test_one_that_takes_too_long_is_refused(self) -> None:
        book = workbook(sheet([["prompt", "completion"]] + [[str(n), "x"] for n in range(120_000)]))
        with pytest.raises(UnreadableError) as raised:
            list(limited_rows("xlsx", [book], cpu_s=0, doubts=[]))
        assert raised.value.refusal.code == "suspicious-archive"


class TestParquet:
    @pytest.fixture(autouse=True)
    def _needs_arro3(self) -> None:
        pytest.importorskip("arro3.io")

    def parquet(self, rows: Sequence[dict[str, Any]], schema: Any) -> bytes:
        arrow = pytest.importorskip("arro3.core")
        columns = {name: arrow.Array([row.get(name) for row in rows], kind) for name, kind in schema.items()}
        out = io.BytesIO()
        pytest.importorskip("arro3.io").write_parquet(arrow.Table.from_pydict(columns), out)
        return out.getvalue()

    def test_texts_and_numbers_are_rows_below_a_header(self) -> None:
        types = pytest.importorskip("arro3.core").DataType
        rows: list[dict[str, Any]] = [{"prompt": f"質問 {n} ->", "completion": n} for n in range(60)]
        rows[15]["completion"] = None
        content = self.parquet(rows, {"prompt": types.string(), "completion": types.int64()})
        report = report_of(content, filename="a.parquet")
        assert (report.container, report.rows, report.examples) == ("parquet", 60, 60)
        assert found(report)["empty-completion"].rows == (17,)

    def test_damaged_ones_are_said(self) -> None:
        types = pytest.importorskip("arro3.core").DataType
        content = self.parquet([pair(n) for n in range(60)], {"prompt": types.string(), "completion": types.string()})
        report = report_of(content[:-30] + b"\x00" * 26 + b"PAR1", filename="a.parquet")
        assert [finding.code for finding in report.findings] == ["unknown-format"]
