"""What `tuneroom rescue` says, as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.last_days import distance, ending
from tuneroom.rescue.listing import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from finetune.replacement import Replacement
    from tuneroom.rescue.listing import FineTune
    from tuneroom.rescue.quotes import RowsQuote
    from tuneroom.rescue.saving import NotSaved, Tally

HEAD: Final = ("stops", "status", "base", "trained", "finished", "model")


def table(tunes: Sequence[FineTune], day: date) -> Iterator[str]:
    """Yield a line for each fine-tune, what stops first first."""
    rows = [HEAD, *(_row(tune, day) for tune in tunes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(tune: FineTune, day: date) -> tuple[str, ...]:
    run = tune.run
    tokens = f"{run.trained_tokens:,} tokens" if run.trained_tokens else "-"
    finished = tune.finished.isoformat() if tune.finished else "-"
    cells = (run.said, run.base, tokens, finished, run.model or f"none ({run.id})")
    return (_stop(tune, day), *(printable(cell) or "-" for cell in cells))


def _stop(tune: FineTune, day: date) -> str:
    if tune.stops is None:
        return "no day known" if tune.run.model else "-"
    return f"{tune.stops} ({distance(tune.stops, day)})"


def saved(tally: Tally, folder: str) -> Iterator[str]:
    """Yield what was saved, and what was not and why."""
    had = f"; {tally.had:,} were there already" if tally.had else ""
    yield f"Saved {tally.saved:,} files, {tally.bytes:,} bytes, in {folder}{had}."
    if not tally.not_saved:
        return
    yield "Not saved:"
    yield from (f"  {_missing(one)}" for one in tally.not_saved)
    if any(not one.is_gone for one in tally.not_saved):
        yield "Run the same command again: it saves only what is missing."


def _missing(one: NotSaved) -> str:
    why = "the provider has it no longer" if one.is_gone else f"{one.why} ({one.code})"
    return f"{printable(one.run)}: {one.what}: {why}"


def quotes(found: Sequence[RowsQuote], day: date) -> Iterator[str]:
    """Yield what training the same rows again costs elsewhere."""
    if not found:
        return
    yield "Training the same rows again, on every model that takes them today, the cheapest first; those that stop"
    yield f"as soon as the old model come last. Prices of {found[0].report.prices_as_of}:"
    for one in found:
        yield from _quote(one, day)


def _quote(one: RowsQuote, day: date) -> Iterator[str]:
    report = one.report
    if not one.choices:
        why = report.findings[0].message if report.verdict == "unreadable" and report.findings else "no model takes it"
        yield f"  {one.path}: {why}"
        return
    epochs = "1 epoch" if one.epochs == 1 else f"{one.epochs} epochs"
    yield f"  {one.path}: {report.rows:,} rows, {report.format}, {report.tokens.total:,} tokens, {epochs}"
    width = max(len(choice.model.name) for choice in one.choices)
    prices = [_price(choice) for choice in one.choices]
    across = max(map(len, prices))
    for choice, price in zip(one.choices, prices, strict=True):
        more = "; ".join(part for part in (choice.model.provider, _hosting(choice), ending(choice.model, day)) if part)
        yield f"    {choice.model.name:<{width}}  {price:<{across}}  {more}"


def _hosting(choice: Replacement) -> str:
    usd = choice.hosting_usd_per_hour
    return f"then ${usd:,.2f} an hour while it is hosted" if usd else ""


def _price(choice: Replacement) -> str:
    price = choice.price
    if price is None:
        usd = choice.model.training_usd_per_hour
        return f"${usd:,.0f} an hour" if usd else "price not known"
    if price.high <= 0:
        return "free"
    if price.high < 0.01:
        return "under $0.01"
    return f"${price.low:,.2f}" if f"{price.low:.2f}" == f"{price.high:.2f}" else f"${price.low:,.2f}-{price.high:,.2f}"
