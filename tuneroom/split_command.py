"""`tuneroom split FILE`: the parts of a dataset as files, divided as `/tune split` divides them."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from finetune.catalogue import Catalogue
from finetune.check import check
from finetune.containers.refusal import UnreadableError
from finetune.errors import UserError
from finetune.splitting.division import Parts, divisions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from finetune.report import Report
    from finetune.splitting.division import Division

BLOCK_BYTES = 1024 * 1024


class _File:
    """A file's blocks, as often as they are wanted."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            yield from iter(lambda: file.read(BLOCK_BYTES), b"")


def run(parsed: argparse.Namespace) -> int:
    """Write FILE-train.jsonl and the others beside the file, or into the folder that is named."""
    path = Path(parsed.file)
    try:
        return _split(path, parsed)
    except UnreadableError as error:
        raise UserError(error.refusal.code, error.refusal.message, error.refusal.hint) from error
    except OSError as error:
        name = error.filename or path
        raise UserError("file-not-read", f"{name}: {error.strerror}.", "Give the path of the dataset.") from error


def _split(path: Path, parsed: argparse.Namespace) -> int:
    blocks = _File(path)
    report = check(blocks, filename=path.name, catalogue=Catalogue.load())
    _insist(report, path)
    given = {name: value for name in ("valid", "test", "seed") if (value := getattr(parsed, name)) is not None}
    asked = divisions(given, seed=_seed(blocks), format_name=str(report.format))
    split = asked[-1].split(blocks, path.name)
    folder = Path(parsed.out) if parsed.out else path.parent
    targets = [(division, _free(folder, path, division)) for division in reversed(asked)]
    for division, target in targets:
        with target.open("xb") as file:
            file.writelines(division.lines(split))
        sys.stdout.write(f"  {Parts.of(division, split).own_rows:>9,} rows  {target}\n")
    sys.stdout.write(f"Drawn with seed {asked[-1].seed}. {_kept(Parts.of(asked[-1], split))}\n")
    return 0


def _insist(report: Report, path: Path) -> None:
    if report.verdict != "accepted":
        hint = f"tuneroom check {path} says what to mend."
        raise UserError("not-accepted", f"{path} cannot be trained on as it is.", hint)


def _seed(blocks: _File) -> int:
    """Return the seed that a dataset of these bytes has in the channel."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return int(digest.hexdigest()[:6], 16)


def _free(folder: Path, path: Path, division: Division) -> Path:
    """Return where a part goes; UserError where something is there."""
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    target = folder / f"{stem}-{division.part}.jsonl"
    if target.exists():
        hint = "Name another folder with --out; I overwrite nothing."
        raise UserError("file-exists", f"{target} is there already.", hint)
    return target


def _kept(parts: Parts) -> str:
    if parts.parted:
        return f"{parts.parted:,} rows are of one template, so the parts resemble one another there."
    rows = "1 row resembles" if parts.alike == 1 else f"{parts.alike:,} rows resemble"
    return f"{rows} another one, and stayed on its side." if parts.alike else "No two rows resemble one another."
