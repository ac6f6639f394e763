"""Finding a run again that was created for an intent: by its metadata, or by what its suffix ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import openai

from workers.intent_tags import tag_of
from workers.openai_bodies import INTENT_KEY
from workers.openai_errors import plain_words
from workers.openai_runs import SaidRun, SaidRuns, decoded, run_of
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from workers.openai_dialects import Dialect
    from workers.provider import Run

PAGE: Final = 100
PAGES_MAX: Final = 200
CLOCKS_APART_MS: Final = 3_600_000
"""How far a provider's clock may be from ours."""


def find(client: openai.OpenAI, intent: str, dialect: Dialect, *, since_ms: int = 0) -> Run | None:
    """Return the run of an intent, None where the list, as far back as it was made since then, does not hold it.

    A filter by metadata is asked for and checked: not every provider applies it. ProviderError (REFUSED) where the
    list is too long to be read: that nothing was found would say nothing then, and paying would be a guess.
    """
    for said in _listed(client, intent, dialect, since_ms - CLOCKS_APART_MS):
        if _is_of(said, intent, dialect):
            return run_of(said, dialect)
    return None


def _is_of(said: SaidRun, intent: str, dialect: Dialect) -> bool:
    if dialect.lookup == "suffix":
        return (said.suffix or said.user_provided_suffix or "").endswith(f"-{tag_of(intent)}")
    return (said.metadata or {}).get(INTENT_KEY) == intent


def _listed(client: openai.OpenAI, intent: str, dialect: Dialect, since_ms: int) -> Iterator[SaidRun]:
    wanted = {INTENT_KEY: intent} if dialect.filters else openai.omit
    after: str | openai.Omit = openai.omit
    for _ in range(PAGES_MAX):
        with plain_words():
            jobs = client.fine_tuning.jobs.with_raw_response
            answer = jobs.list(metadata=wanted, limit=PAGE, after=after)
        page = decoded(answer.content, SaidRuns)
        yield from page.data
        if not page.has_more or not page.data or page.data[-1].id == after or _is_older(page.data, since_ms):
            return
        after = page.data[-1].id
    raise TOO_MANY


def _is_older(listed: Sequence[SaidRun], since_ms: int) -> bool:
    """Whether a list that falls, the newest first, has come to runs that were made before then."""
    first, last = listed[0].created_at or 0, listed[-1].created_at or 0
    return 0 < last < first and last * 1000 < since_ms


TOO_MANY: Final = ProviderError(
    ErrorKind.REFUSED,
    "too-many-runs",
    f"The provider lists more than {PAGES_MAX * PAGE:,} runs, too many to look through.",
    "Delete old runs there, or use a project of its own for this bot.",
)
