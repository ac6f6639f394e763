"""What is remembered of a dataset, a job and a prompt: frozen values, written whole, read with their schema number.

No row, prompt, answer, credential or response URL stands in here: those are blobs, named by the hash of their bytes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from finetune.errors import OperationalError
from finetune.launch import TrainRequest  # noqa: TC001 - msgspec reads the annotations
from jobstore.states import Kind, State, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Where a record is: team, kind and the handle people say ("d12", "j42")."""

    team: str
    kind: Kind
    id: str

    @property
    def member(self) -> str:
        """The record's name among its team's keys: "job:j42"."""
        return f"{self.kind.value}:{self.id}"

    @classmethod
    def of_member(cls, team: str, member: str) -> Ref:
        """The inverse of `member`."""
        kind, _, name = member.partition(":")
        return cls(team, Kind(kind), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something ended badly: a stable code, what is wrong, what to do next. Plain words of ours, unescaped.

    What a provider said of it may quote a row, so it is a blob: `said` is its hash.
    """

    code: str
    message: str
    hint: str
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A file dropped in a channel. `report`: hash of the blob that holds the `finetune.report.Report` as JSON.

    `expected_s`: how long training on it was expected to take when it was checked, where it is free; 0: not known.
    """

    channel: str
    person: str
    message_ts: str
    file_id: str
    filename: str
    declared_bytes: int = 0
    sha256: str = ""
    size_bytes: int = 0
    rows_seen: int = 0
    report: str = ""
    same_as: str = ""
    refusal: Refusal | None = None
    expected_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The recorded decision to create one paid run. `posted_ms`: when the request was about to be sent; 0: never."""

    id: str
    posted_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is, as the provider last said."""

    status: str = ""
    step: int = 0
    total_steps: int = 0
    train_loss: float | None = None
    previous_loss: float | None = None
    valid_loss: float | None = None
    first_step_ms: int = 0
    last_step_ms: int = 0
    last_event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a finished run left: figures, and the hashes of its blobs."""

    csv: str
    chart: str
    sentence: str
    next_step: str
    diagnosis: str
    final_train_loss: float | None
    final_valid_loss: float | None
    best_step: int | None
    best_valid_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A person's request to fine-tune, and all that became of it. Money in US dollars, times in ms since 1970.

    `contract`, `train_blob` and `valid_blob` are hashes of blobs: how the model is to be asked
    (`finetune.contract.PromptContract` as JSON), and the rows as they go to the provider. So is `sample`: the
    question of one row that was held out, to try the model with.
    """

    channel: str
    person: str
    request: TrainRequest
    digest: str
    contract: str
    month: str
    confirmed_ms: int
    reserved_micros: int
    title: str
    person_name: str = ""
    rows: int = 0
    train_blob: str = ""
    valid_blob: str = ""
    sample: str = ""
    train_file: str = ""
    valid_file: str = ""
    intent: Intent | None = None
    intents: int = 0
    run: str = ""
    run_created_ms: int = 0
    progress: Progress = field(default_factory=Progress)
    model: str = ""
    result_file: str = ""
    trained_tokens: int | None = None
    cost_usd: float | None = None
    results: Results | None = None
    probe_since_ms: int = 0
    ready_ms: int = 0
    refusal: Refusal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A test prompt put to a job's model. `text` and `answer` are hashes of blobs."""

    channel: str
    person: str
    job: str
    text: str
    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    answer: str = ""
    latency_ms: int = 0
    tokens: int = 0
    cost_usd: float | None = None
    finish: str = ""
    refusal: Refusal | None = None


Data = TypeVar("Data", bound=Dataset | Job | Prompt)
TYPES: Final[dict[Kind, type[Dataset | Job | Prompt]]] = {
    Kind.DATASET: Dataset,
    Kind.JOB: Job,
    Kind.PROMPT: Prompt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Generic[Data]):
    """A record as it was read: `version` and `token` are what a transition is compared with."""

    ref: Ref
    state: str
    version: int
    data: Data
    cancel: bool = False
    token: int = 0
    attempts: int = 0
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def at(self) -> State:
        """The row of the state table it stands in."""
        return state_of(self.ref.kind, self.state)

    def having(self, **changes: Any) -> Data:
        """The record's data with some fields changed."""
        return dataclasses.replace(self.data, **changes)


def encode(data: Dataset | Job | Prompt) -> str:
    """The record's data as JSON."""
    return msgspec.json.encode(data).decode()


def newer(ref: Ref, schema: int) -> OperationalError:
    """The refusal of a record whose schema number this process does not know."""
    return OperationalError(
        f"{ref.member} was written by a newer Tuneroom (schema {schema}, here {SCHEMA}): upgrade this process"
    )


def read(ref: Ref, fields: Mapping[str, str], token: int = 0) -> Record[Any]:
    """Parse a record's hash; a schema newer than this process knows is refused, not guessed at."""
    schema = int(fields["schema"])
    if schema > SCHEMA:
        raise newer(ref, schema)
    return Record(
        ref=ref,
        state=fields["state"],
        version=int(fields["version"]),
        data=msgspec.json.decode(fields["data"], type=TYPES[ref.kind]),
        cancel=fields["cancel"] == "1",
        token=token,
        attempts=int(fields["attempts"]),
        created_ms=int(fields["created_ms"]),
        updated_ms=int(fields["updated_ms"]),
    )
