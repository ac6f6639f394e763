"""`tuneroom check FILE`: the same checks as in the channel, with no server at all."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from finetune.catalogue import Catalogue
from finetune.check import check
from finetune.errors import UserError
from finetune.formats.recognition import FORMATS
from finetune.guidance import TASKS, advice, parse_task
from tuneroom import mend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from finetune.findings import Finding
    from finetune.fixes.difference import Difference
    from finetune.guidance import Task
    from finetune.report import Report

EXIT_CODES = {"accepted": 0, "rejected": 1, "unreadable": 2}
EXIT_USAGE = 64

BLOCK_BYTES = 1024 * 1024
LINE_MAX = 110
FINDINGS_SHOWN = 12
"""The report is one screen; `--json` has everything."""


class UsageError(Exception):
    """The command line asks for something that cannot be done; the message says what."""


def main(argv: Sequence[str] | None = None, *, catalogue: Catalogue | None = None) -> int:
    """Check the file that `argv` names and print its report; return the exit code.

    0: accepted, 1: errors found, 2: no example could be read, 64: wrong usage.
    """
    return run(sys.argv[1:] if argv is None else argv, sys.stdout, catalogue or Catalogue.load(), stderr=sys.stderr)


def run(argv: Sequence[str], stdout: TextIO, catalogue: Catalogue, *, stderr: TextIO) -> int:
    """Do what `main` does, with the streams and the prices given."""
    try:
        arguments = _parse(argv)
        if arguments.help:
            stdout.write(_parser().format_help())
            return 0
        report = _check(Path(arguments.file), arguments, catalogue)
    except UsageError as error:
        stderr.write(f"tuneroom check: {error}\n")
        return EXIT_USAGE
    difference, refusal = _mend(arguments, report)
    if arguments.json:
        version = {"version": mend.as_json(arguments.fix, difference)} if difference else {}
        stdout.write(json.dumps(report.as_json() | version, ensure_ascii=False, indent=2) + "\n")
    else:
        stdout.write(render(report, arguments.file, arguments.task))
        stdout.write(mend.render(arguments.fix, difference) if difference else mend.offer(report, arguments))
    stderr.write(f"tuneroom check: no new version: {refusal}\n" if refusal else "")
    return EXIT_CODES[report.verdict] or (EXIT_USAGE if refusal else 0)


def render(report: Report, filename: str, task: Task | None = None) -> str:
    """Return the report as a page of text for a terminal; `task` is what the rows are for, where somebody said so."""
    lines = [filename, *_figures(report), ""]
    lines += [line for finding in report.findings[:FINDINGS_SHOWN] for line in _finding(finding)]
    if len(report.findings) > FINDINGS_SHOWN:
        others = report.findings[FINDINGS_SHOWN:]
        codes = ", ".join(f"{one.code} ({one.count:,})" if one.rows else one.code for one in others)
        said = f"and {len(others)} more: {codes}; --json shows all"
        lines.append(textwrap.fill(said, LINE_MAX, initial_indent="  ", subsequent_indent="  "))
    if report.findings:
        lines.append("")
    if said := " ".join(advice(report, task)):
        lines.append(textwrap.fill(said, LINE_MAX, initial_indent="  ", subsequent_indent="  "))
    return "\n".join([*lines, _verdict(report)]) + "\n"


def _figures(report: Report) -> Iterator[str]:
    yield from (f"  {doubt}" for doubt in report.doubts)
    if report.format is None or not report.examples:
        yield f"  {report.rows:,} rows, none of which could be read"
        return
    tokens = report.tokens
    what = report.format if report.container == "jsonl" else f"{report.format} in {report.container.upper()}"
    yield f"  {report.rows:,} rows · {report.examples:,} examples · {what} · {tokens.total:,} tokens"
    counted = "estimated" if report.counted_with == "estimate" else f"counted with {report.counted_with}"
    yield f"  an example has {tokens.p50:,} tokens (median), {tokens.p95:,} (95%), {tokens.max:,} (longest); {counted}"
    if report.price_usd:
        yield f"  training for {report.epochs} epochs, prices of {report.prices_as_of}:"
    width = max(map(len, report.price_usd), default=0)
    for model, price in report.price_usd.items():
        yield f"    {model:<{width}}  {_price(price.low, price.high)}"


def _price(low: float, high: float) -> str:
    if high == 0:
        return "free"
    if high < 0.01:
        return "under $0.01"
    return f"${low:,.2f}" if low == high else f"${low:,.2f} to ${high:,.2f}"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"  {finding.severity.value:<7}  {finding.message}  [{finding.code}]"
    yield f"           {finding.hint}"


def _verdict(report: Report) -> str:
    if report.verdict == "accepted":
        return "Ready to train."
    errors = len(report.errors)
    counted = "1 error blocks" if errors == 1 else f"{errors} errors block"
    return f"{counted} training."


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.file is None and not arguments.help:
        parser.error("name the file to check")
    if arguments.format is not None and arguments.format not in FORMATS:
        parser.error(f"there is no format {arguments.format}; it is one of {', '.join(FORMATS)}")
    arguments.task = _task(parser, arguments.task)
    if wrong := mend.wrong_use(arguments):
        parser.error(wrong)
    return arguments


def _task(parser: argparse.ArgumentParser, name: str | None) -> Task | None:
    if name is None:
        return None
    try:
        return parse_task(name)
    except UserError as error:
        parser.error(f"{error.message} {error.hint}")


def _mend(arguments: argparse.Namespace, report: Report) -> tuple[Difference | None, str]:
    """Return how the new version differs, or why there is none."""
    if arguments.fix is None:
        return None, ""
    try:
        return mend.mend(Path(arguments.file), Path(arguments.fix), report, arguments), ""
    except mend.CannotMendError as error:
        return None, str(error)


def _check(path: Path, arguments: argparse.Namespace, catalogue: Catalogue) -> Report:
    validation, test = (Path(given) if given else None for given in (arguments.validation, arguments.test))
    try:
        return check(
            _blocks(path),
            filename=path.name,
            models=arguments.model,
            format_name=arguments.format,
            catalogue=catalogue,
            task=arguments.task,
            validation=_blocks(validation) if validation else None,
            validation_filename=validation.name if validation else "",
            test=_blocks(test) if test else None,
            test_filename=test.name if test else "",
        )
    except UserError as error:
        raise UsageError(f"{error.message} {error.hint}") from error


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from iter(lambda: file.read(BLOCK_BYTES), b"")
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}; give the path of the dataset") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a directory; name the file inside it") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


class _Parser(argparse.ArgumentParser):
    """argparse leaves with exit code 2, which here means that no example could be read."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage().rstrip()}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tuneroom check",
        description="Check a dataset: format, rows, tokens, prices, and what is wrong, row by row.",
        epilog="exit codes: 0 accepted, 1 errors found, 2 no example could be read, 64 wrong usage",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="the dataset: JSONL, JSON, CSV, TSV, XLSX, Parquet, TXT"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--format", metavar="NAME", help=f"what the rows are, if not recognised: {', '.join(FORMATS)}")
    parser.add_argument("--task", metavar="NAME", help=f"what they teach, if guessed wrongly: {', '.join(TASKS)}")
    parser.add_argument("--validation", metavar="FILE", help="rows held out: none of them may be among those learnt")
    parser.add_argument("--test", metavar="FILE", help="the same, for the rows that test the model at the end")
    parser.add_argument("--model", metavar="NAME", action="append", default=[], help="a model meant; repeatable")
    mend.add_options(parser)
    parser.add_argument("-h", "--help", action="store_true", help="print this and leave")
    return parser
