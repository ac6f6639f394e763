"""What is remembered of each kind of record: frozen values, written whole, read with their schema number.

No row, prompt, answer, credential or response URL stands in here: those are blobs, named by the hash of their bytes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from finetune.errors import OperationalError
from jobstore.comparisons import Comparison
from jobstore.jobs import Job
from jobstore.refusals import Refusal  # noqa: TC001 - msgspec reads the annotations
from jobstore.states import Kind, State, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA: Final = 3
"""1: jobs of one method. 2: other methods, validation by file, tuned models trained on. 3: models on hosts of their
own, which an older process would forget to end: it refuses what is newer than itself; comparisons.
"""


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
class Prompt:
    """A test prompt put to a job's model. `text` and `answer` are hashes of blobs.

    `of`: the prompt that the model was asked before, where it is its base that is asked the same; "" otherwise.
    """

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
    of: str = ""


AnyData: TypeAlias = Dataset | Job | Prompt | Comparison
Data = TypeVar("Data", bound=AnyData)
TYPES: Final[dict[Kind, type[AnyData]]] = {
    Kind.DATASET: Dataset,
    Kind.JOB: Job,
    Kind.PROMPT: Prompt,
    Kind.COMPARISON: Comparison,
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


def encode(data: AnyData) -> str:
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
