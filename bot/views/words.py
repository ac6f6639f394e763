"""How figures are said: money, counts, durations, rows, names. Plain text; `bot.mrkdwn` escapes it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from bot.mrkdwn import clip

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME_MAX = 80
ROWS_NAMED = 10
CENT_USD = 0.01
ROUNDED_UP_S = ((30, 5), (60, 10), (5400, 60))
"""Up to so many seconds, to the next so many: a promise that is kept is better than an exact one."""


def name(text: str, limit: int = NAME_MAX) -> str:
    """Return a name that a person gave (a file's, a model's), short enough for a sentence."""
    return clip(text, limit) or "(no name)"


def handle(ref: str) -> str:
    """Return what people call a record, of its handle or of "dataset:d12"."""
    return clip(ref.rpartition(":")[2], NAME_MAX)


def money(usd: float) -> str:
    """Return an amount: "$3.71", "$0.0002", "free"."""
    if usd <= 0:
        return "free"
    if usd >= 0.01:
        return f"${usd:,.2f}"
    digits = min(8, 1 - math.floor(math.log10(usd)))
    return f"${usd:.{digits}f}".rstrip("0") if round(usd, digits) else "under $0.00000001"


def dollars(usd: float) -> str:
    """Return a limit as short as it can be said: "$5", "$2.50"."""
    return f"${usd:,.0f}" if usd == int(usd) else f"${usd:,.2f}"


def price(low_usd: float, high_usd: float) -> str:
    """Return an expected price: "free", "about $3.71", "$3.40-3.90" with a proper dash, "under $0.01"."""
    low, high = money(low_usd), money(high_usd)
    if high == "free":
        return "free"
    if low_usd < CENT_USD:  # nobody decides by fractions of a cent
        return "under $0.01" if high_usd < CENT_USD else f"up to {high}"
    return f"about {high}" if low == high else f"{low}–{high.removeprefix('$')}"  # noqa: RUF001 - a range takes an en dash


def plural(count: int, noun: str, several: str = "") -> str:
    """Return "1 row", "1,204 rows"; `several` where it is not the noun and an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or f'{noun}s'}"


def about_count(count: int) -> int:
    """Return a count that is not known exactly, to three digits: 111,826 becomes 112,000."""
    return round(count, 3 - len(str(count)))


def short_count(count: int) -> str:
    """Return a count to be read at a glance: "980", "3.4k", "412k", "1.2M"."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= size * 0.9995:
            value = count / size
            return f"{value:.1f}".removesuffix(".0") + unit if value < 9.95 else f"{value:,.0f}{unit}"
    return f"{count:,}"


def size(count: int) -> str:
    """Return a number of bytes: "812 bytes", "3.4 MB"."""
    for unit_bytes, unit in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")):
        if count >= unit_bytes:
            return f"{count / unit_bytes:,.1f} {unit}"
    return plural(count, "byte")


def duration(ms: float) -> str:
    """Return how long something takes or took: "45 s", "14 min", "1 h 32 min", "2 d 3 h"."""
    seconds = max(0, round(ms / 1000))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    hours = round(minutes / 60)
    return f"{hours // 24:,} d {hours % 24} h"


def about_time(seconds: float) -> str:
    """Return how long something may take, rounded up: "about 15 s", "about 40 s", "about 3 min", "about 2 h 10 min"."""
    step = next((step for limit, step in ROUNDED_UP_S if seconds <= limit), 600)
    return f"about {duration(math.ceil(seconds / step) * step * 1000)}"


def rows_named(rows: Sequence[int], count: int) -> str:
    """Return "Row 17", "Rows 17 and 40", "Rows 3, 5 and 207 more"; "" where the whole file is meant."""
    if not rows:
        return ""
    shown = [str(row) for row in rows[:ROWS_NAMED]]  # a comma in a number would part the list
    more = max(count, len(rows)) - len(shown)
    if more:
        shown.append(f"{more:,} more")
    last = shown.pop()
    return f"Rows {', '.join(shown)} and {last}" if shown else f"Row {last}"


def model_name(model: str) -> str:
    """Return a base model's name without its date: "gpt-4o-mini-2024-07-18" is called gpt-4o-mini."""
    return name(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model))


def is_toy(model: str) -> bool:
    """Return whether a model is the built-in trainer's, which learns a format and knows nothing."""
    return model.startswith("toy-gpt")


def model_handle(job: str) -> str:
    """Return what the model of a job is called: j42's is m42."""
    return clip("m" + job.removeprefix("j"), NAME_MAX)
