"""creating → queued | unclear: exactly one paid run for one confirmed request (docs/architecture.md, promise 4).

The intent is recorded before the POST and looked up before it, the first time too. Once a POST may have gone out,
only a look-up that finds the run, or a person, moves the job on. A provider that names its own price, now that it has
the rows, is held to what was confirmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobstore.deliveries import Rank, card, post
from jobstore.faults import reach
from jobstore.intents import Intent, intent_id
from jobstore.store import StaleError
from workers.provider import ErrorKind, Order, ProviderError
from workers.stages.endings import cancelled, fail, note
from workers.stages.estimates import above_confirmed
from workers.stages.lookups import WAITING, counts, wait_for_grace

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.refusals import Refusal
    from workers.provider import Provider, Run
    from workers.workshop import Workshop


def create(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """Adopt the run that this intent made, or make it; None where the outcome is not known yet."""
    provider = shop.providers[record.data.request.provider]
    intent = record.data.intent or _intent(record)
    if (run := provider.find_run(intent.id, since_ms=record.data.confirmed_ms)) is not None:
        return adopt(shop, record, run)
    if intent.posted_ms:
        return _still_missing(shop, record, intent)
    if record.cancel:
        return cancelled(shop, record)
    if (dearer := above_confirmed(record.data, provider.estimate_usd(_order(shop, record, intent)))) is not None:
        return fail(shop, record, dearer)
    return _post(shop, record, provider, intent)


def _intent(record: Record[Job]) -> Intent:
    job = record.data
    return Intent(id=intent_id(record.ref, job.digest, confirmed_ms=job.confirmed_ms, number=job.intents))


def _post(shop: Workshop, record: Record[Job], provider: Provider, intent: Intent) -> Record[Job] | None:
    posting = Intent(id=intent.id, posted_ms=shop.store.now_ms())
    record = shop.store.transition(
        record, "creating", record.having(intent=posting), event={"type": "RunIntended"}, keep_lease=True
    )
    reach("create.intended")
    if record.cancel:  # flagged since this stage began: nothing has been sent yet
        return cancelled(shop, record)
    order = _order(shop, record, posting)
    # a process that was stopped in between has lost its lease, and others have looked the run up in vain since
    if not shop.store.renew(record, int(shop.timings.lease_s * 1000)):
        raise StaleError(f"{record.ref.member}: the lease was lost before the request went out")
    try:
        run = provider.create_run(order)
    except ProviderError as error:
        if error.kind is ErrorKind.UNSURE:
            return wait_for_grace(shop, note(shop, record, WAITING.format(what="run")), posting.posted_ms)
        # refused, or never sent: there is no run, and the intent may be tried again
        back = Intent(id=intent.id)
        shop.store.transition(record, "creating", record.having(intent=back), keep_lease=True)
        raise
    reach("create.posted")
    return adopt(shop, record, run)


def _order(shop: Workshop, record: Record[Job], intent: Intent) -> Order:
    job, learnt = record.data, record.data.request.reinforcement
    grader = shop.blobs.read(record.ref.team, learnt.grader).decode() if learnt else ""
    return Order(
        request=job.request, train_file=job.train_file, valid_file=job.valid_file, intent=intent.id, grader=grader
    )


def _still_missing(shop: Workshop, record: Record[Job], intent: Intent) -> Record[Job] | None:
    if not counts(shop, intent.posted_ms):
        return wait_for_grace(shop, note(shop, record, WAITING.format(what="run")), intent.posted_ms)
    return _unclear(shop, record, intent)


def end_badly(shop: Workshop, record: Record[Job], refusal: Refusal) -> Record[Job]:
    """It cannot be created, or not be looked up for good: where a request may have gone out, a person decides."""
    intent = record.data.intent
    if intent is None or not intent.posted_ms:
        return fail(shop, record, refusal)
    return _unclear(shop, record, intent, said=refusal.message)


def _unclear(shop: Workshop, record: Record[Job], intent: Intent, *, said: str = "") -> Record[Job]:
    return shop.store.transition(
        record,
        "unclear",
        record.having(note=said),
        event={"type": "RunUnclear"},
        deliveries=[
            card(record.ref, channel=record.data.channel, rank=Rank.TERMINAL),
            post(record.ref, "unclear", channel=record.data.channel, rank=Rank.TERMINAL, once=intent.id),
        ],
    )


def adopt(shop: Workshop, record: Record[Job], run: Run) -> Record[Job]:
    """The provider has the run: follow it."""
    return shop.store.transition(
        record,
        "queued",
        record.having(run=run.id, run_created_ms=shop.store.now_ms(), note=""),
        event={"type": "RunCreated", "run": run.id},
        deliveries=[card(record.ref, channel=record.data.channel, rank=Rank.PROGRESS)],
    )
