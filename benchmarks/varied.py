"""Files to measure with, made by a seed: their text is as varied as real text is, and hardly a row comes twice."""

from __future__ import annotations

import csv
import json
import random
import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SYLLABLES = [a + b + c for a in "bcdfghklmnprstvwy" for b in "aeiou" for c in ("", "", "n", "r", "st", "ng")]
HANGUL = (0xAC00, 0xD7A3)
KANA_AND_KANJI = ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x8FFF))
CYRILLIC = (0x0430, 0x044F)
EMOJI = (0x1F300, 0x1F64F)

TABLE_ROWS = 50_000
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OOXML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
WORKBOOK = {
    "[Content_Types].xml": (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{OOXML}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{OOXML}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{LINKS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets><sheet name="pairs" sheetId="1" r:id="r1"/></sheets>'
        "</workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{LINKS}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}
"""The parts of the smallest workbook but for its sheet."""


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


def chat_row(writer: Writer) -> bytes:
    """Return a line of chat JSONL of about 1 kB."""
    messages = [{"role": "system", "content": "You answer the customers of a hardware shop."}]
    for _ in range(writer.random.choice([1, 1, 1, 2])):
        messages.append({"role": "user", "content": writer.text(writer.random.randint(1, 6))})
        messages.append({"role": "assistant", "content": writer.text(writer.random.randint(2, 10))})
    return json.dumps({"messages": messages}, ensure_ascii=False).encode() + b"\n"


def write_chat(path: Path, size_bytes: int, seed: int) -> None:
    """Write chat rows until the file has `size_bytes`."""
    writer = Writer(seed)
    written = 0
    with path.open("wb") as file:
        while written < size_bytes:
            written += file.write(chat_row(writer))


def write_tables(directory: Path, seed: int) -> Iterator[Path]:
    """Write the same 50,000 pairs of texts as CSV and as a workbook, and yield their paths."""
    writer = Writer(seed)
    rows = [("prompt", "completion"), *((writer.text(2), writer.text(2)) for _ in range(TABLE_ROWS))]
    table = directory / "pairs.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    yield table
    workbook = directory / "pairs.xlsx"
    with zipfile.ZipFile(workbook, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in WORKBOOK.items():
            archive.writestr(name, content)
        cells = (
            "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>' for text in row)
            for row in rows
        )
        sheet = "".join(f"<row>{row}</row>" for row in cells)
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>'
        )
    yield workbook
