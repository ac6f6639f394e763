"""evaluating → ready | hosted: ask a model about rows it was not trained on, and announce it with what came of it.

The run is paid for and finished: whatever goes wrong here is logged, and the model is announced without the figure.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING

import msgspec

from finetune.counting.tokens import token_ids
from finetune.evaluation import scores_of
from jobstore.connections import UNAVAILABLE
from jobstore.deliveries import Rank, Shape, card, post
from jobstore.evaluations import Evaluation
from jobstore.faults import reach
from jobstore.hosting import shown
from jobstore.questions import questions_of
from jobstore.store import StaleError
from workers.confusion_chart import confusion_chart
from workers.prices import price_usd
from workers.provider import ProviderError
from workers.stages.asking import TRIES, Asking, Whom
from workers.stages.contracts import contract_of
from workers.stages.endings import asked, settlement

if TYPE_CHECKING:
    from jobstore.deliveries import Delivery
    from jobstore.jobs import Job
    from jobstore.records import Record, Ref
    from workers.workshop import Workshop

log = logging.getLogger(__name__)


def planned(shop: Workshop, record: Record[Job]) -> Evaluation | None:
    """Return what there is to ask a model that has just answered; None where no answer would be right or wrong.

    A model whose answers have no known price is not asked: nobody agreed to pay it. On a host of its own they cost
    nothing besides the hour that was confirmed.
    """
    job = record.data
    is_paid = job.open_stay is not None or price_usd(shop.catalogue.get(job.request.model), 1, 1) is not None
    found = questions_of(shop.store, shop.blobs, record, limit=shop.evaluation_rows) if is_paid else None
    if found is None:
        return None
    stored, _ = shop.blobs.put(record.ref.team, [msgspec.json.encode(found.plan)])
    return Evaluation(
        plan=stored,
        rows=len(found.plan.rows),
        held_out=found.total,
        begun_ms=shop.store.now_ms(),
        is_classifier=bool(found.plan.labels),
        source=found.source,
    )


def evaluate(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """Ask for a turn; announce the model once every row was asked, or it is time to stop."""
    try:
        return _turn(shop, record)
    except (StaleError, ProviderError, *UNAVAILABLE):
        raise
    except Exception:
        log.exception("evaluation.failed", extra={"ref": record.ref.member})
        latest = shop.store.get(record.ref)
        if latest is None or latest.state != record.state:
            return None
        return announced(shop, dataclasses.replace(latest, token=record.token), None)


class _Turn:
    """One task's turn. `record` is as the last batch left it."""

    def __init__(self, shop: Workshop, record: Record[Job]) -> None:
        job, team = record.data, record.ref.team
        assert job.evaluation is not None
        self._shop, self.record = shop, record
        self.asking = Asking(
            shop,
            team,
            Whom(
                model=job.answering,
                provider=job.request.provider,
                priced=None if job.open_stay else shop.catalogue.get(job.request.model),
                contract=contract_of(shop, team, job),
            ),
            job.evaluation,
            limit_usd=shop.evaluation_usd,
            attempts=record.attempts,
            keep=self._keep,
        )

    def _keep(self, evaluation: Evaluation, cost_usd: float) -> None:
        """Keep a batch, and count what it has cost into the month."""
        job = self.record.data
        self.record = self._shop.store.transition(
            self.record,
            "evaluating",
            self.record.having(evaluation=evaluation, note=""),
            deliveries=[card(self.record.ref, channel=job.channel, rank=Rank.PROGRESS)],
            settle=dataclasses.replace(settlement(job, spent_usd=cost_usd), release_micros=0),
            keep_lease=True,
        )


def _turn(shop: Workshop, record: Record[Job]) -> Record[Job]:
    turn = _Turn(shop, record)
    asking = turn.asking
    try:
        asking.go_on()
    except ProviderError as error:
        if record.attempts < TRIES:
            raise
        asking.stop("provider", error)
    if not asking.is_over:
        return shop.store.transition(turn.record, "evaluating", turn.record.data)
    evaluation = _concluded(shop, turn.record, asking)
    reach("evaluate.done")
    return announced(shop, turn.record, evaluation)


def _concluded(shop: Workshop, record: Record[Job], asking: Asking) -> Evaluation | None:
    team, job = record.ref.team, record.data
    model = shop.catalogue.get(job.request.model)
    scores = scores_of(asking.plan, asking.given, token_ids(model.encoding) if model else None)
    if scores is None:
        return None
    stored, _ = shop.blobs.put(team, [msgspec.json.encode(scores)])
    chart = ""
    if scores.classes:
        chart, _ = shop.blobs.put(team, [confusion_chart(scores.classes.matrix, title=job.title)])
    return dataclasses.replace(
        asking.evaluation, right=scores.right.right, scored=scores.right.total, scores=stored, chart=chart
    )


def announced(shop: Workshop, record: Record[Job], evaluation: Evaluation | None) -> Record[Job]:
    """Say that the model answers, and what its answers to held-out rows came to."""
    ref, job, now_ms = record.ref, record.data, shop.store.now_ms()
    stay = dataclasses.replace(job.open_stay, answers_ms=now_ms) if job.open_stay else job.stay
    return shop.store.transition(
        record,
        "hosted" if job.open_stay else "ready",
        record.having(ready_ms=job.ready_ms or now_ms, note="", evaluation=evaluation, stay=stay, asking_micros=0),
        event={"type": "ModelReady"},
        deliveries=[*_news(record), *_measured(ref, job.channel, evaluation)],
        settle=asked(job),
    )


def _news(record: Record[Job]) -> list[Delivery]:
    """That it is ready: where it was asked whether to host it, that question becomes the notice."""
    ref, channel, stay = record.ref, record.data.channel, record.data.open_stay
    if stay is None:
        return [card(ref, channel=channel, rank=Rank.TERMINAL), post(ref, "ready", channel=channel, rank=Rank.TERMINAL)]
    said = shown(ref, channel, Rank.TERMINAL)
    if stay.woken:
        said.append(post(ref, "woken", channel=channel, rank=Rank.TERMINAL, once=str(stay.number)))
    return said


def _measured(ref: Ref, channel: str, evaluation: Evaluation | None) -> list[Delivery]:
    if evaluation is None:
        return []
    said = [post(ref, "evaluation", channel=channel, rank=Rank.MILESTONE)]
    if evaluation.chart:
        said.append(post(ref, "confusion", channel=channel, rank=Rank.MILESTONE, kind=Shape.FILE))
    return said
