"""deploying → probing | stopping | unclear_host | asleep: exactly one host for one confirmed stay (promise 4).

As with a run: the intent is recorded before the POST and looked up before it, the first time too. Once a POST may have
gone out, only a look-up that finds the host, or a person, moves the job on. Nobody waits for a host: it is looked at
when it is due.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from jobstore.deliveries import Rank, post
from jobstore.faults import reach
from jobstore.hosting import shown
from jobstore.intents import Intent, intent_id
from jobstore.refusals import Refusal
from jobstore.store import StaleError
from workers.provider import ErrorKind, HostStatus, ProviderError
from workers.stages.endings import note
from workers.stages.hosting_end import ends_ms, not_hosted, open_stay, sleepy
from workers.stages.lookups import WAITING, counts, wait_for_grace

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.stays import Stay
    from workers.provider import Host, Hosting
    from workers.workshop import Workshop

PENNY_USD: Final = 0.01
NO_HOSTING: Final = Refusal(
    code="no-hosting", message="This provider hosts no models any more.", hint="Ask whoever runs me about it."
)
NO_SUCH_HOST: Final = "The provider knows no such host, or it has ended."


def needs_host(shop: Workshop, job: Job) -> bool:
    """Return whether a job's model answers only from a host of its own."""
    name = job.request.provider
    return shop.catalogue.service(name).hosting == "dedicated" and shop.providers[name].hosting is not None


def listed_usd(shop: Workshop, job: Job) -> float | None:
    """Return what hosting a job's model costs an hour by the provider's own list, None where it does not say (now)."""
    hosting = shop.providers[job.request.provider].hosting
    try:
        return hosting.usd_per_hour(job.chosen_model) if hosting else None
    except ProviderError:
        return None


def deploy(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """Adopt the host that this intent made, or make it; None where it is still starting, or the outcome is unknown."""
    hosting, stay = shop.providers[record.data.request.provider].hosting, open_stay(record)
    if hosting is None:
        return end_badly(shop, record, NO_HOSTING)
    if stay.host:
        return _silent(shop, record) or _seen(shop, record, hosting.host(stay.host))
    intent = stay.intent or _intent(record)
    if (host := hosting.find(intent.id)) is not None:
        return _seen(shop, record, host)
    if intent.posted_ms:
        return _still_missing(shop, record, intent)
    listed = hosting.usd_per_hour(record.data.chosen_model)
    if listed is not None and listed > stay.usd_per_hour + PENNY_USD / 2:
        dearer = dataclasses.replace(record, data=record.having(host_usd_per_hour=listed))
        return not_hosted(shop, dearer, _dearer(stay, listed))
    return _post(shop, record, hosting, intent)


def _intent(record: Record[Job]) -> Intent:
    stay = open_stay(record)
    return Intent(id=intent_id(record.ref, stay.digest, confirmed_ms=stay.confirmed_ms, number=stay.intents))


def _dearer(stay: Stay, usd: float) -> Refusal:
    return Refusal(
        code="host-price",
        message=f"The provider asks ${usd:,.2f} an hour now, and ${stay.usd_per_hour:,.2f} was confirmed.",
        hint="Wake it at the new price, if you agree to it.",
    )


def _post(shop: Workshop, record: Record[Job], hosting: Hosting, intent: Intent) -> Record[Job] | None:
    posting = Intent(id=intent.id, posted_ms=shop.store.now_ms())
    stay = dataclasses.replace(open_stay(record), intent=posting, began_ms=posting.posted_ms)
    record = shop.store.transition(
        record, "deploying", record.having(stay=stay), event={"type": "HostIntended"}, keep_lease=True
    )
    reach("host.intended")
    # a process that was stopped in between has lost its lease, and others have looked the host up in vain since
    if not shop.store.renew(record, int(shop.timings.lease_s * 1000)):
        raise StaleError(f"{record.ref.member}: the lease was lost before the request went out")
    try:
        host = hosting.deploy(record.data.chosen_model, posting.id, idle_s=shop.timings.hosting_idle_s)
    except ProviderError as error:
        if error.kind is ErrorKind.UNSURE:
            return wait_for_grace(shop, note(shop, record, WAITING.format(what="host")), posting.posted_ms)
        # refused, or never sent: there is no host, and the intent may be tried again
        back = dataclasses.replace(stay, intent=Intent(id=intent.id), began_ms=0)
        shop.store.transition(record, "deploying", record.having(stay=back), keep_lease=True)
        raise
    reach("host.posted")
    return _seen(shop, record, host)


def _still_missing(shop: Workshop, record: Record[Job], intent: Intent) -> Record[Job] | None:
    if not counts(shop, intent.posted_ms):
        return wait_for_grace(shop, note(shop, record, WAITING.format(what="host")), intent.posted_ms)
    return _unclear(shop, record, once=intent.id)


def _unclear(shop: Workshop, record: Record[Job], *, once: str, said: str = "") -> Record[Job]:
    """Put it before the person who asked. A host that they named and that is none is forgotten again."""
    stay = dataclasses.replace(open_stay(record), host="", said="")
    return shop.store.transition(
        record,
        "unclear_host",
        record.having(stay=stay, note=said),
        event={"type": "HostUnclear"},
        deliveries=[
            *shown(record.ref, record.data.channel, Rank.TERMINAL),
            post(record.ref, "unclear", channel=record.data.channel, rank=Rank.TERMINAL, once=once),
        ],
    )


def _silent(shop: Workshop, record: Record[Job]) -> Record[Job] | None:
    """Its hours are over before it has ever answered."""
    stay = open_stay(record)
    return sleepy(shop, record, "silent") if shop.store.now_ms() >= ends_ms(stay) else None


def _seen(shop: Workshop, record: Record[Job], host: Host) -> Record[Job] | None:
    """The provider has the host: go on by how it is."""
    before = open_stay(record)
    posted_ms = before.intent.posted_ms if before.intent else 0
    stay = dataclasses.replace(
        before,
        host=host.id,
        model=host.model,
        said=host.said or host.status.value,
        told_usd_per_hour=host.usd_per_hour,
        # as early as it can have been: where nobody knows better, it is paid since the request
        began_ms=before.began_ms or posted_ms or before.confirmed_ms,
    )
    looked = dataclasses.replace(record, data=record.having(stay=stay, note=""))
    if host.usd_per_hour is not None and host.usd_per_hour > before.usd_per_hour + PENNY_USD / 2:
        return sleepy(shop, looked, "price", _dearer(before, host.usd_per_hour))
    match host.status:
        case HostStatus.ANSWERING:
            return _probing(shop, looked)
        case HostStatus.FAILED:
            return sleepy(shop, looked, "failed", _failed(host))
        case HostStatus.STOPPED if before.host and not before.said:
            return _unclear(shop, record, once=f"{host.id}-{record.version}", said=NO_SUCH_HOST)
        case HostStatus.STOPPED:
            return sleepy(shop, looked, "provider", ENDED_EARLY)
        case _:
            return _starting(shop, looked, is_new=not before.host)


ENDED_EARLY: Final = Refusal(
    code="host-ended", message="The provider ended its host before it answered.", hint="Wake it again."
)


def _failed(host: Host) -> Refusal:
    said = f' (it says "{host.said[:80]}")' if host.said else ""
    return Refusal(
        code="host-failed",
        message=f"The provider could not start its host{said}.",
        hint="The model itself is kept. Wake it again later, or ask the provider.",
    )


def _probing(shop: Workshop, record: Record[Job]) -> Record[Job]:
    return shop.store.transition(
        record,
        "probing",
        record.having(probe_since_ms=shop.store.now_ms()),
        event={"type": "HostStarted"},
        deliveries=shown(record.ref, record.data.channel, Rank.PROGRESS),
    )


def _starting(shop: Workshop, record: Record[Job], *, is_new: bool) -> None:
    stay = open_stay(record)
    age_s = (shop.store.now_ms() - stay.began_ms) / 1000
    shop.store.transition(
        record,
        "deploying",
        record.data,
        event={"type": "HostCreated", "host": stay.host} if is_new else None,
        deliveries=shown(record.ref, record.data.channel, Rank.PROGRESS) if is_new else [],
        due_in_ms=int(shop.timings.poll_interval_s(age_s) * 1000),
    )


def end_badly(shop: Workshop, record: Record[Job], refusal: Refusal) -> Record[Job] | None:
    """The provider will not host it, or does not answer for good: it sleeps where surely nothing is paid for."""
    stay = open_stay(record)
    if stay.host:  # it costs money: look again, for as long as it takes
        record = note(shop, record, f"{refusal.message} {refusal.hint}")
        shop.store.release(record, due_in_ms=int(shop.timings.poll_max_s * 1000))
        return None
    if stay.intent and stay.intent.posted_ms:
        return _unclear(shop, record, once=stay.intent.id, said=refusal.message)
    return not_hosted(shop, record, refusal)
