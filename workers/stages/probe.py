"""probing → ready: "trained" is not "answers", so ask the model before anybody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.contract import PromptContract
from jobstore.deliveries import Rank, card, post
from jobstore.faults import reach
from workers.provider import ProviderError, Question
from workers.stages.endings import note

if TYPE_CHECKING:
    from jobstore.records import Job, Record
    from workers.workshop import Workshop

SLOW_MS = 15_000
NOT_YET = "Trained. The model does not answer yet, which can take minutes. I'm asking again by myself."


def contract_of(shop: Workshop, team: str, job: Job) -> PromptContract:
    """Return how the job's model is to be asked."""
    return PromptContract.from_json(shop.blobs.read(team, job.contract))


def probe(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """Ask the model one word; the notice goes out when it has answered."""
    job, ref = record.data, record.ref
    question = Question(model=job.model, text="Hello", contract=contract_of(shop, ref.team, job), max_tokens=8)
    try:
        shop.providers[job.request.provider].answer(question)
    except ProviderError:
        now_ms = shop.store.now_ms()
        if now_ms - job.probe_since_ms > SLOW_MS:
            record = note(shop, record, NOT_YET)
        shop.store.release(record, due_in_ms=shop.timings.retry_in_ms(record.attempts))
        return None
    reach("probe.answered")
    return shop.store.transition(
        record,
        "ready",
        record.having(ready_ms=shop.store.now_ms(), note=""),
        event={"type": "ModelReady"},
        deliveries=[
            card(ref, channel=job.channel, rank=Rank.TERMINAL),
            post(ref, "ready", channel=job.channel, rank=Rank.TERMINAL),
        ],
    )
