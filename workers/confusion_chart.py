"""A picture of which classes a model takes for which: square, since it is read on a phone."""

from __future__ import annotations

import io
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from workers.fonts import font_for

if TYPE_CHECKING:
    from finetune.metrics import Confusion

CLASSES_MAX: Final = 12
"""More rows of figures than this cannot be read on a phone; the rest is put together."""

ZEROS_MAX: Final = 6
"""Among more columns, cells of nothing are left empty."""

NAME_MAX: Final = 16
TITLE_MAX: Final = 40
NO_CLASS: Final = "no class"
INK: Final = "#1d1c1d"
PAPER: Final = "#ffffff"


def confusion_chart(matrix: Confusion, *, title: str) -> bytes:
    """Return a PNG of a confusion matrix: a row for each class, a column for each answer, counts in the cells.

    Of many classes the most frequent are drawn, and the others together. The column of answers that are no class
    stands last, where there is such an answer.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.5 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415

    names, counts = shown(matrix)
    size = 5.2 + 0.32 * len(names)
    figure = Figure(figsize=(size, size), dpi=150, layout="constrained")
    axes: Any = figure.add_subplot()
    rows, columns = names[: len(counts)], names
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    fonts = _fonts("".join([*names, title]))
    for place, row in enumerate(counts):
        for column, count in enumerate(row):
            colour = PAPER if shares[place][column] > 0.5 else INK
            axes.text(
                column,
                place,
                f"{count:,}" if count or len(names) <= ZEROS_MAX else "",
                ha="center",
                va="center",
                color=colour,
                fontsize=16,
            )
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", fontsize=14, parse_math=False, **fonts)
    axes.set_yticks(range(len(rows)), rows, fontsize=14, parse_math=False, **fonts)
    axes.set_xlabel("answered", fontsize=15, color=INK)
    axes.set_ylabel("expected", fontsize=15, color=INK)
    axes.set_title(clipped(title, TITLE_MAX), loc="left", fontsize=16, color=INK, parse_math=False, **fonts)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def shown(matrix: Confusion) -> tuple[list[str], list[list[int]]]:
    """Return the names of the columns and the counts that are drawn, row by row."""
    order = sorted(matrix.labels, key=lambda label: (-matrix.support(label), label))[:CLASSES_MAX]
    kept = sorted(matrix.labels.index(label) for label in order)
    rest = [place for place in range(len(matrix.labels)) if place not in kept]
    groups = [[place] for place in kept] + ([rest] if rest else [])
    names = [clipped(matrix.labels[place], NAME_MAX) for place in kept] + ([f"{len(rest)} others"] if rest else [])
    last = len(matrix.labels)
    strays = [*groups, [last]] if any(row[last] for row in matrix.counts) else groups
    counts = [
        [sum(matrix.counts[row][column] for row in rows for column in columns) for columns in strays] for rows in groups
    ]
    return names + ([NO_CLASS] if strays is not groups else []), counts


def clipped(text: str, limit: int) -> str:
    """Return a name as it can be drawn: one line of `limit` characters at most, nothing in it that cannot be seen."""
    line = "".join(one if unicodedata.category(one)[0] != "C" else " " for one in text)
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _fonts(text: str) -> dict[str, str]:
    known = text.replace("…", "")
    found = "" if known.isascii() else font_for(known)
    return {"fontfamily": found} if found else {}
