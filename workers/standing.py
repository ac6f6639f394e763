"""What a provider says about itself without being paid: its models, their last days, and our runs there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from workers.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`models`: every model listed, with the day on which it stops where one is told.

    `last_run`: the day of the newest fine-tune, None where there is none; `refused`: why fine-tunes may not even be
    listed, "" where they may. Whether the next one would be allowed is told only to who creates it.
    """

    models: Mapping[str, date | None]
    last_run: date | None
    refused: str


def standing(provider: Provider) -> Standing:
    """Ask a provider. Raises ProviderError where the key or the address is no good."""
    models = {model.name: model.shutdown for model in provider.models()}
    try:
        last_run, refused = asyncio.run(_newest(provider)), ""
    except ProviderError as error:
        last_run, refused = None, f"{error.message} ({error.code})"
    return Standing(models=models, last_run=last_run, refused=refused)


async def _newest(provider: Provider) -> date | None:
    async for page in provider.runs():
        return max((datetime.fromtimestamp(run.created_ms / 1000, UTC).date() for run in page), default=None)
    return None
