"""The second adapter: Together, by its own SDK.

Its protocol has no metadata, no result file and no pausing, a price that can be asked for, and models that answer only
once they are hosted (docs/adr/0024). The SDK is imported with the first client, so that who has no job here does not
pay for it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from workers import together_answers, together_uploads, together_watching
from workers.intent_tags import tag_of
from workers.provider import ErrorKind, ProviderError, TunedCheckpoint
from workers.refusals import no_answer
from workers.together_bodies import creation, estimation
from workers.together_errors import not_trained, plain_words
from workers.together_hosting import DedicatedHosting
from workers.together_registry import Registry
from workers.together_shapes import (
    METRICS,
    ToldCheckpoints,
    ToldMetrics,
    ToldRun,
    ToldRuns,
    as_run,
    decoded,
    table_of,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import together

    from workers.endpoint import Endpoint
    from workers.provider import Answer, ListedModel, Order, Question, Rows, Run, RunEvent, Turn

ADDRESS: Final = "https://api.together.ai"
VERSION: Final = "/v1"
CONNECT_S: Final = 5.0
CONNECTIONS_MAX: Final = 128
IDLE_CONNECTIONS_MAX: Final = 12
PERMISSION_TIMEOUT_S: Final = 10.0


class Together:
    """Together. Clients are made on first use: a forked child makes its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def name(self) -> str:
        """The provider's name."""
        return self._endpoint.name

    @functools.cached_property
    def _client(self) -> together.Together:
        import together  # noqa: PLC0415 - half a second that only a job here should pay

        return together.Together(
            api_key=self._endpoint.api_key,
            base_url=self._address,
            project_id="",  # said aloud, so that the SDK takes none from the environment
            timeout=together.Timeout(self._endpoint.timeout_s, connect=CONNECT_S),
            max_retries=0,  # a stage is tried again as a whole, where everybody can see it
        )

    @functools.cached_property
    def _async_client(self) -> together.AsyncTogether:
        import httpx  # noqa: PLC0415 - with the SDK
        import together  # noqa: PLC0415 - half a second that only a job here should pay

        timeout = together.Timeout(self._endpoint.timeout_s, connect=CONNECT_S)
        limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=IDLE_CONNECTIONS_MAX)
        return together.AsyncTogether(
            api_key=self._endpoint.api_key,
            base_url=self._address,
            project_id="",
            timeout=timeout,
            max_retries=0,
            http_client=together.DefaultAsyncHttpxClient(limits=limits, timeout=timeout),
        )

    @property
    def _address(self) -> str:
        """The SDK's addresses begin with the version themselves."""
        return (self._endpoint.base_url or ADDRESS).rstrip("/").removesuffix(VERSION)

    @property
    def hosting(self) -> DedicatedHosting:
        """Where its tuned models are hosted: on GPUs of their own, paid by the minute."""
        return self._hosting

    @functools.cached_property
    def _hosting(self) -> DedicatedHosting:
        return DedicatedHosting(
            lambda: self._client, self._registry, deploy_deadline_s=self._endpoint.create_deadline_s
        )

    @functools.cached_property
    def _registry(self) -> Registry:
        return Registry(lambda: self._client)

    def expected_s(self, model: str, size_bytes: int) -> float | None:  # noqa: ARG002 - the port's
        """None: it tells how long a run takes only once there is one."""
        return None

    def may_train(self, model: str) -> None:
        """Ask for the limits of training a model, which are told for those alone that this key may train."""
        try:
            with plain_words():
                self._client.fine_tuning.model_limits(model_name=model.split(":", 1)[0], timeout=PERMISSION_TIMEOUT_S)
        except ProviderError as error:
            if error.kind is ErrorKind.MISSING:
                raise not_trained(error) from error
            if error.is_final:
                raise

    def upload(self, rows: Rows, sent: Callable[[int], None]) -> str:
        """Upload training rows."""
        return together_uploads.upload(self._client, rows, sent)

    def find_file(self, rows: Rows) -> str:
        """Look a file up by its name and size."""
        return together_uploads.find(self._client, rows)

    def has_file(self, file: str) -> bool:
        """Whether the provider still has a file."""
        return together_uploads.has(self._client, file)

    def find_run(self, intent: str, *, since_ms: int = 0) -> Run | None:  # noqa: ARG002 - all are listed at once
        """Look a run up by the intent's tag at the end of its suffix, or in the name its model will have."""
        with plain_words():
            listed = self._client.fine_tuning.with_raw_response.list()
        tag = tag_of(intent)
        for told in decoded(listed.http_response.content, ToldRuns).data:
            if tag in (told.suffix or "") or tag in (told.model_output_name or ""):
                return as_run(told)
        return None

    def estimate_usd(self, order: Order) -> float | None:
        """Ask what a run would cost; ProviderError where the account could not pay it, or the rows are unfit.

        Answers are those of `POST /v1/fine-tunes/estimate-price`; it is not to be had before the provider has read the
        files (RETRY), and never for rows with pictures (None).
        """
        with plain_words():
            told: Any = self._client.fine_tuning.estimate_price(**estimation(order))
        if not told.estimation_available:
            return self._no_estimate(order, told.unavailable_reason)
        if told.allowed_to_proceed is False:
            raise ProviderError(
                ErrorKind.QUOTA,
                "no-credit",
                "The provider's account has too little credit for this run. Nothing was charged.",
                "Top it up or raise its limit, then start the job again.",
            )
        return told.estimated_total_price

    def _no_estimate(self, order: Order, reason: str) -> None:
        if reason.endswith("_not_validated"):
            raise ProviderError(
                ErrorKind.RETRY, reason, "The provider is still reading the file.", "I'm trying again by myself."
            )
        if reason.endswith("_invalid"):
            file = order.valid_file if reason.startswith("eval") else order.train_file
            raise ProviderError(
                ErrorKind.REFUSED,
                reason,
                "The provider finds the rows unfit. Nothing was charged.",
                "Mend what it names and start the job again.",
                said=together_uploads.complaint(self._client, file)[:300],
            )

    def create_run(self, order: Order) -> Run:
        """Create a paid run: one POST, within the deadline, with the intent's tag in the suffix."""
        import httpx  # noqa: PLC0415 - with the SDK

        deadline = httpx.Timeout(self._endpoint.create_deadline_s, connect=CONNECT_S)
        with plain_words():
            answer = self._client.with_options(max_retries=0, timeout=deadline).post(
                f"{VERSION}/fine-tunes", body=creation(order), cast_to=httpx.Response
            )
        try:
            return as_run(decoded(answer.content, ToldRun))
        except ProviderError as error:
            raise no_answer() from error  # it may well have been created

    def checkpoints(self, run: str) -> list[TunedCheckpoint]:
        """Return a run's checkpoints by the names that training goes on from: "RUN:STEP"."""
        try:
            with plain_words():
                answer = self._client.fine_tuning.with_raw_response.list_checkpoints(run)
        except ProviderError as error:
            if error.kind is ErrorKind.MISSING:
                return []
            raise
        told = decoded(answer.http_response.content, ToldCheckpoints).data
        steps = sorted({int(one.step) for one in told if one.step}, reverse=True)
        return [TunedCheckpoint(name=f"{run}:{step}", step=step) for step in steps]

    def delete_model(self, model: str) -> None:
        """Delete a tuned model from the project's registry."""
        self._registry.delete(model)

    def download(self, file: str) -> bytes:
        """Return a file's bytes; a run's figures are made into the table that other providers keep of them."""
        if file.startswith(METRICS):
            with plain_words():
                told = self._client.fine_tuning.with_raw_response.list_metrics(file.removeprefix(METRICS))
            return table_of(decoded(told.http_response.content, ToldMetrics).metrics or [])
        with plain_words():
            return self._client.files.content(file).read()

    def models(self) -> list[ListedModel]:
        """Return the models that the key may ask: the catalogue's and the project's own."""
        return self._registry.listed()

    def answer(self, question: Question) -> Answer:
        """Ask a model, by the name of its host where it is tuned."""
        return together_answers.ask(self._client, question)

    async def run(self, run: str) -> Run:
        """Return a run as it is now."""
        return await together_watching.run(self._async_client, run)

    def runs(self) -> AsyncIterator[list[Run]]:
        """Yield the account's live runs as one page, the newest first."""
        return together_watching.pages(self._async_client)

    async def events(
        self,
        run: str,
        *,
        since_ms: int,
        expected: int = 0,  # noqa: ARG002 - neither list has pages
        turn: Turn | None = None,
    ) -> list[RunEvent]:
        """Return a run's history and figures since then, oldest first."""
        return await together_watching.events(self._async_client, run, since_ms=since_ms, turn=turn)

    async def pause(self, run: str) -> Run:
        """Return the run as it is: runs here cannot be paused."""
        return await self.run(run)

    async def resume(self, run: str) -> Run:
        """Return the run as it is."""
        return await self.run(run)

    async def cancel(self, run: str) -> Run:
        """Cancel a run."""
        try:
            await together_watching.cancel(self._async_client, run)
        except ProviderError as error:
            if not error.is_final:  # else it stands otherwise meanwhile
                raise
        return await self.run(run)
