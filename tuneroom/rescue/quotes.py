"""What training saved rows again would cost, on every model that a job can be started on today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from finetune.check import check
from finetune.last_days import base_of
from finetune.replacement import replacements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from finetune.catalogue import Catalogue
    from finetune.replacement import Replacement
    from finetune.report import Report
    from tuneroom.rescue.listing import FineTune

BLOCK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsQuote:
    """A saved file of training rows, the fine-tunes that learnt them, and what they cost elsewhere."""

    path: str
    tunes: tuple[FineTune, ...]
    report: Report
    epochs: int
    choices: tuple[Replacement, ...]

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        report = self.report
        return {
            "path": self.path,
            "runs": [tune.run.id for tune in self.tunes],
            "verdict": report.verdict,
            "format": report.format,
            "rows": report.rows,
            "tokens": report.tokens.total,
            "epochs": self.epochs,
            "prices_as_of": report.prices_as_of,
            "models": [_as_json(one) for one in self.choices],
        }


def quote(folder: Path, path: str, tunes: list[FineTune], catalogue: Catalogue, day: date) -> RowsQuote:
    """Check a saved file and price it for as many epochs as the newest of its runs had, where that is told."""
    report = check(_blocks(folder / path), filename=path.rpartition("/")[2], catalogue=catalogue)
    epochs = next((tune.run.epochs for tune in tunes if tune.run.epochs), None) or report.epochs
    stops = min((tune.stops for tune in tunes if tune.stops), default=None)
    base = base_of(tunes[0].run.base)
    choices = replacements(report, catalogue, day, base=base, epochs=epochs, stops=stops)
    return RowsQuote(path=path, tunes=tuple(tunes), report=report, epochs=epochs, choices=tuple(choices))


def _as_json(one: Replacement) -> dict[str, Any]:
    model = one.model
    return {
        "model": model.name,
        "provider": model.provider,
        "low_usd": one.price.low if one.price else None,
        "high_usd": one.price.high if one.price else None,
        "hosting_usd_per_hour": one.hosting_usd_per_hour,
        "outlives": one.outlives,
        "last_job": model.last_job.isoformat() if model.last_job else None,
        "stops": model.shutdown.isoformat() if model.shutdown else None,
    }


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(BLOCK_BYTES), b"")
