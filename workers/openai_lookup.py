"""Finding a run again that was created for an intent: by its metadata, or by what its suffix ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import openai

from workers.intent_tags import tag_of
from workers.openai_bodies import INTENT_KEY
from workers.openai_errors import plain_words
from workers.openai_runs import SaidRun, SaidRuns, decoded, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.openai_dialects import Dialect
    from workers.provider import Run

PAGE: Final = 100
PAGES_MAX: Final = 5


def find(client: openai.OpenAI, intent: str, dialect: Dialect) -> Run | None:
    """Return the run of an intent, None where the newest five hundred do not hold it.

    A filter by metadata is asked for and checked, since not every provider applies it.
    """
    for said in _listed(client, intent, dialect):
        if _is_of(said, intent, dialect):
            return run_of(said, dialect)
    return None


def _is_of(said: SaidRun, intent: str, dialect: Dialect) -> bool:
    if dialect.lookup == "suffix":
        return (said.suffix or said.user_provided_suffix or "").endswith(f"-{tag_of(intent)}")
    return (said.metadata or {}).get(INTENT_KEY) == intent


def _listed(client: openai.OpenAI, intent: str, dialect: Dialect) -> Iterator[SaidRun]:
    wanted = {INTENT_KEY: intent} if dialect.filters else openai.omit
    after: str | openai.Omit = openai.omit
    for _ in range(PAGES_MAX):
        with plain_words():
            jobs = client.fine_tuning.jobs.with_raw_response
            answer = jobs.list(metadata=wanted, limit=PAGE, after=after)
        page = decoded(answer.content, SaidRuns)
        yield from page.data
        if not page.has_more or not page.data or page.data[-1].id == after:
            return
        after = page.data[-1].id
