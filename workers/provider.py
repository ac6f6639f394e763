"""The port to whoever trains and serves: what the stages and the follower may ask, whichever protocol is behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import date
    from typing import TypeAlias

    from finetune.class_odds import TokenOdds
    from finetune.contract import PromptContract
    from finetune.launch import TrainRequest

    Turn: TypeAlias = Callable[[], Awaitable[None]]


CODE: Final = re.compile(r"[\w.:/-]{1,64}", re.ASCII)
UNNAMED: Final = "unnamed"


def code_of(said: object) -> str:
    """Return a provider's code for what went wrong: a word, or UNNAMED.

    It is recorded and logged, so what is no word, such as a sentence that quotes a row, is not taken for one.
    """
    code = str(said)
    return code if CODE.fullmatch(code) else UNNAMED


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
        self.code = code_of(code)
        super().__init__(f"{self.code}: {message}")
        self.kind = kind
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

    @property
    def has_ended(self) -> bool:
        """Whether nothing will become of the run any more but what has."""
        return self in {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED}


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

    `epochs` and `rate` (a multiplier) are what it trains with, None while that is left to the provider. `base`,
    `suffix`, `files` (of training rows, then of validation rows if any) and `created_ms` (since 1970) are what it was
    created with, as far as the provider says: what somebody who finds it in a list knows of it. `finished_ms`: when it
    ended, 0 while it has not, or where that is not told.
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
    base: str = ""
    suffix: str = ""
    files: tuple[str, ...] = ()
    created_ms: int = 0
    cost_usd: float | None = None
    finished_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """A model that the provider lists for this account. `shutdown`: the day it stops, None where none is told."""

    name: str
    shutdown: date | None = None


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


class HostStatus(StrEnum):
    """Where a model's host is; an unknown status is STARTING: it does not answer yet, and may cost already."""

    STARTING = "starting"
    ANSWERING = "answering"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A place of its own that a tuned model answers from, paid by the hour from its start to its end.

    `said` is the provider's own word for its status; `model` the name that the model is asked by there.
    """

    id: str
    status: HostStatus
    said: str
    model: str
    usd_per_hour: float | None = None


class Hosting(Protocol):
    """Where tuned models answer only once they are hosted. Every method raises ProviderError and nothing else."""

    def usd_per_hour(self, model: str) -> float | None:
        """Return what hosting a tuned model costs by the provider's own list, None where it does not say."""
        ...

    def find(self, intent: str) -> Host | None:
        """Return the host that was made for an intent, or None where the provider lists none (yet)."""
        ...

    def deploy(self, model: str, intent: str, *, idle_s: float) -> Host:
        """Begin to host a model, paid from now on, with one POST; an unclear outcome is ErrorKind.UNSURE.

        `idle_s`: after so long without a question the provider may end it by itself, where it can be told to.
        """
        ...

    def host(self, host: str) -> Host:
        """Return a host as it is now; one that is gone is STOPPED."""
        ...

    def stop(self, host: str) -> Host:
        """End a host for good: nothing is paid for it afterwards. One that has ended is returned as it is."""
        ...


class Provider(Protocol):
    """A service that trains and serves. Every method raises ProviderError and nothing else of the service's."""

    @property
    def name(self) -> str:
        """The name that requests and settings use: "openai"."""
        ...

    @property
    def hosting(self) -> Hosting | None:
        """Where its tuned models must be hosted before they answer; None where they answer by themselves."""
        ...

    def expected_s(self, model: str, size_bytes: int) -> float | None:
        """Return how long a run on so many bytes of rows takes here, None where the provider does not say."""
        ...

    def may_train(self, model: str) -> None:
        """Raise ProviderError where a call that costs nothing tells that this account may not train a model here."""
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

    def find_run(self, intent: str, *, since_ms: int = 0) -> Run | None:
        """Return the run that was created for an intent, or None where the provider lists none (yet).

        It was not created before `since_ms` (ms since 1970): older runs need not be looked through.
        """
        ...

    def estimate_usd(self, order: Order) -> float | None:
        """Return what the provider itself expects a run to cost, None where it does not say; nothing is started."""
        ...

    def create_run(self, order: Order) -> Run:
        """Create a paid run, with one POST and never a second; an unclear outcome is ErrorKind.UNSURE."""
        ...

    def download(self, file: str) -> bytes:
        """Return a file's bytes as the provider gives them (a result file perhaps as base64)."""
        ...

    def models(self) -> list[ListedModel]:
        """Return the models that this account may ask, its own tuned ones among them."""
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

    async def events(self, run: str, *, since_ms: int, expected: int = 0, turn: Turn | None = None) -> list[RunEvent]:
        """Return a run's events from `since_ms` (ms since 1970, that moment included), oldest first.

        `expected`: about how many they are, so that they come in one answer where that is possible. `turn` is awaited
        before every call but the first.
        """
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
