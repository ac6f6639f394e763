"""hosted → stopping → asleep: a host is ended when its hours are over or nobody asks, and paid as long as it lasted.

A host that is not ended costs money for as long as it runs: a stop that fails is tried again without end, and said.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import TYPE_CHECKING, Final

from jobstore.deliveries import Rank, post
from jobstore.faults import reach
from jobstore.hosting import shown
from jobstore.money import Account, Settlement
from jobstore.refusals import Refusal
from workers.provider import HostStatus, ProviderError
from workers.stages.endings import note

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.stays import Stay
    from workers.provider import Host
    from workers.workshop import Workshop

log = logging.getLogger(__name__)
STOPPING_TAKES_MS: Final = 60_000
"""So long before the hours are over the end is begun: what was confirmed is the most it may cost."""

STOP_AGAIN: Final = 0.2
"""After this share of the longest wait between tries, a host that has not ended is told to again."""

ASKED_HASH: Final = "last-asked"
"""The look-up of when the model of a job was last asked, in ms."""

TRIES_BEFORE_SAYING: Final = 2
SILENT: Final = Refusal(
    code="host-silent",
    message="It did not answer in the time that was confirmed.",
    hint="Wake it for longer, or ask the provider how long its hosts take to start.",
)


def open_stay(record: Record[Job]) -> Stay:
    """Return the stay that a job in one of hosting's states is in."""
    stay = record.data.open_stay
    assert stay is not None, f"{record.ref.member} stands in {record.state} without a stay"
    return stay


def ends_ms(stay: Stay) -> int:
    """Return when the end of a stay is begun."""
    return stay.until_ms - STOPPING_TAKES_MS


def sleepy(shop: Workshop, record: Record[Job], why: str, refusal: Refusal | None = None) -> Record[Job]:
    """Begin to end a stay; `refusal` where it has come to nothing."""
    refusal = SILENT if why == "silent" else refusal
    stay = dataclasses.replace(open_stay(record), why=why, refusal=refusal)
    return shop.store.transition(
        record,
        "stopping",
        record.having(stay=stay, note=""),
        event={"type": "HostEnding", "why": why},
        deliveries=shown(record.ref, record.data.channel, Rank.PROGRESS),
    )


def watch(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """Look whether a hosted model is to be put to sleep, and be due again when it may be."""
    stay, now_ms = open_stay(record), shop.store.now_ms()
    idle_ms = _last_asked_ms(shop, record, stay) + int(shop.timings.hosting_idle_s * 1000)
    if now_ms >= ends_ms(stay):
        return sleepy(shop, record, "hours")
    if now_ms >= idle_ms:
        return sleepy(shop, record, "idle")
    hosting = shop.providers[record.data.request.provider].hosting
    try:
        host = hosting.host(stay.host) if hosting else None
    except ProviderError as error:
        log.info("host.not_seen", extra={"ref": record.ref.member, "code": error.code})
        host = None
    if host and host.status in {HostStatus.STOPPED, HostStatus.FAILED}:
        return sleepy(shop, record, "provider")
    due_ms = min(int(shop.timings.poll_max_s * 1000), ends_ms(stay) - now_ms, idle_ms - now_ms)
    shop.store.transition(record, "hosted", record.data, due_in_ms=max(200, due_ms))
    return None


def _last_asked_ms(shop: Workshop, record: Record[Job], stay: Stay) -> int:
    """When somebody last asked through us, or since when they could."""
    asked = shop.store.marked(record.ref.team, ASKED_HASH, record.ref.id)
    return max(int(asked or 0), stay.answers_ms)


def stop(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """End a host and settle what it cost; None where it has not ended yet."""
    hosting, stay = shop.providers[record.data.request.provider].hosting, open_stay(record)
    assert hosting is not None, f"{record.data.request.provider} hosts nothing, and {stay.host} is there"
    try:
        host, was_told = hosting.host(stay.host), False
        if host.status is not HostStatus.STOPPED and _is_time(shop, stay):
            host, was_told = hosting.stop(stay.host), True
    except ProviderError as error:
        return _not_stopped(shop, record, f"{error.message} {error.hint}")
    if host.status is HostStatus.STOPPED or (host.status is HostStatus.FAILED and was_told):
        reach("host.stopped")
        return _asleep(shop, record, stay)
    return _ending(shop, record, host, was_told=was_told)


def _is_time(shop: Workshop, stay: Stay) -> bool:
    return shop.store.now_ms() - stay.stop_ms >= shop.timings.retry_max_s * STOP_AGAIN * 1000


def _ending(shop: Workshop, record: Record[Job], host: Host, *, was_told: bool) -> None:
    """It has been told to end, and has not (yet)."""
    stay = open_stay(record)
    if was_told and stay.stop_ms:
        record = _say(shop, record, f"The provider still says {host.said or host.status.value}.")
    if was_told:
        told = dataclasses.replace(stay, stop_ms=shop.store.now_ms())
        record = shop.store.transition(record, "stopping", record.having(stay=told), keep_lease=True)
    shop.store.release(record, due_in_ms=int(shop.timings.poll_min_s * 1000))


def _not_stopped(shop: Workshop, record: Record[Job], reason: str) -> None:
    if record.attempts >= TRIES_BEFORE_SAYING:
        record = _say(shop, record, reason)
    wait_ms = min(shop.timings.retry_in_ms(record.attempts), int(shop.timings.retry_max_s * STOP_AGAIN * 1000))
    shop.store.release(record, due_in_ms=wait_ms)


def _say(shop: Workshop, record: Record[Job], reason: str) -> Record[Job]:
    """On the card, and once in the thread to the person who pays."""
    record = note(shop, record, reason)
    number = str(open_stay(record).number)
    said = post(record.ref, "not_stopped", channel=record.data.channel, rank=Rank.TERMINAL, once=number)
    return shop.store.transition(record, "stopping", record.data, deliveries=[said], keep_lease=True)


def _asleep(shop: Workshop, record: Record[Job], stay: Stay) -> Record[Job]:
    ended = dataclasses.replace(stay, ended_ms=shop.store.now_ms())
    # a host that failed before it ever answered is believed to cost nothing
    spent = 0 if stay.why == "failed" else ended.cost_micros(ended.ended_ms)
    return _slept(shop, record, dataclasses.replace(ended, spent_micros=spent))


def not_hosted(shop: Workshop, record: Record[Job], refusal: Refusal) -> Record[Job]:
    """There is no host and none was paid for: let the model sleep, and give back what was held for it."""
    stay = dataclasses.replace(open_stay(record), ended_ms=shop.store.now_ms(), why="failed", refusal=refusal)
    return _slept(shop, record, stay)


def _slept(shop: Workshop, record: Record[Job], stay: Stay) -> Record[Job]:
    job, ref = record.data, record.ref
    said = shown(ref, job.channel, Rank.TERMINAL)
    if stay.refusal is not None:
        said.append(post(ref, "not_hosted", channel=job.channel, rank=Rank.TERMINAL, once=str(stay.number)))
    return shop.store.transition(
        record,
        "asleep",
        record.having(stay=stay, hosted_micros=job.hosted_micros + stay.spent_micros, note=""),
        event={"type": "PutToSleep", "why": stay.why, "micros": stay.spent_micros},
        deliveries=said,
        settle=Settlement(
            month=stay.month,
            release_micros=stay.reserved_micros,
            spend_micros=stay.spent_micros,
            accounts=tuple(Account(name=name) for name in stay.accounts),
        ),
    )
