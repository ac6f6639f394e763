"""`tuneroom check FILE --fix OUT`: a new version beside the file, mended or converted, and what changed by row."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from finetune.containers.refusal import UnreadableError
from finetune.conversion.columns import PARTS, column_named
from finetune.conversion.conversion import TARGETS, Conversion, conversion_of, offered
from finetune.fixes import words
from finetune.fixes.choice import BY_ITSELF, OF_TEXTS, safe
from finetune.mending import Mending, Recipe, recipe_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from finetune.conversion.columns import Part
    from finetune.fixes.difference import Change, Difference
    from finetune.report import Report

ROWS_NAMED: Final = 10
BLOCK_BYTES: Final = 1024 * 1024
ALSO: Final = (*BY_ITSELF, *OF_TEXTS)


class CannotMendError(Exception):
    """The new version cannot be made; the message says why."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what `--fix` needs to a parser."""
    group = parser.add_argument_group("a new version")
    group.add_argument("--fix", metavar="OUT", help="write a new version to OUT, with the safe fixes applied")
    group.add_argument(
        "--also", metavar="CODE", action="append", default=[], help=f"a fix that is not safe: {', '.join(ALSO)}"
    )
    group.add_argument("--convert", metavar="NAME", help=f"write the rows as {', '.join(TARGETS)}")
    group.add_argument("--map", metavar="PARTS", help="columns by other names: prompt=question,completion=answer")
    group.add_argument("--system", metavar="TEXT", default="", help="the system message of --convert chat")


def wrong_use(arguments: argparse.Namespace) -> str:
    """Return what is wrong with the options, "" where nothing is."""
    unknown = [code for code in arguments.also if code not in ALSO]
    if unknown:
        return f"there is no fix {unknown[0]}; --also takes {', '.join(ALSO)}"
    if arguments.convert is not None and arguments.convert not in TARGETS:
        return f"rows cannot be written as {arguments.convert}; --convert takes {', '.join(TARGETS)}"
    if arguments.map and arguments.convert not in {None, "chat", "prompt-completion"}:
        return "mapped columns become chat or prompt-completion"
    if arguments.fix is None and (arguments.also or arguments.convert or arguments.map or arguments.system):
        return "say where the new version goes, with --fix OUT"
    return _wrong_mapping(arguments.map or "")


def mend(path: Path, out: Path, report: Report, arguments: argparse.Namespace) -> Difference:
    """Write the new version of a file that was checked; CannotMendError says why not."""
    if out.exists() and path.samefile(out):
        raise CannotMendError("a new version goes beside the file, not over it; name another one")
    recipe = _recipe(report, arguments)
    with path.open("rb") as file:
        mending = Mending(iter(lambda: file.read(BLOCK_BYTES), b""), path.name, recipe)
        try:
            _write(out, mending)
        except UnreadableError as error:
            raise CannotMendError(f"{error.refusal.message} {error.refusal.hint}") from error
        except OSError as error:
            raise CannotMendError(f"{out} cannot be written: {error.strerror}") from error
    return mending.difference


def render(out: str, difference: Difference) -> str:
    """Return what changed by row, as text for a terminal."""
    rows = "1 row" if difference.rows_after == 1 else f"{difference.rows_after:,} rows"
    lines = [f"New version: {out}, {rows}."]
    lines += [f"  {_line(change)}" for change in words.ordered(difference)] or ["  Nothing to change."]
    return "\n".join(lines) + "\n"


def offer(report: Report, arguments: argparse.Namespace) -> str:
    """Return what could be mended, "" where that is nothing, or was tried."""
    count = len(safe(report))
    if arguments.fix is not None or not count:
        return ""
    named = "1 safe fix" if count == 1 else f"{count} safe fixes"
    return f"--fix OUT writes a new version with {named} applied.\n"


def as_json(out: str, difference: Difference) -> dict[str, Any]:
    """Return what changed as plain JSON values; at most the first 20 rows of each change."""
    changes = [{"code": change.code, "rows": [*change.rows], "count": change.count} for change in difference.changes]
    return {"out": out, "rows": difference.rows_after, "changes": changes}


def _line(change: Change) -> str:
    phrase = words.phrase(change)
    said = f"{phrase[:1].upper()}{phrase[1:]}"
    if change.code in words.OF_MOST_ROWS:
        return f"{said}."
    rows = [f"{row:,}" for row in change.rows[:ROWS_NAMED]]
    if change.count > len(rows):
        rows.append(f"{change.count - len(rows):,} more")
    named = " and ".join(filter(None, (", ".join(rows[:-1]), rows[-1])))
    return f"{said}: {'row' if change.count == 1 else 'rows'} {named}."


def _recipe(report: Report, arguments: argparse.Namespace) -> Recipe:
    if arguments.map:
        pairs = [part.split("=", 1) for part in arguments.map.split(",")]
        mapping: dict[Part, str] = {
            known: _column(report, name) for known in PARTS for part, name in pairs if part.strip() == known
        }
        target = arguments.convert or "prompt-completion"
        return Recipe(conversion=Conversion(source=None, target=target, mapping=mapping, system=arguments.system))
    if not report.examples:
        raise CannotMendError("no row can be read as an example, so there is nothing to mend; see --map")
    recipe = recipe_of(report, (*safe(report), *arguments.also), meant=arguments.format)
    if arguments.convert is None:
        return recipe
    try:
        conversion = conversion_of(report, arguments.convert, system=arguments.system)
    except KeyError as error:
        known = ", ".join(offered(report)) or "nothing else"
        raise CannotMendError(f"{report.format} rows can become {known}") from error
    return Recipe(
        format=recipe.format, meant=recipe.meant, fixes=recipe.fixes, shape=recipe.shape, conversion=conversion
    )


def _column(report: Report, wanted: str) -> str:
    found = column_named(report.columns, wanted)
    if found is None:
        raise CannotMendError(f"there is no column {wanted.strip()}; there are {', '.join(report.columns) or 'none'}")
    return found


def _wrong_mapping(text: str) -> str:
    for part in filter(None, text.split(",")):
        name, equals, column = part.partition("=")
        if name.strip() not in PARTS or not equals or not column.strip():
            return f"--map takes {', '.join(f'{known}=COLUMN' for known in PARTS)}, parted by commas"
    return ""


def _write(out: Path, lines: Iterator[bytes] | Mending) -> None:
    """Write beside and rename: a name that exists is whole."""
    handle, beside = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(lines)
        Path(beside).chmod(0o644)
        Path(beside).replace(out)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
