"""How long a dataset's examples are, as a picture for a phone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workers.fonts import font_for

if TYPE_CHECKING:
    from finetune.counting.profile import TokenProfile
    from finetune.report import Tokens

INK: Final = "#1d1c1d"
BAR: Final = "#4a7dbd"
MEDIAN: Final = "#d9822b"
CONTEXT: Final = "#b3373c"
WIDTH_IN, HEIGHT_IN, DPI = 7.2, 4.2, 150
LEFT, TOP = 0.13, 0.91
TICKS_IN, LINE_IN = 0.36, 0.285
"""Where the bars stand: as parts of the picture, and the height of what is below them."""

TITLE_MAX: Final = 40
LABELS_MAX: Final = 9
ROWS_NAMED: Final = 3


def tokens_chart(profile: TokenProfile, tokens: Tokens, *, title: str) -> bytes:
    """Return a PNG: a bar for each range of tokens, as high as there are examples in it, and the figures below.

    The median is marked, and the model's context where a bar reaches it. `title` may be of any script that a font of
    this machine has; what no font has is left out.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - 0.5 s that only a picture needs
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI)
    said = figures(profile, tokens)
    below = (TICKS_IN + LINE_IN * len(said)) / HEIGHT_IN  # matplotlib's own layout would draw everything twice
    axes: Any = figure.add_axes((LEFT, below, 0.985 - LEFT, TOP - below))
    places = range(len(profile.counts))
    axes.bar([place + 0.5 for place in places], profile.counts, width=0.92, color=BAR)
    axes.axvline(_place(profile, tokens.p50), color=MEDIAN, linewidth=2, label=f"median {tokens.p50:,}")
    if profile.cut:
        label = f"cut at {profile.context:,}"
        axes.axvline(_place(profile, profile.context), color=CONTEXT, linewidth=2, linestyle="--", label=label)
    _label_edges(axes, profile.edges)
    shown, fonts = drawable(title)
    axes.set_title(shown, loc="left", fontsize=16, color=INK, parse_math=False, **fonts)
    axes.set_ylabel("examples", fontsize=14, color=INK)
    axes.set_xlabel("\n".join(said), loc="left", fontsize=13, color=INK, linespacing=1.5)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(_examples)
    axes.legend(frameon=False, fontsize=13)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def warm() -> None:
    """Draw once, so that a child forked from this process finds the fonts loaded."""
    from finetune.counting.profile import TokenProfile  # noqa: PLC0415 - only this needs an example
    from finetune.report import Tokens  # noqa: PLC0415

    tokens_chart(TokenProfile(edges=(0, 1, 2), counts=(1, 1)), Tokens(total=3, max=2, p50=1, p95=2), title="가あ")


def figures(profile: TokenProfile, tokens: Tokens) -> list[str]:
    """Return the lines below the bars: what the lengths are of, the longest rows, what is learnt and what is cut."""
    named = ", ".join(f"row {row:,} ({length:,})" for row, length in profile.longest[:ROWS_NAMED])
    lines = [f"tokens in an example: 95% have {tokens.p95:,} or fewer", f"longest: {named}" if named else ""]
    if profile.replies:
        learnt = "all" if profile.trained == profile.replies else f"{profile.trained:,} of"
        lines.append(f"{learnt} {profile.replies:,} replies are learnt")
    if profile.cut:
        rows = "1 row is" if profile.cut == 1 else f"{profile.cut:,} rows are"
        lines.append(f"{rows} longer than {profile.context:,} tokens, and cut there")
    return [line for line in lines if line]


def drawable(text: str) -> tuple[str, dict[str, str]]:
    """Return what of a text can be drawn, clipped, and with which font: matplotlib's own has Latin letters only."""
    clean = "".join(character for character in text if character.isprintable())
    clipped = clean if len(clean) <= TITLE_MAX else f"{clean[: TITLE_MAX - 1].rstrip()}…"
    if clipped.isascii() or (clipped.endswith("…") and clipped[:-1].isascii()):
        return clipped, {}
    font = font_for(clipped.replace("…", ""))
    if font:
        return clipped.replace("…", "..."), {"fontfamily": font}
    return "".join(character for character in clipped if character.isascii()).strip() or "dataset", {}


def _place(profile: TokenProfile, tokens: int) -> float:
    """Return where a number of tokens stands among the bars, which are drawn equally wide."""
    return float(np.interp(tokens, profile.edges, range(len(profile.edges))))


def _label_edges(axes: Any, edges: tuple[int, ...]) -> None:
    every = -(-len(edges) // LABELS_MAX)
    places = range(0, len(edges), every)
    axes.set_xticks(places, [_short(edges[place]) for place in places])
    axes.tick_params(labelsize=13)


def _examples(height: float, _: object) -> str:
    return _short(round(height))


def _short(count: int) -> str:
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= 10 * size:
            return f"{count / size:.3g}{unit}"
    return f"{count:,}"
