"""How a job ends before it has a model: failed or cancelled, the reservation released, the person told."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from jobstore.deliveries import Rank, card, post
from jobstore.money import MICROS, Account, Settlement
from jobstore.refusals import Refusal

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.provider import ProviderError
    from workers.workshop import Workshop


def refusal_of(shop: Workshop, team: str, error: ProviderError) -> Refusal:
    """Return what is recorded of a provider's error; its own words become a blob."""
    said = shop.blobs.put_text(team, error.said) if error.said else ""
    return Refusal(code=error.code, message=error.message, hint=error.hint, said=said)


def settlement(job: Job, *, spent_usd: float) -> Settlement:
    """Release what the job had reserved for its run, and book what it cost, in US dollars."""
    return Settlement(
        month=job.month,
        release_micros=job.reserved_micros,
        spend_micros=round(max(0.0, spent_usd) * MICROS),
        accounts=tuple(Account(name=name) for name in job.accounts),
    )


def believed_usd(job: Job) -> float:
    """Return what a run that ended early counts as having cost where its provider does not say, in US dollars.

    Of what was reserved, the share of the steps that it took; all of it where nobody knows how many there were to be.
    """
    progress, reserved_usd = job.progress, job.reserved_micros / MICROS
    if not progress.started_ms:
        return 0.0
    return reserved_usd * min(1.0, progress.step / progress.total_steps) if progress.total_steps else reserved_usd


def _ended(job: Job, spent_usd: float | None) -> tuple[float | None, Settlement]:
    """What is said of the cost, None where nobody knows it, and how it is booked."""
    counted_usd = believed_usd(job) if spent_usd is None else spent_usd
    is_known = spent_usd is not None or not counted_usd
    settle = dataclasses.replace(settlement(job, spent_usd=counted_usd), release_micros=job.held_micros)
    return (counted_usd if is_known else None), settle


def asked(job: Job) -> Settlement | None:
    """Return what gives back what was held for asking the model: what asking cost was booked batch by batch."""
    if not job.asking_micros:
        return None
    return dataclasses.replace(settlement(job, spent_usd=0.0), release_micros=job.asking_micros)


def fail(shop: Workshop, record: Record[Job], refusal: Refusal, *, spent_usd: float | None = 0.0) -> Record[Job]:
    """End a job as failed; the reason goes to the person who asked. `spent_usd` None: the provider does not say."""
    cost_usd, settle = _ended(record.data, spent_usd)
    return shop.store.transition(
        record,
        "failed",
        record.having(refusal=refusal, note="", cost_usd=cost_usd),
        event={"type": "JobFailed", "code": refusal.code},
        deliveries=[
            card(record.ref, channel=record.data.channel, rank=Rank.TERMINAL),
            post(record.ref, "failed", channel=record.data.channel, rank=Rank.TERMINAL),
        ],
        settle=settle,
    )


def cancelled(shop: Workshop, record: Record[Job], *, spent_usd: float | None = 0.0) -> Record[Job]:
    """End a job as cancelled; a run that had begun may have cost something. None: the provider does not say."""
    cost_usd, settle = _ended(record.data, spent_usd)
    return shop.store.transition(
        record,
        "cancelled",
        record.having(note="", cost_usd=cost_usd or None),
        event={"type": "JobCancelled"},
        deliveries=[
            card(record.ref, channel=record.data.channel, rank=Rank.TERMINAL),
            post(record.ref, "cancelled", channel=record.data.channel, rank=Rank.TERMINAL),
        ],
        settle=settle,
    )


def note(shop: Workshop, record: Record[Job], text: str) -> Record[Job]:
    """Say on the card what is being waited for; the lease is kept."""
    if record.data.note == text:
        return record
    return shop.store.transition(
        record,
        record.state,
        record.having(note=text),
        deliveries=[card(record.ref, channel=record.data.channel, rank=Rank.PROGRESS)],
        keep_lease=True,
    )
