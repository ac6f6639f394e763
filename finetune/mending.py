"""A new version of a dataset: its rows with findings mended, or in another format. The file itself is untouched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from finetune.containers.refusal import Refusal, UnreadableError
from finetune.containers.rows import FILE_MAX_BYTES, Rows
from finetune.conversion.conversion import Conversion  # noqa: TC001 - msgspec reads the annotations at run time
from finetune.fixes.choice import fixes
from finetune.fixes.difference import Difference, Tally
from finetune.fixes.row import read_rows
from finetune.report import FormatName  # noqa: TC001
from finetune.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from finetune.report import Report

TOO_LARGE: Final = Refusal(
    "file-too-large", "The new version would be larger than 512 MB.", "Split the file, and mend the parts."
)
ROWS_A_WORD: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a version is made from a file: the same recipe and file give the same bytes.

    `format` is what the rows were checked as, `meant` what the check was told. `fixes` are codes of findings, mended
    with what `shape` says the rows share; then the rows go through `conversion`.
    """

    format: FormatName | None = None
    meant: FormatName | None = None
    fixes: tuple[str, ...] = ()
    shape: Shape = field(default_factory=Shape)
    conversion: Conversion | None = None

    def as_json(self) -> bytes:
        """Return it as JSON; equal recipes are equal bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, text: bytes) -> Recipe:
        """Return the inverse of `as_json`."""
        return msgspec.json.decode(text, type=cls)


class Mending:
    """A new version's lines, made as they are asked for, once; `difference` is whole when all were."""

    def __init__(
        self,
        blocks: Iterable[bytes],
        filename: str,
        recipe: Recipe,
        *,
        on_row: Callable[[int], None] = lambda _: None,
        max_bytes: int = FILE_MAX_BYTES,
    ) -> None:
        """Take a file's blocks. `on_row` is told now and then how many lines were made."""
        self._rows = Rows(blocks, filename, max_bytes=max_bytes)
        self._recipe = recipe
        self._on_row = on_row
        self._max_bytes = max_bytes
        self._tally = Tally()

    def __iter__(self) -> Iterator[bytes]:
        """Yield lines of JSON in UTF-8, with their ends.

        UnreadableError where the file cannot be read to its end, or the version would be too large.
        """
        recipe = self._recipe
        rows = read_rows(self._rows, recipe.format, recipe.meant)
        for fix in fixes(recipe.fixes, recipe.shape):
            rows = fix(rows)
        if recipe.conversion is not None:
            rows = recipe.conversion(rows)
        size = 0
        for count, line in enumerate(self._tally.lines(rows), start=1):
            size += len(line)
            if size > self._max_bytes:
                raise UnreadableError(TOO_LARGE)
            if count % ROWS_A_WORD == 0:
                self._on_row(count)
            yield line
        if self._rows.refusal is not None:
            raise UnreadableError(self._rows.refusal)

    @property
    def difference(self) -> Difference:
        """Return how the version differs from the file, as far as its lines were made."""
        return self._tally.difference()


def recipe_of(report: Report, codes: tuple[str, ...], meant: FormatName | None = None) -> Recipe:
    """Return the recipe that mends some of a report's findings."""
    return Recipe(format=report.format, meant=meant, fixes=codes, shape=report.shape or Shape())


def conversion_recipe(conversion: Conversion, meant: FormatName | None = None) -> Recipe:
    """Return the recipe that only converts."""
    return Recipe(format=conversion.source, meant=meant, conversion=conversion)
