"""A run's curves as a picture for a phone: losses above, and below them the shares of tokens predicted right."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from workers.confusion_chart import TITLE_MAX, clipped
from workers.fonts import font_for

if TYPE_CHECKING:
    from finetune.results import Curves, Series

INK: Final = "#1d1c1d"
TRAIN: Final = "#4a7dbd"
VALID: Final = "#d9822b"
BEST: Final = "#2e7d4f"
FEW_POINTS: Final = 12
WIDTH_IN, HEIGHT_IN, DPI = 7.2, 3.6, 150
"""Slack shows a picture as wide as the phone: 7.2 inches leave type of 14 points as large as the text around it."""


def curves_chart(curves: Curves, *, title: str, best_step: int | None = None) -> bytes:
    """Return a PNG of training and validation loss by step and, where they were measured, token accuracies.

    Gaps (None) are left out; `best_step` is marked by a line. Validation on all rows is drawn where there is such.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.5 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415

    panels = [("loss", curves.train_loss, _fuller(curves.full_valid_loss, curves.valid_loss))]
    if any(
        value is not None for value in (*curves.train_accuracy, *curves.valid_accuracy, *curves.full_valid_accuracy)
    ):
        valid = _fuller(curves.full_valid_accuracy, curves.valid_accuracy)
        panels.append(("tokens right", curves.train_accuracy, valid))
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN * len(panels)), dpi=DPI, layout="constrained")
    grid: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
    for axes, (name, train, valid) in zip(grid[:, 0], panels, strict=True):
        _panel(axes, curves.step, train, valid, name, best_step)
    top, bottom = grid[0, 0], grid[-1, 0]
    title = clipped(title, TITLE_MAX)
    font = "" if title.replace("…", "").isascii() else font_for(title.replace("…", ""))
    top.set_title(title, loc="left", fontsize=16, color=INK, parse_math=False, **({"fontfamily": font} if font else {}))
    bottom.set_xlabel("step", fontsize=14, color=INK)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def warm() -> None:
    """Draw once, so that a child forked from this process finds the fonts and the table reader loaded."""
    from finetune.results import parse_results  # noqa: PLC0415 - pandas, which only a result file needs

    curves_chart(parse_results(b"step,train_loss,train_accuracy,valid_loss\n1,1.0,0.5,\n2,0.5,0.7,0.9\n"), title="")


def _fuller(full: Series, sampled: Series) -> Series:
    return full if sum(value is not None for value in full) > 1 else sampled


def _panel(axes: Any, steps: tuple[int, ...], train: Series, valid: Series, name: str, best_step: int | None) -> None:
    _line(axes, steps, train, "training", TRAIN)
    _line(axes, steps, valid, "validation", VALID)
    if best_step is not None:
        axes.axvline(best_step, color=BEST, linestyle="--", linewidth=1.5, label=f"best: step {best_step:,}")
    axes.set_ylabel(name, fontsize=14, color=INK)
    axes.set_ylim(bottom=0, **({} if name == "loss" else {"top": 1.02}))
    axes.tick_params(labelsize=13)
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0] and name == "loss":
        axes.legend(frameon=False, fontsize=13)


def _line(axes: Any, steps: tuple[int, ...], values: Series, label: str, colour: str) -> None:
    points = [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]
    if points:
        marker = "o" if len(points) <= FEW_POINTS else None
        axes.plot(*zip(*points, strict=True), label=label, color=colour, linewidth=2.5, marker=marker)
