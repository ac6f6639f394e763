"""The process in which workbooks and Parquet files are read: the file on standard input, rows on standard output.

Lines of `r<number> <object>`, `f<number> <[code, reason]>`, `d0 <what was doubtful>`, `x0 <[code, message, hint]>`.
Run by `finetune.containers.limited` only:
`python -m finetune.containers.table_reader xlsx|parquet MEMORY_BYTES CPU_SECONDS`.
"""

from __future__ import annotations

import importlib
import resource
import struct
import sys
import zipfile
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

import msgspec

from finetune.containers.refusal import DAMAGED, TOO_MUCH, Refusal, UnreadableError
from finetune.containers.table_rows import as_text, known_names, table_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from finetune.containers.jsonl import Flaw

    Records: TypeAlias = Iterator[tuple[int, Sequence[Any], Flaw | None]]

UNPACKED_MAX_BYTES: Final = 512 * 1024 * 1024
FREE_BYTES: Final = 64 * 1024 * 1024
RATIO_MAX: Final = 150
"""A sheet's XML packs to a tenth, a very even one to a fiftieth."""

ENTRIES_MAX: Final = 10_000

_encode = msgspec.json.Encoder().encode


class _Sheet(Protocol):
    def iter_rows(self) -> Iterator[list[Any]]: ...


class _Workbook(Protocol):
    sheet_names: list[str]
    sheets_metadata: list[Any]

    def get_sheet_by_name(self, name: str) -> _Sheet: ...


def main(kind: str, memory_bytes: int, cpu_s: int) -> None:
    """Read the file on standard input under these limits and write its rows."""
    _limit(memory_bytes, cpu_s)
    out = sys.stdout.buffer
    try:
        records = _workbook(sys.stdin.buffer, out) if kind == "xlsx" else _parquet(sys.stdin.buffer)
        for number, row in table_rows(records):
            if isinstance(row, bytes):
                out.write(b"r%d %b\n" % (number, row))
            else:
                out.write(b"f%d %b\n" % (number, _encode([row.code, row.reason])))
    except UnreadableError as error:
        _refuse(out, error.refusal)
    except MemoryError:
        _refuse(out, TOO_MUCH)
    out.flush()


def _refuse(out: IO[bytes], refusal: Refusal) -> None:
    out.write(b"x0 %b\n" % _encode([refusal.code, refusal.message, refusal.hint]))


def _limit(memory_bytes: int, cpu_s: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        try:
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        except (ValueError, OSError):  # macOS knows no limit of memory
            continue


def _workbook(file: IO[bytes], out: IO[bytes]) -> Records:
    _look_at_sizes(file)
    calamine = _package("python_calamine", "python-calamine", "an Excel workbook")
    try:
        workbook = cast("_Workbook", calamine.CalamineWorkbook.from_filelike(file))
        names = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == calamine.SheetVisibleEnum.Visible]
        name = _sheet(workbook, names or workbook.sheet_names)
        if name is None:
            return
        if len(workbook.sheet_names) > 1:
            position = workbook.sheet_names.index(name) + 1
            doubt = f"The workbook has {len(workbook.sheet_names)} sheets; sheet {position} was read, and no other."
            out.write(b"d0 %b\n" % _encode(doubt))
        for number, cells in enumerate(workbook.get_sheet_by_name(name).iter_rows(), start=1):
            yield number, cells, None
    except calamine.PasswordError as error:
        raise UnreadableError(_LOCKED) from error
    except calamine.CalamineError as error:
        raise UnreadableError(DAMAGED) from error


def _sheet(workbook: _Workbook, names: Sequence[str]) -> str | None:
    """Return the first sheet whose first row has names that training data has, else the first that has rows."""
    first: str | None = None
    for name in names:
        header = next((cells for cells in workbook.get_sheet_by_name(name).iter_rows() if any(cells)), None)
        if header is None:
            continue
        if known_names([as_text(cell) for cell in header]):
            return name
        first = first or name
    return first


def _look_at_sizes(file: IO[bytes]) -> None:
    """Refuse an archive that is no workbook, or says that it unpacks to absurdly much."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error) as error:
        raise UnreadableError(DAMAGED) from error
    if not any(entry.filename.startswith("xl/") for entry in entries):
        raise UnreadableError(_NO_WORKBOOK)
    packed = sum(entry.compress_size for entry in entries)
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > ENTRIES_MAX or unpacked > UNPACKED_MAX_BYTES:
        raise UnreadableError(TOO_MUCH)
    if unpacked > FREE_BYTES and unpacked > packed * RATIO_MAX:
        raise UnreadableError(TOO_MUCH)
    file.seek(0)


def _parquet(file: IO[bytes]) -> Records:
    arrow = _package("arro3.io", "arro3-io", "a Parquet file")
    try:
        batches = arrow.read_parquet(file)
        names = cast("list[str]", batches.schema.names)
        yield 1, names, None
        number = 1
        for batch in batches:
            columns = [cast("list[Any]", batch.column(index).to_pylist()) for index in range(len(names))]
            for cells in zip(*columns, strict=True):
                number += 1
                yield number, [_plain(cell) for cell in cells], None
    except (MemoryError, GeneratorExit):
        raise
    except BaseException as error:  # a panic in Rust is no Exception, and the library has no error of its own
        raise UnreadableError(DAMAGED) from error


def _package(module: str, package: str, what: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        message = f"This is {what}, and the package that reads it, {package}, is not installed here."
        hint = f"Save it as CSV or JSONL, or ask whoever runs Tuneroom for {package}."
        raise UnreadableError(Refusal("unknown-format", message, hint)) from error


def _plain(value: Any) -> Any:
    """Return a cell without the nulls that stand for names an object does not have."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {name: _plain(inner) for name, inner in items if inner is not None or name == "content"}
    if isinstance(value, list):
        return [_plain(inner) for inner in cast("list[Any]", value)]
    return as_text(value) if isinstance(value, bytes) else value


_LOCKED: Final = Refusal("unknown-format", "The workbook has a password.", "Save it without a password, and drop that.")
_NO_WORKBOOK: Final = Refusal(
    "unknown-format", "This is a ZIP archive, not a workbook.", "Unpack it, and drop the dataset inside."
)

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
