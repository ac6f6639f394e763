"""What a provider says about itself without being paid: its models, their last days, and our runs there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import httpx2
import openai

from workers.openai_errors import plain_words
from workers.openai_protocol import openai_default, shutdown_of
from workers.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`models`: every model listed, with the day on which it stops where one is told.

    `last_run`: the day of the newest fine-tune, None where there is none; `refused`: why fine-tunes may not even be
    listed, "" where they may. Whether the next one would be allowed is told only to who creates it.
    """

    models: Mapping[str, date | None]
    last_run: date | None
    refused: str


def standing(api_key: str, base_url: str) -> Standing:
    """Ask a provider that speaks OpenAI's protocol. Raises ProviderError where the key or the address is no good."""
    with openai.OpenAI(
        api_key=api_key,
        base_url=base_url or openai_default(),
        timeout=httpx2.Timeout(TIMEOUT_S, connect=5.0),
        max_retries=0,
    ) as client:
        with plain_words():
            models = {model.id: shutdown_of(model) for model in client.models.list()}
        last_run, refused = _runs(client)
    return Standing(models=models, last_run=last_run, refused=refused)


def _runs(client: openai.OpenAI) -> tuple[date | None, str]:
    try:
        with plain_words():
            jobs = client.fine_tuning.jobs.list(limit=20).data
    except ProviderError as error:
        return None, f"{error.message} ({error.code})"
    created = [datetime.fromtimestamp(job.created_at, UTC).date() for job in jobs]
    return max(created, default=None), ""
