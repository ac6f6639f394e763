"""The first adapter: OpenAI's protocol by `base_url` (OpenAI, Azure, Nebius, gateways, our own trainer)."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import httpx2
import openai

from workers import openai_checkpoints, openai_lookup, openai_permission, openai_uploads, openai_watching
from workers.endpoint import Endpoint as Endpoint  # noqa: PLC0414, TC001 - wiring takes it from here
from workers.expectation import expected_s
from workers.openai_adapters import Adapters
from workers.openai_archive import OpenAIArchive
from workers.openai_asking import Questions
from workers.openai_bodies import creation
from workers.openai_dialects import bare, dialect_of
from workers.openai_errors import plain_words
from workers.openai_runs import FIGURES_OF, SaidRun, decoded, run_of
from workers.preloading import authorities
from workers.provider import ErrorKind, ListedModel, ProviderError, RunStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from workers.provider import Answer, Hosting, Order, Question, Rows, Run, RunEvent, TunedCheckpoint, Turn

CONNECTIONS_MAX: Final = 128
IDLE_CONNECTIONS_MAX: Final = 12
EXPECTATION_TIMEOUT_S: Final = 15.0
STANDS_OTHERWISE: Final = frozenset({"unexpectedEntityState", "conflict"})
"""What Azure says of a run that can no longer be told what it was told."""


class OpenAIProtocol:
    """A provider that speaks OpenAI's protocol. Clients are made on first use: a forked child makes its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._dialect = dialect_of(endpoint.name)

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._endpoint.name

    @functools.cached_property
    def _client(self) -> openai.OpenAI:
        timeout = httpx2.Timeout(self._endpoint.timeout_s, connect=5.0)
        return openai.OpenAI(
            api_key=self._endpoint.api_key,
            base_url=self._endpoint.base_url or openai_default(),
            timeout=timeout,
            max_retries=0,  # a stage is tried again as a whole, where everybody can see it
            http_client=openai.DefaultHttpxClient(timeout=timeout, verify=authorities()),
        )

    @functools.cached_property
    def _async_client(self) -> openai.AsyncOpenAI:
        timeout = httpx2.Timeout(self._endpoint.timeout_s, connect=5.0)
        # every idle connection is looked at before each request: dozens of them cost more than the request itself
        limits = httpx2.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=IDLE_CONNECTIONS_MAX)
        return openai.AsyncOpenAI(
            api_key=self._endpoint.api_key,
            base_url=self._endpoint.base_url or openai_default(),
            timeout=timeout,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(limits=limits, timeout=timeout),
        )

    @property
    def archive(self) -> OpenAIArchive:
        """What it still has of fine-tunes that exist."""
        return OpenAIArchive(self._client, self.download)

    @functools.cached_property
    def _adapters(self) -> Adapters | None:
        return Adapters(self._client) if self._dialect.adapters else None

    @functools.cached_property
    def _questions(self) -> Questions:
        return Questions(self._client)

    @property
    def hosting(self) -> Hosting | None:
        """None: a model that was tuned by this protocol answers under its name."""
        return None

    def expected_s(self, model: str, size_bytes: int) -> float | None:
        """Read it from `expected_training` of the model, which our trainer has and the protocol does not know."""
        with plain_words():
            found = self._client.models.retrieve(bare(model, self.name), timeout=EXPECTATION_TIMEOUT_S)
        return expected_s(getattr(found, "expected_training", None), size_bytes)

    def may_train(self, model: str) -> None:
        """Ask whether runs may be listed, and what the model says of itself; neither costs anything."""
        asked = bare(model, self.name)
        openai_permission.insist(self._client, asked, today=datetime.now(UTC).date())

    def upload(self, rows: Rows, sent: Callable[[int], None]) -> str:
        """Upload training rows by the Files API, or by parts."""
        part_bytes = self._endpoint.part_bytes
        return openai_uploads.upload(self._client, rows, sent, part_bytes=part_bytes, dialect=self._dialect)

    def find_file(self, rows: Rows) -> str:
        """Look a file up by its name and size."""
        return openai_uploads.find(self._client, rows, self._dialect)

    def has_file(self, file: str) -> bool:
        """Whether the provider still has a file."""
        try:
            with plain_words():
                return self._client.files.retrieve(file).status not in openai_uploads.LOST
        except ProviderError as error:
            if error.kind is ErrorKind.MISSING:
                return False
            raise

    def find_run(self, intent: str, *, since_ms: int = 0) -> Run | None:
        """Look a run up by what it carries of its intent."""
        return openai_lookup.find(self._client, intent, self._dialect, since_ms=since_ms)

    def estimate_usd(self, order: Order) -> float | None:  # noqa: ARG002 - the port's
        """None: the protocol tells no price before the bill."""
        return None

    def create_run(self, order: Order) -> Run:
        """Create a paid run: one POST, within the deadline, carrying the intent's id."""
        once = self._client.with_options(max_retries=0).fine_tuning.jobs.with_raw_response
        with plain_words():
            answer = once.create(
                **creation(order, self._dialect),
                timeout=httpx2.Timeout(self._endpoint.create_deadline_s, connect=5.0),
            )
        return run_of(decoded(answer.content, SaidRun, is_paid=True), self._dialect)

    def checkpoints(self, run: str) -> list[TunedCheckpoint]:
        """Return a run's checkpoints; a provider that does not know the address has none."""
        return openai_checkpoints.checkpoints(self._client, run, self._dialect)

    def delete_model(self, model: str) -> None:
        """Delete a tuned model."""
        if self._adapters is not None:
            self._adapters.delete(model)
            return
        try:
            with plain_words():
                self._client.models.delete(model)
        except ProviderError as error:
            if error.kind is not ErrorKind.MISSING:
                raise

    def download(self, file: str) -> bytes:
        """Return a file's bytes, or the figures of a run that has them in its checkpoints."""
        if file.startswith(FIGURES_OF):
            return openai_checkpoints.figures(self._client, file.removeprefix(FIGURES_OF))
        with plain_words():
            return self._client.files.content(file).read()

    def models(self) -> list[ListedModel]:
        """Return the models that the key may ask, with the day on which each stops, where the provider tells it."""
        with plain_words():
            listed = list(self._client.models.list())
        return [ListedModel(name=one.id, shutdown=openai_permission.shutdown_of(one)) for one in listed]

    def answer(self, question: Question) -> Answer:
        """Ask a model by chat or by completion, as its contract says."""
        if self._adapters is not None:
            question = replace(question, model=self._adapters.asked_as(question.model))
        with plain_words():
            questions = self._questions
            return questions.chat(question) if question.contract.kind == "chat" else questions.completion(question)

    async def run(self, run: str) -> Run:
        """Return a run as it is now."""
        found = await openai_watching.run(self._async_client, run, self._dialect)
        if self._adapters is None or found.status is not RunStatus.SUCCEEDED or found.model:
            return found
        return replace(found, model=await asyncio.to_thread(self._adapters.of_run, found))

    def runs(self) -> AsyncIterator[list[Run]]:
        """Yield pages of the account's runs, the newest first."""
        return openai_watching.pages(self._async_client, self._dialect)

    async def events(self, run: str, *, since_ms: int, expected: int = 0, turn: Turn | None = None) -> list[RunEvent]:
        """Return a run's events since then, oldest first."""
        return await openai_watching.events(self._async_client, run, since_ms=since_ms, expected=expected, turn=turn)

    async def pause(self, run: str) -> Run:
        """Pause a run."""
        return await self._steered(run, self._async_client.fine_tuning.jobs.with_raw_response.pause)

    async def resume(self, run: str) -> Run:
        """Resume a run."""
        return await self._steered(run, self._async_client.fine_tuning.jobs.with_raw_response.resume)

    async def cancel(self, run: str) -> Run:
        """Cancel a run."""
        return await self._steered(run, self._async_client.fine_tuning.jobs.with_raw_response.cancel)

    async def _steered(self, run: str, steer: Callable[[str], Awaitable[Any]]) -> Run:
        try:
            return await openai_watching.steered(steer(run), self._dialect)
        except ProviderError as error:
            if error.is_final or error.code in STANDS_OTHERWISE:
                return await self.run(run)
            raise


def openai_default() -> str:
    """Return OpenAI's own address, said aloud so that the SDK never takes one from the environment."""
    return "https://api.openai.com/v1"
