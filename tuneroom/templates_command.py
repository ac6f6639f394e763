"""`tuneroom templates [NAME] [--out FILE]`: datasets to begin from, shown or written to a file."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from finetune.errors import UserError
from finetune.templates.shelf import LANGUAGES, TEMPLATES, find_sample

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from finetune.templates.shelf import Sample, Template

LINE_MAX = 100


def run(parsed: argparse.Namespace) -> int:
    """List the templates, describe the one that is named, or write its rows."""
    if not parsed.name:
        if parsed.out:
            raise UserError("template-missing", "I don't know which template to write.", f"Name one: {_names()}.")
        sys.stdout.write("\n".join(_list()) + "\n")
        return 0
    template, sample = find_sample(parsed.name)
    if parsed.out:
        _write(sample, Path(parsed.out))
    else:
        sys.stdout.write("\n".join(_description(template, sample)) + "\n")
    return 0


def _write(sample: Sample, path: Path) -> None:
    try:
        with path.open("xb") as file:
            file.write(sample.content())
    except FileExistsError as error:
        raise UserError("file-exists", f"{path} is there already.", "Name another; I overwrite nothing.") from error
    except OSError as error:
        raise UserError("file-not-written", f"{path} cannot be written: {error.strerror}.", "Name another.") from error
    sys.stdout.write(f"{path}: change the rows to yours, then check them: tuneroom check {path}\n")


def _names() -> str:
    return ", ".join(template.name for template in TEMPLATES)


def _list() -> Iterator[str]:
    width = max(len(template.name) for template in TEMPLATES)
    for template in TEMPLATES:
        more = "".join(f" ({LANGUAGES[one.language]}: {one.name})" for one in template.samples[1:])
        yield f"  {template.name:<{width}}  {template.what}{more}"
    yield ""
    yield "tuneroom templates NAME says more; tuneroom templates NAME --out FILE writes rows to begin from."


def _description(template: Template, sample: Sample) -> Iterator[str]:
    rows = sample.content().count(b"\n")
    yield f"{template.title}: {rows} rows of chat in {LANGUAGES[sample.language]}"
    yield f"  {template.what}"
    for name, what in (
        ("system", template.system),
        ("user", template.user),
        ("assistant", template.assistant),
        ("aim for", template.aim),
    ):
        yield textwrap.fill(what, LINE_MAX, initial_indent=f"  {name:<10} ", subsequent_indent=" " * 13)
    yield f"tuneroom templates {sample.name} --out {sample.filename} writes them."
