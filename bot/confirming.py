"""A request that a person confirmed becomes a job, its price reserved under every cap in the same script."""

from __future__ import annotations

import calendar
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from bot.launching import cents_up, reserved_micros
from finetune.contract import PromptContract
from finetune.errors import UserError
from jobstore.deliveries import Rank, card
from jobstore.jobs import Job
from jobstore.money import MICROS, Account, CapError, Reservation, channel_account, person_account

if TYPE_CHECKING:
    from bot.desk import Desk
    from bot.launching import Launch
    from bot.offer import Offer
    from finetune.permissions import Person
    from jobstore.records import Ref


def confirm(offer: Offer, launch: Launch, person: Person, *, once: str) -> Ref:
    """Record a confirmed request as a job, reserving its price; UserError where a cap forbids it.

    So it is where the same form was confirmed before, as something else: its answer was lost, and it was changed.
    """
    desk, dataset, request = offer.desk, offer.dataset, launch.request
    now_ms = desk.store.now_ms()
    team, channel = dataset.ref.team, dataset.data.channel
    if launch.grader:
        desk.blobs.put_text(team, launch.grader)
    run_micros, asking_micros = reserved_micros(request), cents_up(launch.asking_usd)
    reserve = reservation(desk, person.id, channel, run_micros + asking_micros, now_ms)
    job = Job(
        channel=channel,
        person=person.id,
        person_name=person.name,
        request=request,
        digest=request.digest(),
        contract=_contract(offer),
        month=reserve.month,
        confirmed_ms=now_ms,
        reserved_micros=run_micros,
        asking_micros=asking_micros,
        accounts=tuple(account.name for account in reserve.accounts),
        title=request.suffix,
        rows=offer.report.rows,
    )
    try:
        ref, is_new = desk.store.record(
            team,
            job,
            dedupe=once,
            event={"type": "JobConfirmed", "person": person.id, "digest": job.digest},
            deliveries=[card("job:$ID", channel=channel, rank=Rank.MILESTONE)],
            audit=_audited(job),
            reserve=reserve,
        )
    except CapError as error:
        raise over_cap(error, reserve.micros, reserve.month) from error
    if is_new:
        desk.doorbell.ring(ref)
    elif (known := desk.store.get(ref)) is not None and known.data.digest != job.digest:
        raise UserError(
            "started-already",
            f"{ref.id} was started by this form already, with what stood in it then.",
            "Close the form. If you want it otherwise, cancel that job and begin again.",
        )
    return ref


def _audited(job: Job) -> dict[str, str | int]:
    return {
        "act": "train",
        "person": job.person,
        "digest": job.digest,
        "micros": job.held_micros,
        "on": "job:$ID",
    }


def _contract(offer: Offer) -> str:
    kind = "completion" if offer.report.format == "prompt-completion" else "chat"
    contract = offer.report.contract or PromptContract(kind=kind)
    stored, _ = offer.desk.blobs.put(offer.dataset.ref.team, [msgspec.json.encode(contract)])
    return stored


def reservation(desk: Desk, person: str, channel: str, micros: int, now_ms: int) -> Reservation:
    """Return what holds `micros` micro-dollars of a person's in a channel, under the caps of the month that it is."""
    return Reservation(
        month=month_of(now_ms),
        micros=micros,
        run_cap_micros=round(desk.caps.run_usd * MICROS),
        month_cap_micros=round(desk.caps.month_usd * MICROS),
        accounts=(
            Account(name=person_account(person), cap_micros=_micros(desk.caps.person_usd)),
            Account(name=channel_account(channel), cap_micros=_micros(desk.caps.channel_usd)),
        ),
    )


def _micros(usd: float) -> int | None:
    return round(usd * MICROS) if math.isfinite(usd) else None


def month_of(at_ms: int) -> str:
    """Return the calendar month (UTC) that a moment is booked in: "2026-11"."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


def resets_on(month: str) -> str:
    """Return the day on which a month's caps begin anew: "1 December (UTC)" after "2026-11"."""
    return f"1 {calendar.month_name[int(month[-2:]) % 12 + 1]} (UTC)"


def over_cap(
    error: CapError, micros: int, month: str, *, is_host: bool = False, is_comparison: bool = False
) -> UserError:
    """Return the refusal of a run, of a model's host or of a comparison that may cost `micros` micro-dollars."""
    price = f"{_what(is_host=is_host, is_comparison=is_comparison)} may cost ${micros / MICROS:,.2f}"
    if error.cap == "run" and is_comparison:
        return UserError(
            "over-run-cap",
            f"{price}, and one comparison may cost ${error.cap_usd:,.2f} at most.",
            "Ask whoever runs me to raise TUNEROOM_CAP_RUN_USD, or to lower TUNEROOM_EVALUATION_ROWS.",
        )
    if error.cap == "run":
        return UserError(
            "over-run-cap",
            f"{price}, and one {'stay' if is_host else 'run'} may cost ${error.cap_usd:,.2f} at most.",
            f"{_LESS[is_host]}, or ask whoever runs me to raise TUNEROOM_CAP_RUN_USD.",
        )
    whose, setting = _WHOSE[error.cap]
    return UserError(
        f"over-{error.cap}-cap",
        f"{price}, and ${max(0.0, error.left_usd):,.2f} is left of {whose} of ${error.cap_usd:,.2f}.",
        f"It begins anew on {resets_on(month)}. Or ask whoever runs me to raise {setting}.",
    )


def _what(*, is_host: bool, is_comparison: bool) -> str:
    if is_comparison:
        return "Comparing them"
    return "Hosting it" if is_host else "This run"


_LESS = {False: "Train fewer epochs or fewer rows", True: "Host it for fewer hours"}
_WHOSE = {
    "month": ("this month's cap", "TUNEROOM_CAP_MONTH_USD"),
    "person": ("your cap for this month", "TUNEROOM_CAP_PERSON_USD"),
    "channel": ("this channel's cap for this month", "TUNEROOM_CAP_CHANNEL_USD"),
}
