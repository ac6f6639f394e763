"""Pictures for Slack: 9.6 × 3.6 inches at 150 dpi reads well on a phone."""  # noqa: RUF002

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finetune.results import Curves

INK = "#1d1c1d"
TRAIN = "#4a7dbd"
VALID = "#d9822b"


def loss_chart(curves: Curves, *, title: str) -> bytes:
    """Return a PNG of training and validation loss by step.

    `curves`: `finetune.results.Curves`; gaps (None) are left out. `title` stands at the left.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.5 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9.6, 3.6), dpi=150, layout="constrained")
    axes: Any = figure.add_subplot()
    _line(axes, curves.step, curves.train_loss, "training loss", TRAIN)
    _line(axes, curves.step, curves.valid_loss, "validation loss", VALID)
    axes.set_title(title, loc="left", fontsize=14, color=INK)
    axes.set_xlabel("step", color=INK)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=12)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def warm() -> None:
    """Draw once, so that a child forked from this process finds the fonts and the table reader loaded."""
    from finetune.results import parse_results  # noqa: PLC0415 - pandas, which only a result file needs

    loss_chart(
        parse_results(b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,1.0,0.5,,\n"), title=""
    )


def _line(axes: Any, steps: Any, values: Any, label: str, colour: str) -> None:
    points = [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]
    if not points:
        return
    few = len(points) <= 12
    axes.plot(*zip(*points, strict=True), label=label, color=colour, linewidth=2, marker="o" if few else None)
