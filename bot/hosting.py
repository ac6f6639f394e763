"""What hosting a model would cost, and the confirmation of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.confirming import over_cap, reservation
from bot.launching import cents_up
from bot.views.host_offer import HostOffer, HostPrice
from bot.views.jobs import DIGEST_CARRIED
from finetune.errors import UserError
from finetune.hosting import HostRequest
from jobstore.hosting import WAITS, host, next_number
from jobstore.money import CapError

if TYPE_CHECKING:
    from bot.desk import Desk
    from finetune.permissions import Person
    from jobstore.jobs import Job
    from jobstore.records import Record


def is_hosted_service(desk: Desk, job: Record[Job]) -> bool:
    """Return whether a job's model answers only from a host of its own."""
    return desk.catalogue.service(job.data.request.provider).hosting == "dedicated"


def host_price(desk: Desk, provider: str, model: str) -> HostPrice | None:
    """Return what a model tuned from `model` will cost by the hour, None where it answers by itself."""
    if desk.catalogue.service(provider).hosting != "dedicated":
        return None
    return HostPrice(desk.catalogue.hosting_usd_per_hour(model, provider))


def host_offer(desk: Desk, job: Record[Job], hours: int = 1) -> HostOffer:
    """Return what hosting a job's model for some hours comes to; without a price where nobody knows it.

    What the provider's own list said last goes before the price table's figure.
    """
    request, listed = job.data.request, job.data.host_usd_per_hour
    usd = desk.catalogue.hosting_usd_per_hour(request.model, request.provider) if listed is None else listed
    if usd is None or not is_hosted_service(desk, job):
        return HostOffer(request=None, idle_min=desk.hosting_idle_min)
    exact = HostRequest(
        job=job.ref.id,
        provider=request.provider,
        model=job.data.chosen_model,
        hours=hours,
        usd_per_hour=usd,
        number=next_number(job.data),
    )
    return HostOffer(request=exact, idle_min=desk.hosting_idle_min)


def needs_waking(job: Record[Job]) -> bool:
    """Return whether a job's model would answer if somebody had it hosted."""
    return job.state in WAITS


def confirm_hosting(desk: Desk, job: Record[Job], person: Person, *, hours: int, digest: str) -> Record[Job]:
    """Record that somebody confirmed the host whose request begins with `digest`, reserving its price.

    UserError where it is another request by now, where a cap forbids it, or where the model has a host.
    """
    request = host_offer(desk, job, hours).request
    if needs_waking(job) and (request is None or request.digest()[:DIGEST_CARRIED] != digest):
        raise UserError(
            "hosting-changed",
            "What this button confirmed has changed, so I did nothing.",
            f"/tune deploy m{job.ref.id.removeprefix('j')} says what it costs now.",
        )
    if request is None:
        raise UserError("not-hosted", "This model is not hosted.", "Try /tune list.")
    reserve = reservation(desk, person.id, job.data.channel, cents_up(request.most_usd), desk.store.now_ms())
    try:
        hosted = host(desk.store, job, request, person.id, reserve)
    except CapError as error:
        raise over_cap(error, reserve.micros, reserve.month, is_host=True) from error
    desk.doorbell.ring(hosted.ref)
    return hosted
