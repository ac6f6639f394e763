"""One look at one run: what the provider says now, compared with what is recorded."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from jobstore.deliveries import Rank, card, post
from jobstore.faults import reach
from jobstore.keys import runs_hash
from jobstore.refusals import Refusal
from jobstore.steering import PAUSED
from jobstore.store import Mark
from workers import waits
from workers.progress import expected_events, progressed
from workers.provider import ErrorKind, ProviderError, RunStatus
from workers.stages import endings
from workers.stages.lookups import counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.pace import Pace
    from workers.provider import Provider, Run, RunEvent
    from workers.roster import Roster
    from workers.workshop import Timings, Workshop

TRIES_BEFORE_SAYING: Final = 3
POLL_SHARE: Final = 0.7
PACE_SHARE: Final = 0.2
LISTED_S: Final = 300.0
"""How long a run that waits at the provider is left to the list alone."""
FIGURES_SHARE: Final = 0.5
"""Of what a provider allows, what figures of listed runs may take: the rest is for its list and for what changes."""
WIDER: Final = 5.0
"""So much wider are stretched intervals spread: thousands that a restart found due together come again one by one."""
SILENT: Final = ProviderError(
    ErrorKind.UNSURE, "no-answer", "The provider did not answer.", "I'm looking up what became of it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a provider is made with. `now_ms`: Redis's clock; `jitter` spreads the next looks."""

    roster: Roster
    pace: Pace
    now_ms: int
    jitter: float


async def follow(shop: Workshop, record: Record[Job], look: Look) -> Record[Job] | None:
    """Look at a run once and commit what changed; the record is due again by its age. Returns what was committed."""
    if record.cancel or record.data.wish:  # what the list showed before is over once the provider is told
        look.roster.forget(record.data.run)
    listed = look.roster.latest(record.data.run)
    # of a run that still waits, and whose status the list tells, there are no events worth a call
    is_waiting = listed is not None and listed.status is RunStatus.WAITING
    provider = shop.providers[record.data.request.provider]
    try:
        await _turn(shop, look, calls=(listed is None) + (not is_waiting))
        # given up before the lease lapses: a provider that never answers must not hold a run for long
        async with asyncio.timeout(shop.timings.lease_s * POLL_SHARE):
            run = listed or await _asked(provider, record)
            events = None if is_waiting else await _events(shop, provider, record.data, look)
    except ProviderError as error:
        if error.kind is ErrorKind.RETRY and error.retry_after_s:
            await look.pace.hold(error.retry_after_s)
        return await asyncio.to_thread(_not_answered, shop, record, error)
    except NoTurnError:
        await asyncio.to_thread(shop.store.release, record, due_in_ms=0)
        return None  # others had more to ask just now: it is due again at once
    except TimeoutError:
        return await asyncio.to_thread(_not_answered, shop, record, SILENT)
    reach("follow.polled")
    return await asyncio.to_thread(_commit, shop, record, _Seen(run, events, look, listed is not None))


class NoTurnError(Exception):
    """The provider's bucket did not have what a look needs in time: it is ours, and no silence of the provider's."""


async def _turn(shop: Workshop, look: Look, calls: int = 1) -> None:
    """Take what calls need from the provider's bucket; NoTurnError where that takes too long."""
    try:
        async with asyncio.timeout(shop.timings.lease_s * PACE_SHARE):
            for _ in range(calls):
                await look.pace.take()
    except TimeoutError as error:
        raise NoTurnError from error


async def _asked(provider: Provider, record: Record[Job]) -> Run:
    """Ask how the run is, or tell what a person wants of it, which is answered with how it is then."""
    if record.cancel:
        return await provider.cancel(record.data.run)
    tell = {"pause": provider.pause, "resume": provider.resume}.get(record.data.wish, provider.run)
    return await tell(record.data.run)


async def _events(shop: Workshop, provider: Provider, job: Job, look: Look) -> Sequence[RunEvent]:
    """Ask what has happened since the last look; what more calls that takes than one wait for their turn as well."""
    seen = job.progress
    expected = expected_events(seen, look.now_ms)
    turn = partial(_turn, shop, look)
    return await provider.events(job.run, since_ms=seen.seen_since_ms, expected=expected, turn=turn)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look saw. `events` None: they were not asked for, since there are none to come."""

    run: Run
    events: Sequence[RunEvent] | None
    look: Look
    is_listed: bool = False


def _not_answered(shop: Workshop, record: Record[Job], error: ProviderError) -> None:
    """Try again, however long it takes: the run goes on at the provider, whether it answers us or not."""
    if error.kind is ErrorKind.MISSING and not record.data.progress.status:
        _no_such_run(shop, record)
        return
    if error.kind is ErrorKind.MISSING and record.cancel and record.attempts >= TRIES_BEFORE_SAYING:
        endings.cancelled(shop, record, spent_usd=None)  # gone at the provider, and nobody here waits for it
        return
    if record.attempts >= TRIES_BEFORE_SAYING or error.is_final:
        record = endings.note(shop, record, f"{error.message} The run goes on; I keep asking.")
    shop.store.release(record, due_in_ms=shop.timings.retry_in_ms(record.attempts, error.retry_after_s))


def _no_such_run(shop: Workshop, record: Record[Job]) -> None:
    """A run that a person named, or that was only just made, is not there: ask again while it may yet be shown.

    Then the person is asked, with its id, and by buttons of this question's own: it may never have been unclear before.
    """
    if record.attempts < TRIES_BEFORE_SAYING or not counts(shop, record.data.run_created_ms):
        shop.store.release(record, due_in_ms=shop.timings.retry_in_ms(record.attempts))
        return
    shop.store.transition(
        record,
        "unclear",
        record.having(run="", note=f"The provider knows no run {record.data.run}."),
        event={"type": "RunUnclear"},
        deliveries=[
            card(record.ref, channel=record.data.channel, rank=Rank.TERMINAL),
            post(record.ref, "unclear", channel=record.data.channel, rank=Rank.TERMINAL, once=str(record.version)),
        ],
    )


def _commit(shop: Workshop, record: Record[Job], seen: _Seen) -> Record[Job]:
    run = seen.run
    progress = progressed(record.data.progress, run, seen.events or (), now_ms=seen.look.now_ms)
    changed = record.having(progress=progress, wish="", note=_refused_wish(record, run))
    match run.status:
        case RunStatus.SUCCEEDED:
            return _trained(shop, record, changed, run)
        case RunStatus.FAILED:
            looked = dataclasses.replace(record, data=changed)
            return endings.fail(
                shop, looked, _reason(shop, record.ref.team, run), spent_usd=_cost_usd(shop, changed, run)
            )
        case RunStatus.CANCELLED:
            stopped = dataclasses.replace(record, data=changed)
            return endings.cancelled(shop, stopped, spent_usd=_cost_usd(shop, changed, run))
        case _:
            return _going_on(shop, record, changed, seen)


def _refused_wish(record: Record[Job], run: Run) -> str:
    if record.data.wish == "pause" and run.said not in PAUSED:
        return "The provider did not pause the run."
    if record.data.wish == "resume" and run.said in PAUSED:
        return "The provider did not resume the run."
    return ""


def _going_on(shop: Workshop, record: Record[Job], changed: Job, seen: _Seen) -> Record[Job]:
    is_queued = seen.run.status is RunStatus.WAITING and record.state == "queued"
    to = "queued" if is_queued else "training"
    stuck = waits.stuck(shop.store, record, changed, is_queued=is_queued, now_ms=seen.look.now_ms)
    if stuck is not None:
        changed = dataclasses.replace(changed, stuck=stuck)
    is_new = to != record.state or _shown(changed) != _shown(record.data)
    said = [card(record.ref, channel=changed.channel, rank=Rank.PROGRESS)] if is_new else []
    if stuck is not None:
        said.append(post(record.ref, "stuck", channel=changed.channel, rank=Rank.MILESTONE, once=stuck.stage))
    return shop.store.transition(
        record,
        to,
        changed,
        event={"type": "RunStarted"}
        if to != record.state
        else {"type": "RunStuck", **asdict(stuck)}
        if stuck
        else None,
        deliveries=said,
        marks=_marks(record, changed, to),
        due_in_ms=_due_in_ms(shop, changed, seen),
    )


def _shown(job: Job) -> Job:
    """What of a job its card can show: not which events were seen last."""
    return dataclasses.replace(job, progress=dataclasses.replace(job.progress, events=0, seen=(), seen_since_ms=0))


def _marks(record: Record[Job], changed: Job, to: str) -> list[Mark]:
    """The waits that ended since the last look, kept for the runs to come, and where a run belongs."""
    over: list[Mark] = []
    progress = changed.progress
    if not record.data.progress.status:  # the first look: a webhook finds the job from now on
        over.append(Mark(hash=runs_hash(record.data.request.provider), field=changed.run, value=record.ref.id))
    if to != record.state:
        over.append(waits.kept(record, "queued", (progress.started_ms - changed.run_created_ms) / 1000))
    if progress.first_step_ms and not record.data.progress.first_step_ms:
        over.append(waits.kept(record, "starting", (progress.first_step_ms - progress.started_ms) / 1000))
    return over


def _due_in_ms(shop: Workshop, job: Job, seen: _Seen) -> int:
    timings = shop.timings
    if seen.events is None:  # the list says when its turn has come
        return int(max(timings.poll_max_s, LISTED_S) * seen.look.jitter * 1000)
    age_s = (seen.look.now_ms - job.run_created_ms) / 1000
    stretch = figures_stretch(timings, seen.look.roster.live) if seen.is_listed else 1.0
    jitter = seen.look.jitter if stretch == 1 else 1 + WIDER * (seen.look.jitter - 1)
    return int(timings.poll_interval_s(age_s) * stretch * jitter * 1000)


def figures_stretch(timings: Timings, live: int) -> float:
    """How many times longer than usual the figures of a listed run wait, where very many live.

    The list tells each status in time, however many there are. Asking for the events of each as often as for those of
    few would take more than the provider allows, and the list would wait in line with them.
    """
    allowed = timings.provider_calls_per_min / 60 * timings.poll_max_s * FIGURES_SHARE
    return max(1.0, live / allowed)


def _trained(shop: Workshop, record: Record[Job], changed: Job, run: Run) -> Record[Job]:
    cost = _cost_usd(shop, changed, run)
    done = dataclasses.replace(
        changed,
        model=run.model,
        result_file=run.result_file,
        trained_tokens=run.trained_tokens,
        trained_epochs=run.epochs,
        trained_rate=run.rate,
        cost_usd=cost,
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
    """What a run cost: as its provider says, else by what was trained and the table, else None."""
    if run.cost_usd is not None:
        return run.cost_usd
    model = shop.catalogue.get(job.request.model)
    per_million = model.usd_per_million(job.request.method) if model else None
    if per_million is None or run.trained_tokens is None:
        return None
    return run.trained_tokens * per_million / 1_000_000


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
