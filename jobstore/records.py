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
from jobstore.evaluations import Evaluation  # noqa: TC001 - the same
from jobstore.states import Kind, State, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = 2
"""1: jobs of one method. 2: other methods, validation by file, tuned models trained on; an older process refuses it."""


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
class Made:
    """How a version was made of a dataset, `parent`, itself a version of the dropped file `original` or that file.

    `number` is what people call the version by, counted from 2. `source` and `source_name` are the hash and name of the
    bytes it was made of. `recipe` and `difference` are hashes of blobs: a `finetune.mending.Recipe`, and a
    `finetune.fixes.difference.Difference` once it is made; of a `part` of a split ("train", "valid", "test"), a
    `finetune.splitting.division.Division` and `Parts`.
    """

    parent: str
    original: str
    number: str
    source: str
    source_name: str
    recipe: str
    difference: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A file dropped in a channel, or a version `made` of one. `report`: hash of the blob with the Report as JSON.

    `expected_s`: how long training on it was expected to take when it was checked, where it is free; 0: not known.
    `picture`: hash of the blob with the picture of its tokens.
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
    rows_expected: int = 0
    report: str = ""
    same_as: str = ""
    refusal: Refusal | None = None
    expected_s: float = 0.0
    made: Made | None = None
    picture: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """The recorded decision to create one paid run. `posted_ms`: when the request was about to be sent; 0: never."""

    id: str
    posted_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is, as the provider last said; times in ms since 1970.

    `events`: how many of the run's events were taken in; `seen`: marks of those since `seen_since_ms`, so that none is
    taken in twice. `longest_gap_ms`: the longest time between two steps that were told.
    """

    status: str = ""
    step: int = 0
    total_steps: int = 0
    train_loss: float | None = None
    previous_loss: float | None = None
    valid_loss: float | None = None
    first_step_ms: int = 0
    last_step_ms: int = 0
    started_ms: int = 0
    longest_gap_ms: int = 0
    events: int = 0
    seen_since_ms: int = 0
    seen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A wait that was said to be too long, in seconds. `stage`: queued, starting or step; `usual_s` 0: not known."""

    stage: str
    waited_s: int
    usual_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a finished run left: figures, and the hashes of its blobs.

    `action` is the `finetune.explanation.Action` to offer, `checkpoint` the step of the checkpoint that did better than
    the end, 0 where none is known to. `figures` are the provider's own of a run that classifies.
    """

    csv: str
    chart: str
    sentence: str
    next_step: str
    diagnosis: str
    final_train_loss: float | None
    final_valid_loss: float | None
    best_step: int | None
    best_valid_loss: float | None
    final_train_accuracy: float | None = None
    final_valid_accuracy: float | None = None
    action: str = "none"
    checkpoint: int = 0
    figures: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model from before a run's end: the provider's name of it, and the step it was saved at."""

    name: str
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A person's request to fine-tune, and all that became of it. Money in US dollars, times in ms since 1970.

    `contract`, `train_blob` and `valid_blob` are hashes of blobs: how the model is to be asked
    (`finetune.contract.PromptContract` as JSON), and the rows as they go to the provider. So is `sample`: the
    question of one row that was held out, to try the model with. `accounts`: whose spending of `month` the price is
    reserved under besides everybody's (`jobstore.money`). `sent_bytes` of `send_bytes` have been uploaded.
    `wish`: "pause" or "resume", until the provider has been told.
    `used_step` is the step of the checkpoint that answers in the model's place, 0 where the model does.
    `trained_epochs` and `trained_rate` (a multiplier) are what "auto" became, where the provider told.
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
    accounts: tuple[str, ...] = ()
    send_bytes: int = 0
    sent_bytes: int = 0
    train_file: str = ""
    valid_file: str = ""
    intent: Intent | None = None
    intents: int = 0
    run: str = ""
    run_created_ms: int = 0
    progress: Progress = field(default_factory=Progress)
    stuck: Stuck | None = None
    model: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()
    used_step: int = 0
    trained_epochs: int | None = None
    trained_rate: float | None = None
    result_file: str = ""
    trained_tokens: int | None = None
    cost_usd: float | None = None
    results: Results | None = None
    evaluation: Evaluation | None = None
    probe_since_ms: int = 0
    ready_ms: int = 0
    refusal: Refusal | None = None
    wish: str = ""
    note: str = ""

    @property
    def answering(self) -> str:
        """The provider's name of what answers: the model, or the checkpoint that a person put in its place."""
        return next((one.name for one in self.checkpoints if self.used_step and one.step == self.used_step), self.model)


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
