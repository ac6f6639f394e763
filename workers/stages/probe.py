"""probing → evaluating | ready | hosted: "trained" is not "answers", so ask the model before anybody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from workers.provider import ProviderError, Question
from workers.stages.asking import DEADLINE_MS
from workers.stages.contracts import contract_of
from workers.stages.endings import note
from workers.stages.evaluate import announced, planned
from workers.stages.hosting_end import ends_ms, sleepy

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.workshop import Workshop

SLOW_MS = 15_000
ASKING_TAKES_MS = DEADLINE_MS + 60_000
"""Until its last try is over; what was confirmed is the most that a host may cost, so it is not begun later."""
NOT_YET = "Trained. The model does not answer yet, which can take minutes. I'm asking again by myself."
NOT_DEPLOYED = "Trained. It answers once you deploy it at the provider, named {model}. I'm asking again by myself."


def probe(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """Ask the model one word; once it has answered, ask it about held-out rows or announce it."""
    job, ref = record.data, record.ref
    if job.open_stay and shop.store.now_ms() >= ends_ms(job.open_stay):
        return sleepy(shop, record, "silent")
    question = Question(model=job.answering, text="Hello", contract=contract_of(shop, ref.team, job), max_tokens=8)
    try:
        shop.providers[job.request.provider].answer(question)
    except ProviderError:
        now_ms = shop.store.now_ms()
        if now_ms - job.probe_since_ms > SLOW_MS:
            is_hosted = shop.catalogue.service(job.request.provider).hosting != "none"
            record = note(shop, record, NOT_YET if is_hosted else NOT_DEPLOYED.format(model=job.answering))
        shop.store.release(record, due_in_ms=shop.timings.retry_in_ms(record.attempts))
        return None
    reach("probe.answered")
    # a model that is woken was asked before
    if not job.ready_ms and _has_time(shop, job) and (evaluation := planned(shop, record)):
        return shop.store.transition(
            record,
            "evaluating",
            record.having(evaluation=evaluation, note=""),
            event={"type": "ModelAnswered"},
            deliveries=[card(ref, channel=job.channel, rank=Rank.PROGRESS)],
        )
    return announced(shop, record, job.evaluation)


def _has_time(shop: Workshop, job: Job) -> bool:
    """Whether the rows can be asked before the end of the hours, where there are any."""
    stay = job.open_stay
    return stay is None or ends_ms(stay) - shop.store.now_ms() >= ASKING_TAKES_MS
