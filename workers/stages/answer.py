"""asked → answering → answered | failed: put a person's test prompt to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobstore.deliveries import Delivery, Rank, Shape
from jobstore.faults import reach
from jobstore.records import Prompt, Record, Ref
from jobstore.refusals import Refusal
from jobstore.states import ANSWERING, Kind
from jobstore.store import Mark
from workers.openai_dialects import listed_as
from workers.provider import Question
from workers.stages.contracts import contract_of
from workers.stages.hosting_end import ASKED_HASH

if TYPE_CHECKING:
    from finetune.catalogue import Model
    from jobstore.jobs import Job
    from workers.provider import Answer
    from workers.workshop import Workshop

DEFAULT_MAX_TOKENS = 256


def begin(shop: Workshop, record: Record[Prompt]) -> Record[Prompt]:
    """Say that it is being answered, and answer it in the same breath."""
    answering = shop.store.transition(record, "answering", record.data, marks=_asked(shop, record), keep_lease=True)
    return answer(shop, answering)


def answer(shop: Workshop, record: Record[Prompt]) -> Record[Prompt]:
    """Ask the model with the contract it was trained with; the answer becomes a blob."""
    data, ref = record.data, record.ref
    job: Record[Job] | None = shop.store.get(_job_of(record))
    if job is None:
        return fail(shop, record, GONE)
    if job.data.stay is not None and job.state not in ANSWERING and not data.of:
        return fail(shop, record, ASLEEP)
    request = job.data.request
    question = Question(
        model=listed_as(data.model, request.provider) if data.of else data.model,
        text=shop.blobs.read(ref.team, data.text).decode(),
        contract=contract_of(shop, ref.team, job.data),
        temperature=data.temperature or 0.0,
        max_tokens=data.max_tokens or DEFAULT_MAX_TOKENS,
    )
    began_ms = shop.store.now_ms()
    said = shop.providers[request.provider].answer(question)
    reach("answer.received")
    changed = record.having(
        answer=shop.blobs.put_text(ref.team, said.text),
        latency_ms=shop.store.now_ms() - began_ms,
        tokens=said.prompt_tokens + said.completion_tokens,
        cost_usd=_cost_usd(shop.catalogue.get(request.model), said, is_base=bool(data.of)),
        finish=said.finish,
    )
    event = {"type": "PromptAnswered", "tokens": changed.tokens}
    return shop.store.transition(
        record,
        "answered",
        changed,
        event=event,
        deliveries=[_reply(record, "answer")],
        marks=_asked(shop, record),
    )


def _cost_usd(model: Model | None, said: Answer, *, is_base: bool) -> float | None:
    price = (model.base_price if is_base else model.tuned_price) if model else None
    return price.usd(said.prompt_tokens, said.completion_tokens) if price else None


def _asked(shop: Workshop, record: Record[Prompt]) -> list[Mark]:
    """A model on a host of its own is put to sleep when it was not asked for a while: say when it was."""
    job: Record[Job] | None = shop.store.get(_job_of(record))
    if job is None or job.data.open_stay is None or record.data.of:  # of a base, which is on no host of ours
        return []
    return [Mark(hash=ASKED_HASH, field=job.ref.id, value=str(shop.store.now_ms()))]


def _job_of(record: Record[Prompt]) -> Ref:
    return Ref(record.ref.team, Kind.JOB, record.data.job)


GONE = Refusal(code="job-gone", message="The job of this model is no longer kept.", hint="Try /tune list.")
ASLEEP = Refusal(
    code="asleep", message="The model was put to sleep before it could be asked.", hint="Wake it, and ask again."
)


def fail(shop: Workshop, record: Record[Prompt], refusal: Refusal) -> Record[Prompt]:
    """Say in the thread why there is no answer."""
    return shop.store.transition(
        record,
        "failed",
        record.having(refusal=refusal),
        event={"type": "PromptFailed", "code": refusal.code},
        deliveries=[_reply(record, "prompt_failed")],
    )


def _reply(record: Record[Prompt], view: str) -> Delivery:
    return Delivery(
        id=f"{view}:{record.ref.member}",
        channel=record.data.channel,
        kind=Shape.POST,
        view=view,
        ref=record.ref.member,
        rank=Rank.TERMINAL,
        parent=f"card:job:{record.data.job}",
    )
