"""Every fine-tune that an account has, and the day each stops."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from finetune.last_days import base_of, stop_of
from workers.provider import ProviderError, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from finetune.catalogue import Catalogue
    from workers.provider import Provider, Run

    Wait = Callable[[Coroutine[Any, Any, Any]], Any]

ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTune:
    """A run at a provider, as it is listed. `stops`: the day its model ends, None where nobody knows, or there is none.

    `finished` is None while it goes on, or where that is not told.
    """

    provider: str
    run: Run
    stops: date | None

    @property
    def title(self) -> str:
        """What people call it."""
        return printable(self.run.suffix) or self.run.id

    @property
    def is_over(self) -> bool:
        """Whether nothing about it changes any more."""
        return self.run.status in ENDED

    @property
    def finished(self) -> date | None:
        """The day it ended."""
        return _day(self.run.finished_ms)

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "provider": self.provider,
            "run": self.run.id,
            "model": self.run.model,
            "base": self.run.base,
            "suffix": self.run.suffix,
            "status": self.run.said,
            "created": _iso(_day(self.run.created_ms)),
            "finished": _iso(self.finished),
            "trained_tokens": self.run.trained_tokens,
            "stops": _iso(self.stops),
            "files": list(self.run.files),
        }


def fine_tunes(provider: Provider, catalogue: Catalogue, wait: Wait, since: date | None) -> list[FineTune]:
    """Return all of an account's fine-tunes created on or after a day, what stops first first. Raises ProviderError."""
    runs: list[Run] = wait(_all(provider))
    told = _told(provider)
    found = [
        FineTune(provider=provider.name, run=run, stops=_stop(run, told, catalogue))
        for run in runs
        if since is None or (_day(run.created_ms) or date.max) >= since
    ]
    return sorted(found, key=lambda one: (one.stops or date.max, -one.run.created_ms))


def _stop(run: Run, told: dict[str, date], catalogue: Catalogue) -> date | None:
    return stop_of(run.model, run.base or base_of(run.model), told, catalogue) if run.model else None


async def _all(provider: Provider) -> list[Run]:
    return [run async for page in provider.runs() for run in page]


def _told(provider: Provider) -> dict[str, date]:
    """The days that the provider tells; a key that may not list models still has its fine-tunes listed."""
    try:
        return {model.name: model.shutdown for model in provider.models() if model.shutdown}
    except ProviderError as error:
        if not error.is_final:
            raise
        return {}


def printable(text: str) -> str:
    """Return a provider's text without what a terminal would obey."""
    return re.sub(r"\s+", " ", "".join(one if one.isprintable() else " " for one in text)).strip()


def _day(at_ms: int) -> date | None:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date() if at_ms else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
