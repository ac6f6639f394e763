"""What a person decides about a model's host: to have one, to let the model sleep, to end one before its time."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from jobstore.deliveries import Rank, Shape, card, post
from jobstore.states import TRAINED
from jobstore.stays import Stay
from jobstore.store import StaleError

if TYPE_CHECKING:
    from finetune.hosting import HostRequest
    from jobstore.deliveries import Delivery
    from jobstore.jobs import Job
    from jobstore.money import Reservation
    from jobstore.records import Record, Ref
    from jobstore.store import Store

TRIES: Final = 8
WAITS: Final = frozenset({"awaiting_hosting", "asleep"})
"""Where a model may be given a host."""

CHANGED: Final = UserError(
    "hosting-changed", "This has changed meanwhile, so I did nothing.", "Look at the job's card, and choose there."
)


def shown(ref: Ref, channel: str, rank: Rank) -> list[Delivery]:
    """The job's card, and the one message in its thread that says how its hosting stands."""
    return [card(ref, channel=channel, rank=rank), post(ref, "hosting", channel=channel, rank=rank, kind=Shape.CARD)]


def host(store: Store, record: Record[Job], request: HostRequest, person: str, reserve: Reservation) -> Record[Job]:
    """Record that a person confirmed a stay, its price reserved under every cap in the same script.

    UserError where the model has a host already or the request is not the next stay's; CapError where it costs too
    much. Of a confirmation that comes twice, the second changes nothing.
    """
    job, ref = record.data, record.ref
    if record.state not in WAITS or request.number != next_number(job):
        raise _not_now(record)
    stay = Stay(
        number=request.number,
        person=person,
        digest=request.digest(),
        hours=request.hours,
        usd_per_hour=request.usd_per_hour,
        month=reserve.month,
        confirmed_ms=store.now_ms(),
        reserved_micros=reserve.micros,
        accounts=tuple(account.name for account in reserve.accounts),
        woken=record.state == "asleep",
    )
    audit = {"act": "host", "person": person, "digest": stay.digest, "micros": reserve.micros, "on": ref.member}
    try:
        return store.transition(
            record,
            "deploying",
            record.having(stay=stay, note=""),
            event={"type": "HostingConfirmed", "person": person, "digest": stay.digest, "hours": stay.hours},
            deliveries=shown(ref, job.channel, Rank.MILESTONE),
            audit=audit,
            reserve=reserve,
        )
    except StaleError as error:
        raise CHANGED from error


def next_number(job: Job) -> int:
    """Return which stay the next one would be."""
    return job.stay.number + 1 if job.stay else 1


def keep_asleep(store: Store, record: Record[Job], person: str) -> Record[Job]:
    """Let a model that has never had a host sleep; it can be woken whenever somebody wants it."""
    job, ref = record.data, record.ref
    if record.state != "awaiting_hosting":
        raise _not_now(record)
    try:
        return store.transition(
            record,
            "asleep",
            record.having(note=""),
            event={"type": "KeptAsleep", "person": person},
            deliveries=shown(ref, job.channel, Rank.MILESTONE),
            audit={"act": "keep-asleep", "person": person, "on": ref.member},
        )
    except StaleError as error:
        raise CHANGED from error


def put_to_sleep(store: Store, record: Record[Job], person: str) -> Record[Job]:
    """End a stay before its time. A worker may write the record at the same moment: then it is read anew."""
    for _ in range(TRIES):
        stay = _insist_on_host(record)
        try:
            return store.transition(
                record,
                "stopping",
                record.having(stay=dataclasses.replace(stay, why="person"), note=""),
                event={"type": "SleepRequested", "person": person},
                deliveries=shown(record.ref, record.data.channel, Rank.MILESTONE),
                audit={"act": "stop-hosting", "person": person, "on": record.ref.member},
            )
        except StaleError:
            now = store.get(record.ref)
            if now is None:
                break
            record = now
    raise UserError("busy", "The job is changing too quickly just now.", "Try again in a minute.")


def _insist_on_host(record: Record[Job]) -> Stay:
    stay = record.data.stay
    if record.state == "deploying" and stay is not None and not stay.host:
        raise UserError("host-not-there", "Its host is only just being started.", "Try again in a minute.")
    if stay is None or "stopping" not in record.at.to:
        raise _not_now(record)
    return stay


def _not_now(record: Record[Job]) -> UserError:
    name = "m" + record.ref.id.removeprefix("j")
    if record.state in WAITS:
        return CHANGED
    if record.state == "stopping":
        return UserError("going-to-sleep", f"{name} is being put to sleep.", "Its card says when it sleeps.")
    if record.data.stay is not None and record.state not in {*TRAINED, "deleting", "deleted"}:
        return UserError("hosted-already", f"{name} is being hosted already.", "Its card says how it goes.")
    if record.state == "hosted":
        return UserError("hosted-already", f"{name} is hosted already.", "Its card says until when.")
    return UserError("not-hosted", f"{name} has no host, and waits for none.", "Try /tune list.")
