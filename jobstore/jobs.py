"""What is remembered of a job: what was asked for, its run, and all that became of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from finetune.launch import TrainRequest  # noqa: TC001 - msgspec reads the annotations
from jobstore.evaluations import Evaluation  # noqa: TC001 - the same
from jobstore.intents import Intent  # noqa: TC001 - the same
from jobstore.refusals import Refusal  # noqa: TC001 - the same
from jobstore.stays import Stay  # noqa: TC001 - the same


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
    reserved under besides everybody's (`jobstore.money`): `reserved_micros` for the run, and `asking_micros` for asking
    the model about held-out rows, until that is over. `sent_bytes` of `send_bytes` have been uploaded.
    `wish`: "pause" or "resume", until the provider has been told.
    `used_step` is the step of the checkpoint that answers in the model's place, 0 where the model does.
    `trained_epochs` and `trained_rate` (a multiplier) are what "auto" became, where the provider told.
    Where models answer only from a host of their own: `stay` is the one that was confirmed last, `hosted_micros` what
    all of them have cost so far, and `host_usd_per_hour` what the provider's own list asks, None where it does not say.
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
    asking_micros: int = 0
    stay: Stay | None = None
    hosted_micros: int = 0
    host_usd_per_hour: float | None = None

    @property
    def held_micros(self) -> int:
        """What was set aside when it was confirmed, for the run and for what follows it."""
        return self.reserved_micros + self.asking_micros

    @property
    def chosen_model(self) -> str:
        """The provider's name of the model, or of the checkpoint that a person put in its place."""
        return next((one.name for one in self.checkpoints if self.used_step and one.step == self.used_step), self.model)

    @property
    def open_stay(self) -> Stay | None:
        """The stay on a host that goes on, or is about to; None where there is none, or it has ended."""
        return self.stay if self.stay and not self.stay.ended_ms else None

    @property
    def answering(self) -> str:
        """The name that what answers is asked by: on a host of its own it may be another."""
        hosted = self.open_stay.model if self.open_stay else ""
        return hosted or self.chosen_model
