"""The port to whoever trains and serves: what the stages and the follower may ask, whichever protocol is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from finetune.class_odds import TokenOdds
    from finetune.contract import PromptContract
    from finetune.launch import TrainRequest


class ErrorKind(StrEnum):
    """What an error means for what to do next.

    RETRY: it may pass by itself, try again later. UNSURE: it may have been done, look it up. The others are final:
    QUOTA (money or limits), REFUSED (the request or the key), NOT_AVAILABLE (this account may not train here).
    """

    RETRY = "retry"
    UNSURE = "unsure"
    QUOTA = "quota"
    REFUSED = "refused"
    NOT_AVAILABLE = "not-available"
    MISSING = "missing"


class ProviderError(Exception):
    """The provider did not do what was asked; `message` and `hint` are for people.

    `said` is the provider's own text, which may quote a row: it is shown, and kept out of Redis and the logs.
    """

    def __init__(
        self,
        kind: ErrorKind,
        code: str,
        message: str,
        hint: str,
        *,
        said: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.kind = kind
        self.code = code
        self.message = message
        self.hint = hint
        self.said = said
        self.retry_after_s = retry_after_s

    @property
    def is_final(self) -> bool:
        """Whether trying the same again is pointless."""
        return self.kind not in {ErrorKind.RETRY, ErrorKind.UNSURE}


class RunStatus(StrEnum):
    """Where a run is; whatever a provider calls it. An unknown status is RUNNING: still going."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run to be created: the request as it was confirmed, the provider's ids of its files, the intent it carries.

    `grader` is the grader of a request that learns by reinforcement, as JSON; "" for every other.
    """

    request: TrainRequest
    train_file: str
    valid_file: str
    intent: str
    grader: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A file to be uploaded: open for reading, its name (which carries its hash), and its size in bytes."""

    file: IO[bytes]
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedCheckpoint:
    """A model from before a run's end, by the provider's name, and the step it was saved at."""

    name: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The provider's fine-tuning job. `said` is the provider's own word for its status.

    `epochs` and `rate` (a multiplier) are what it trains with, None while that is left to the provider.
    """

    id: str
    status: RunStatus
    said: str
    model: str = ""
    trained_tokens: int | None = None
    epochs: int | None = None
    rate: float | None = None
    result_file: str = ""
    error_code: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """One line of a run's history; `step` is 0 where it is not a metric. `at_ms`: ms since 1970."""

    id: str
    at_ms: int
    message: str
    step: int = 0
    total_steps: int = 0
    train_loss: float | None = None
    valid_loss: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A test prompt as the model expects it: the contract it was trained with, and how to sample.

    `odds`: the likeliest tokens at each place of the answer are wanted too.
    """

    model: str
    text: str
    contract: PromptContract
    temperature: float = 0.0
    max_tokens: int = 256
    odds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said. `finish`: "stop", or "length" where `max_tokens` cut it. `odds`: () where there are none."""

    text: str
    finish: str
    prompt_tokens: int
    completion_tokens: int
    odds: tuple[TokenOdds, ...] = ()


class Provider(Protocol):
    """A service that trains and serves. Every method raises ProviderError and nothing else of the service's."""

    @property
    def name(self) -> str:
        """The name that requests and settings use: "openai"."""
        ...

    def expected_s(self, model: str, size_bytes: int) -> float | None:
        """Return how long a run on so many bytes of rows takes here, None where the provider does not say."""
        ...

    def upload(self, rows: Rows, sent: Callable[[int], None]) -> str:
        """Upload training rows and return the provider's id for them; `sent` hears how many bytes have arrived."""
        ...

    def has_file(self, file: str) -> bool:
        """Whether the provider still has a file that it had once."""
        ...

    def find_file(self, rows: Rows) -> str:
        """Return the provider's id of a file of that name and size, "" where it lists none."""
        ...

    def find_run(self, intent: str) -> Run | None:
        """Return the run that was created for an intent, or None where the provider lists none (yet)."""
        ...

    def create_run(self, order: Order) -> Run:
        """Create a paid run, with one POST and never a second; an unclear outcome is ErrorKind.UNSURE."""
        ...

    def result_csv(self, file: str) -> bytes:
        """Return a run's result file as the provider gives it (perhaps base64)."""
        ...

    def checkpoints(self, run: str) -> list[TunedCheckpoint]:
        """Return the checkpoints of a finished run, newest first; none where there is no such thing."""
        ...

    def delete_model(self, model: str) -> None:
        """Delete a tuned model for good; one that is gone already is no error."""
        ...

    def answer(self, question: Question) -> Answer:
        """Ask a model."""
        ...

    async def run(self, run: str) -> Run:
        """Return a run as it is now."""
        ...

    def runs(self) -> AsyncIterator[list[Run]]:
        """Yield pages of the account's runs, the newest first; one page costs about as much as one run."""
        ...

    async def events(self, run: str, *, since_ms: int) -> list[RunEvent]:
        """Return a run's events from `since_ms` (ms since 1970, that moment included), oldest first."""
        ...

    async def pause(self, run: str) -> Run:
        """Let a run rest; one that cannot be paused (any more) is returned as it is."""
        ...

    async def resume(self, run: str) -> Run:
        """Let a paused run go on; one that does not rest is returned as it is."""
        ...

    async def cancel(self, run: str) -> Run:
        """Cancel a run; one that has ended already is returned as it is."""
        ...
