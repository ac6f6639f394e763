"""One look at one run: what the provider says now, compared with what is recorded."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any, Final

from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from jobstore.records import Refusal
from workers.provider import ErrorKind, ProviderError, RunStatus
from workers.stages import endings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobstore.records import Job, Progress, Record
    from workers.provider import Run, RunEvent
    from workers.workshop import Workshop

TRIES_BEFORE_SAYING: Final = 3
POLL_SHARE: Final = 0.75
SILENT: Final = ProviderError(
    ErrorKind.UNSURE, "no-answer", "The provider did not answer.", "I'm looking up what became of it."
)


async def follow(shop: Workshop, record: Record[Job], *, jitter: float) -> Record[Job] | None:
    """Poll a run once and commit what changed; the record is due again by its age. Returns what was committed."""
    provider = shop.providers[record.data.request.provider]
    try:
        # given up before the lease lapses: a provider that never answers must not hold a run for long
        async with asyncio.timeout(shop.timings.lease_s * POLL_SHARE):
            if record.cancel:
                run = await provider.cancel(record.data.run)
            else:
                run = await provider.run(record.data.run)
            events = await provider.events(run.id, after=record.data.progress.last_event)
    except ProviderError as error:
        return await asyncio.to_thread(_not_answered, shop, record, error)
    except TimeoutError:
        return await asyncio.to_thread(_not_answered, shop, record, SILENT)
    reach("follow.polled")
    return await asyncio.to_thread(_commit, shop, record, run, events, jitter)


def _not_answered(shop: Workshop, record: Record[Job], error: ProviderError) -> None:
    """Try again, however long it takes: the run goes on at the provider, whether it answers us or not."""
    if error.kind is ErrorKind.MISSING and not record.data.progress.status:
        _no_such_run(shop, record)
        return
    if record.attempts >= TRIES_BEFORE_SAYING or error.is_final:
        record = endings.note(shop, record, f"{error.message} The run goes on; I keep asking.")
    shop.store.release(record, due_in_ms=shop.timings.retry_in_ms(record.attempts, error.retry_after_s))


def _no_such_run(shop: Workshop, record: Record[Job]) -> None:
    """A run that a person named, or that a lagging list showed, is not there: ask again, then ask the person."""
    if record.attempts < TRIES_BEFORE_SAYING:
        shop.store.release(record, due_in_ms=shop.timings.retry_in_ms(record.attempts))
        return
    shop.store.transition(
        record,
        "unclear",
        record.having(run="", note="The provider knows no such run."),
        event={"type": "RunUnclear"},
        deliveries=[card(record.ref, channel=record.data.channel, rank=Rank.TERMINAL)],
    )


def _commit(shop: Workshop, record: Record[Job], run: Run, events: Sequence[RunEvent], jitter: float) -> Record[Job]:
    progress = progressed(record.data.progress, run, events)
    changed = record.having(progress=progress, note="")
    match run.status:
        case RunStatus.SUCCEEDED:
            return _trained(shop, record, changed, run)
        case RunStatus.FAILED:
            seen = dataclasses.replace(record, data=changed)
            return endings.fail(
                shop, seen, _reason(shop, record.ref.team, run), spent_usd=_cost_usd(shop, changed, run) or 0.0
            )
        case RunStatus.CANCELLED:
            return endings.cancelled(shop, dataclasses.replace(record, data=changed))
        case _:
            return _going_on(shop, record, changed, run, jitter)


def _going_on(shop: Workshop, record: Record[Job], changed: Job, run: Run, jitter: float) -> Record[Job]:
    waiting = run.status is RunStatus.WAITING and record.state == "queued"
    to = "queued" if waiting else "training"
    is_new = to != record.state or changed != record.data
    return shop.store.transition(
        record,
        to,
        changed,
        event={"type": "RunStarted"} if to != record.state else None,
        deliveries=[card(record.ref, channel=changed.channel, rank=Rank.PROGRESS)] if is_new else [],
        due_in_ms=int(poll_interval_s(shop, record) * jitter * 1000),
    )


def poll_interval_s(shop: Workshop, record: Record[Job]) -> float:
    """A twentieth of the run's age, within the limits set: short runs are watched closely, long ones calmly."""
    age_s = (shop.store.now_ms() - record.data.run_created_ms) / 1000
    return max(shop.timings.poll_min_s, min(shop.timings.poll_max_s, age_s / 20))


def _trained(shop: Workshop, record: Record[Job], changed: Job, run: Run) -> Record[Job]:
    cost = _cost_usd(shop, changed, run)
    done = dataclasses.replace(
        changed, model=run.model, result_file=run.result_file, trained_tokens=run.trained_tokens, cost_usd=cost
    )
    # a provider that does not say what was trained is believed to have charged what was reserved
    spent = done.reserved_micros / 1_000_000 if cost is None else cost
    return shop.store.transition(
        record,
        "analysing",
        done,
        event={"type": "RunSucceeded", "trained_tokens": run.trained_tokens},
        deliveries=[card(record.ref, channel=done.channel, rank=Rank.PROGRESS)],
        settle=endings.settlement(done, spent_usd=spent),
    )


def _cost_usd(shop: Workshop, job: Job, run: Run) -> float | None:
    model = shop.catalogue.get(job.request.model)
    if model is None or model.training_usd_per_million is None or run.trained_tokens is None:
        return None
    return run.trained_tokens * model.training_usd_per_million / 1_000_000


def _reason(shop: Workshop, team: str, run: Run) -> Refusal:
    if not run.error_message:
        hint = "Start the job again; if it fails again, ask the provider."
        return Refusal(code=run.error_code or "run-failed", message="The provider gave no reason.", hint=hint)
    return Refusal(
        code=run.error_code or "run-failed",
        message="The provider ended the run.",
        hint="Mend what it names and start the job again.",
        said=shop.blobs.put_text(team, run.error_message[:2_000]),
    )


def progressed(before: Progress, run: Run, events: Sequence[RunEvent]) -> Progress:
    """Return the progress that the new events lead to; the same value where there is nothing new."""
    changes: dict[str, Any] = {"status": run.said}
    metrics = [event for event in events if event.step]
    if metrics:
        last = max(metrics, key=lambda event: event.step)
        first = min(metrics, key=lambda event: event.step)
        losses = [event.train_loss for event in metrics if event.train_loss is not None]
        valid = [event.valid_loss for event in metrics if event.valid_loss is not None]
        changes |= {
            "step": max(before.step, last.step),
            "total_steps": last.total_steps or before.total_steps,
            "train_loss": losses[-1] if losses else before.train_loss,
            "previous_loss": before.train_loss if before.train_loss is not None else losses[0] if losses else None,
            "valid_loss": valid[-1] if valid else before.valid_loss,
            "first_step_ms": before.first_step_ms or first.at_ms,
            "last_step_ms": last.at_ms,
        }
    if events:
        changes |= {"last_event": events[-1].id, "events": before.events + len(events)}
    return dataclasses.replace(before, **changes)
