"""comparing → compared | failed: ask two models the same rows, and say which gets more of them right.

What one of them has answered before is used again. Every batch is kept, so that a worker that dies costs one batch.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from finetune.comparison import compared
from finetune.contract import PromptContract
from finetune.evaluation import Given, Plan
from jobstore.deliveries import Rank, card
from jobstore.evaluations import Evaluation
from jobstore.faults import reach
from jobstore.money import MICROS, Account, Settlement
from jobstore.questions import answers_of
from jobstore.records import Ref
from jobstore.refusals import Refusal
from jobstore.states import ANSWERING, Kind
from jobstore.store import Mark
from jobstore.trained_rows import parents_of, questions_trained_on, without
from workers.openai_dialects import listed_as
from workers.provider import ProviderError
from workers.stages import endings
from workers.stages.asking import TRIES, Asking, Whom
from workers.stages.hosting_end import ASKED_HASH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.held_out import HeldOutRow
    from jobstore.comparisons import Comparison, Side
    from jobstore.deliveries import Delivery
    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.workshop import Workshop

Name = Literal["tuned", "other"]

LEARNT: Final = Refusal(
    code="rows-learnt",
    message="The other model was trained on every one of these rows, so they say nothing about it.",
    hint="Compare with its base, or with a model that was trained on other rows.",
)
ASLEEP: Final = Refusal(
    code="asleep", message="A model stopped answering before it was asked.", hint="Wake it, and compare again."
)
SILENT: Final = Refusal(
    code="no-answers", message="One of the models answered no row, so there is nothing to compare.", hint="Try again."
)


def compare(shop: Workshop, record: Record[Comparison]) -> Record[Comparison]:
    """Ask for a turn; say what came of it once both were asked."""
    if not record.data.begun_ms:
        begun = _begun(shop, record)
        if isinstance(begun, Refusal):
            return fail(shop, record, begun)
        record = shop.store.transition(record, "comparing", begun, keep_lease=True)
    if record.data.other.stopped and record.data.tuned.is_unasked:
        record = dataclasses.replace(record, data=_narrowed(shop, record))
    name = _unfinished(record.data)
    if not name:
        return _concluded(shop, record)
    turn = _Turn(shop, record, name)
    if not turn.can_be_asked():
        return fail(shop, record, ASLEEP)
    error = turn.go_on()
    if turn.side.is_over and not turn.side.asked:
        return fail(shop, turn.record, endings.refusal_of(shop, record.ref.team, error) if error else SILENT)
    if _unfinished(turn.record.data):
        return _going_on(shop, turn.record)
    return _concluded(shop, turn.record)


def _unfinished(data: Comparison) -> Name | None:
    """Which is to be asked: the other model first, which may not answer at all."""
    if not data.other.is_over:
        return "other"
    return None if data.tuned.is_over else "tuned"


def _going_on(shop: Workshop, record: Record[Comparison]) -> Record[Comparison]:
    return shop.store.transition(record, "comparing", record.data, deliveries=[_card(record, Rank.PROGRESS)])


def _begun(shop: Workshop, record: Record[Comparison]) -> Comparison | Refusal:
    """Leave out what the other model was trained on, and find what each has answered to the rest."""
    data, team = record.data, record.ref.team
    plan = msgspec.json.decode(shop.blobs.read(team, data.plan), type=Plan)
    other = _job(shop, record, data.other)
    learnt = [other, *parents_of(shop.store, other)] if other else []
    rows, left_out = without(plan.rows, questions_trained_on(shop.blobs, team, learnt))
    if not rows:
        return LEARNT
    kept, _ = shop.blobs.put(team, [msgspec.json.encode(dataclasses.replace(plan, rows=tuple(rows)))])
    return dataclasses.replace(
        data,
        used=kept,
        left_out=left_out,
        begun_ms=shop.store.now_ms(),
        tuned=_side(shop, record, data.tuned, plan, rows),
        other=_side(shop, record, data.other, plan, rows),
    )


def _narrowed(shop: Workshop, record: Record[Comparison]) -> Comparison:
    """Leave out the rows that the other model was not asked any more: the tuned one's answers to them count nowhere."""
    data, team = record.data, record.ref.team
    plan = msgspec.json.decode(shop.blobs.read(team, data.used), type=Plan)
    known = msgspec.json.decode(shop.blobs.read(team, data.other.known), type=list[Given | None])
    kept = [place for place, given in enumerate(_given(shop, team, data.other)) if given is not None]
    rows = [plan.rows[place] for place in kept]
    used, _ = shop.blobs.put(team, [msgspec.json.encode(dataclasses.replace(plan, rows=tuple(rows)))])
    kept_known, _ = shop.blobs.put(team, [msgspec.json.encode([known[place] for place in kept])])
    other = dataclasses.replace(data.other, known=kept_known)
    return dataclasses.replace(data, used=used, other=other, tuned=_side(shop, record, data.tuned, plan, rows))


def _job(shop: Workshop, record: Record[Comparison], side: Side) -> Record[Job] | None:
    return shop.store.get(Ref(record.ref.team, Kind.JOB, side.job)) if side.job else None


def _side(shop: Workshop, record: Record[Comparison], side: Side, plan: Plan, rows: Sequence[HeldOutRow]) -> Side:
    """One of the models, with what it has answered to the rows, and a plan of the others."""
    team, job = record.ref.team, _job(shop, record, side)
    answers = answers_of(shop.blobs, job) if job else {}
    known = [answers.get(row) for row in rows]
    missing = tuple(row for row in rows if row not in answers)
    asked_before = job.data.evaluation if job and answers else None
    usd = asked_before.cost_usd / asked_before.asked if asked_before and asked_before.asked else 0.0
    kept, _ = shop.blobs.put(team, [msgspec.json.encode(known)])
    found = dataclasses.replace(
        side, known=kept, known_rows=len(rows) - len(missing), known_usd=usd * (len(rows) - len(missing))
    )
    if not missing:
        return found
    to_ask, _ = shop.blobs.put(team, [msgspec.json.encode(Plan(rows=missing, labels=plan.labels))])
    evaluation = Evaluation(
        plan=to_ask,
        rows=len(missing),
        held_out=len(missing),
        begun_ms=0,
        is_classifier=bool(plan.labels),
        with_odds=False,
        source=record.data.source,
    )
    return dataclasses.replace(found, evaluation=evaluation)


class _Turn:
    """One task's turn at asking one of the two. `record` is as the last batch left it."""

    def __init__(self, shop: Workshop, record: Record[Comparison], name: Name) -> None:
        self._shop, self.record, self._name = shop, record, name
        side, team = self.side, record.ref.team
        assert side.evaluation is not None
        self._job = _job(shop, record, side)
        self._is_hosted = self._job is not None and self._job.data.open_stay is not None
        begun_ms = side.evaluation.begun_ms or shop.store.now_ms()
        self._asking = Asking(
            shop,
            team,
            Whom(
                model=listed_as(side.model, side.provider) if side.is_base else side.model,
                provider=side.provider,
                # on a host of its own it is the hour that is paid, whatever is asked in it
                priced=None if self._is_hosted else shop.catalogue.get(side.base),
                is_base=side.is_base,
                contract=PromptContract.from_json(shop.blobs.read(team, side.contract)),
            ),
            dataclasses.replace(side.evaluation, begun_ms=begun_ms),
            limit_usd=side.most_usd,
            attempts=record.attempts,
            keep=self._keep,
        )

    @property
    def side(self) -> Side:
        """The model that is asked, as it stands."""
        return self.record.data.tuned if self._name == "tuned" else self.record.data.other

    def can_be_asked(self) -> bool:
        """Whether a model of ours can be asked just now; others are simply asked."""
        return not self.side.job or (self._job is not None and self._job.state in ANSWERING)

    def go_on(self) -> ProviderError | None:
        """Ask until this turn is over; return the error that stopped asking, if one did."""
        try:
            self._asking.go_on()
        except ProviderError as error:
            if self.record.attempts < TRIES:
                raise
            self._asking.stop("provider", error)
        self.record = dataclasses.replace(self.record, data=self._with(self._asking.evaluation))
        return self._asking.error

    def _with(self, evaluation: Evaluation) -> Comparison:
        return self.record.having(**{self._name: dataclasses.replace(self.side, evaluation=evaluation)})

    def _keep(self, evaluation: Evaluation, _: float) -> None:
        """Keep a batch; a model on a host of its own is not put to sleep while it is asked."""
        now = str(self._shop.store.now_ms())
        self.record = self._shop.store.transition(
            self.record,
            "comparing",
            self._with(evaluation),
            marks=[Mark(hash=ASKED_HASH, field=self.side.job, value=now)] if self._is_hosted else [],
            keep_lease=True,
        )


def _concluded(shop: Workshop, record: Record[Comparison]) -> Record[Comparison]:
    data, team = record.data, record.ref.team
    plan = msgspec.json.decode(shop.blobs.read(team, data.used), type=Plan)
    paired = compared(plan.rows, *(_given(shop, team, side) for side in (data.tuned, data.other)))
    if not paired.rows:
        return fail(shop, record, SILENT)
    reach("compare.done")
    return shop.store.transition(
        record,
        "compared",
        record.having(paired=paired),
        event={"type": "Compared", "verdict": paired.verdict.value, "rows": paired.rows},
        deliveries=[_card(record, Rank.TERMINAL)],
        settle=_settlement(data),
    )


def _given(shop: Workshop, team: str, side: Side) -> list[Given | None]:
    """What a model has answered, row by row, None where it was not asked: before this, or for it."""
    known = msgspec.json.decode(shop.blobs.read(team, side.known), type=list[Given | None])
    found = side.evaluation
    kept = shop.blobs.read(team, found.answers) if found and found.answers else b"[]"
    asked = iter(msgspec.json.decode(kept, type=list[Given]))
    return [one or next(asked, None) for one in known]


def fail(shop: Workshop, record: Record[Comparison], refusal: Refusal) -> Record[Comparison]:
    """Say why there is no comparison; what asking has cost until then is booked."""
    return shop.store.transition(
        record,
        "failed",
        record.having(refusal=refusal),
        event={"type": "ComparisonFailed", "code": refusal.code},
        deliveries=[_card(record, Rank.TERMINAL)],
        settle=_settlement(record.data),
    )


def _settlement(data: Comparison) -> Settlement:
    return Settlement(
        month=data.month,
        release_micros=data.reserved_micros,
        spend_micros=round(data.cost_usd * MICROS),
        accounts=tuple(Account(name=name) for name in data.accounts),
    )


def _card(record: Record[Comparison], rank: Rank) -> Delivery:
    return card(record.ref, channel=record.data.channel, rank=rank, parent=f"card:job:{record.data.job}")
