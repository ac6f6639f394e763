"""What is remembered of a comparison: two models, the same rows, what each answered and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from finetune.comparison import Paired  # noqa: TC001 - msgspec reads the annotations
from jobstore.evaluations import Evaluation, Source  # noqa: TC001 - the same
from jobstore.refusals import Refusal  # noqa: TC001 - the same

BASE = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two models. `job` is whose model it is, "" for a base model or one that no job of ours made.

    `model` is the provider's name of it, `base` the model that it is priced as, `contract` the blob that says how it is
    to be asked. Asking it was quoted at `most_usd` at most. `known` is a blob: a list with what it had answered to each
    row before (a `finetune.evaluation.Given`), None for the others, as JSON; there were `known_rows` of those, and they
    had cost `known_usd`. `evaluation` is of the other rows, None where there are none.
    """

    job: str
    model: str
    provider: str
    base: str
    contract: str
    most_usd: float
    known: str = ""
    known_rows: int = 0
    known_usd: float = 0.0
    evaluation: Evaluation | None = None

    @property
    def is_base(self) -> bool:
        """Whether it is a base model, rather than one that was tuned from it."""
        return not self.job and self.model == self.base

    @property
    def is_over(self) -> bool:
        """Whether every row was asked, or asking was stopped."""
        found = self.evaluation
        return found is None or bool(found.stopped) or found.asked >= found.rows

    @property
    def stopped(self) -> str:
        """Why it was not asked every row; "" where it was."""
        return self.evaluation.stopped if self.evaluation else ""

    @property
    def is_unasked(self) -> bool:
        """Whether it has rows to answer, and has answered none for this."""
        return self.evaluation is not None and not self.evaluation.begun_ms

    @property
    def asked(self) -> int:
        """How many rows it has answered by now, before or for this."""
        return self.known_rows + (self.evaluation.asked if self.evaluation else 0)

    @property
    def cost_usd(self) -> float:
        """What asking it for this has cost."""
        return self.evaluation.cost_usd if self.evaluation else 0.0

    @property
    def answer_usd(self) -> float:
        """What an answer of it costs; 0 where that is nothing, or none was given."""
        return (self.known_usd + self.cost_usd) / self.asked if self.asked else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A person's request to compare a job's model with another one. Money in US dollars, times in ms since 1970.

    `against` is "base", a job ("j3") or the provider's name of a model. `plan` is a blob with the rows, a
    `finetune.evaluation.Plan`, and `used` one with those that are asked: of the `rows` there were, `left_out` are not,
    since the other model was trained on them. What it may cost is reserved in `month` under `accounts`
    (`jobstore.money`). `paired` is what came of it.
    """

    channel: str
    person: str
    job: str
    against: str
    digest: str
    month: str
    confirmed_ms: int
    reserved_micros: int
    plan: str
    rows: int
    tuned: Side
    other: Side
    source: Source = ""
    accounts: tuple[str, ...] = ()
    begun_ms: int = 0
    used: str = ""
    left_out: int = 0
    paired: Paired | None = None
    refusal: Refusal | None = None

    @property
    def cost_usd(self) -> float:
        """What it has cost by now."""
        return self.tuned.cost_usd + self.other.cost_usd

    @property
    def stopped(self) -> str:
        """Why not every row was asked: "time", "price" or "provider"; "" where every row was."""
        return self.tuned.stopped or self.other.stopped
