"""The one place where the parts are put together, from the settings."""

from __future__ import annotations

import functools
import math
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from finetune.catalogue import Catalogue
from finetune.errors import UserError
from finetune.permissions import Policy
from jobstore import faults
from jobstore.blobs import Blobs
from jobstore.buckets import Buckets
from jobstore.connections import connect, connect_rq
from jobstore.doorbell import Doorbell
from jobstore.offers import Offers
from jobstore.outbox import LEASE_S, Outbox
from jobstore.store import Store
from tuneroom.settings import variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.desk import Desk
    from tuneroom.settings import Account, Settings
    from workers.provider import Provider
    from workers.workshop import Workshop

SLACK_TIMEOUT_S: Final = 8
PROVIDER_TIMEOUT_S: Final = 60.0
OPENAI_URL: Final = "https://api.openai.com/v1"
DEFAULT_PROVIDER: Final = "openai"


def catalogue_of(settings: Settings) -> Catalogue:
    """Return the price table, with the operator's changes; UserError where they cannot be read."""
    if not settings.price_table:
        return Catalogue.load()
    try:
        changes = Path(settings.price_table).read_bytes()
    except OSError as error:
        raise UserError(
            "price-table-unreadable",
            f"TUNEROOM_PRICE_TABLE names {settings.price_table}, which cannot be read ({error.strerror}).",
            "Name a file that this process may read; in a container, config/NAME.json is /etc/tuneroom/NAME.json.",
        ) from error
    return Catalogue.load(changes)


def models_of(settings: Settings, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the base models on offer: the operator's list, or what the table has open at the providers."""
    for name in settings.model_names:
        if catalogue.get(name) is None:
            raise UserError(
                "model-unknown",
                f"TUNEROOM_MODELS names {name}, whose price is not in the table.",
                "Take it out, or add it by a TUNEROOM_PRICE_TABLE.",
            )
    if settings.model_names:
        return settings.model_names
    on_offer = catalogue.on_offer(datetime.now(UTC).date())
    return tuple(
        model.name
        for account in settings.accounts
        for model in on_offer
        if model.provider == account.name and "supervised" in model.methods
    )


def providers_of(settings: Settings) -> dict[str, Provider]:
    """Return the providers that there are keys for, by name."""
    return {account.name: provider_of(settings, account) for account in settings.accounts}


def provider_of(settings: Settings, account: Account, *, timeout_s: float = PROVIDER_TIMEOUT_S) -> Provider:
    """Return the adapter for a provider; only that provider's SDK is imported, which takes a second."""
    from workers.endpoint import Endpoint  # noqa: PLC0415

    if account.api_key and not account.base_url and account.name != DEFAULT_PROVIDER:
        # OpenAI's SDK would send key and rows to OpenAI
        address = address_of(settings, account)
        raise UserError("no-address", f"{address} is not set.", f"Set it to where {account.name} answers: https://…/v1")
    endpoint = Endpoint(
        name=account.name,
        api_key=account.api_key or "no-key-set",
        base_url=account.base_url or None,
        timeout_s=timeout_s,
        create_deadline_s=settings.create_deadline_s,
        part_bytes=max(1, int(settings.upload_part_mb * 1024 * 1024)),
    )
    if account.name == "together":
        from workers.together_protocol import Together  # noqa: PLC0415

        return Together(endpoint)
    from workers.openai_protocol import OpenAIProtocol  # noqa: PLC0415

    return OpenAIProtocol(endpoint)


def address_of(settings: Settings, account: Account) -> str:
    """Return the variable that holds a provider's address."""
    is_first = account == settings.accounts[0]
    return "OPENAI_BASE_URL" if is_first else variable(f"{account.name}_base_url")


def workshop(settings: Settings) -> Workshop:
    """Return what the workers and the follower work with."""
    from workers.workshop import Timings, Workshop  # noqa: PLC0415 - the workers' libraries, for the workers alone

    arm_faults(settings)
    catalogue = catalogue_of(settings)
    redis = connect(settings.redis_url)
    return Workshop(
        store=Store(redis),
        buckets=Buckets(redis),
        blobs=Blobs(settings.blob_url),
        doorbell=Doorbell(connect_rq(settings.redis_url)),
        providers=providers_of(settings),
        catalogue=catalogue,
        models=models_of(settings, catalogue),
        timings=Timings(
            lease_s=settings.lease_s,
            create_deadline_s=settings.create_deadline_s,
            lookup_grace_s=settings.lookup_grace_s,
            retry_base_s=settings.retry_base_s,
            retry_max_s=settings.retry_max_s,
            retries_max=settings.retries_max,
            poll_min_s=settings.poll_min_s,
            poll_max_s=settings.poll_max_s,
            report_silence_s=settings.report_silence_s,
            provider_calls_per_min=settings.provider_calls_per_min,
            list_from_runs=settings.list_from_runs,
            hosting_idle_s=60 * settings.hosting_idle_min,
        ),
        evaluation_rows=settings.evaluation_rows,
        evaluation_usd=settings.evaluation_usd,
        offers=Offers(redis),
    )


def desk(settings: Settings) -> Desk:
    """Return what the bot works with."""
    from bot.desk import Caps, Desk  # noqa: PLC0415 - the bot's libraries, for the bot alone

    arm_faults(settings)
    catalogue = catalogue_of(settings)
    redis = connect(settings.redis_url)
    return Desk(
        store=Store(redis),
        outbox=Outbox(redis, lease_s=min(LEASE_S, settings.lease_s)),
        blobs=Blobs(settings.blob_url),
        doorbell=Doorbell(connect_rq(settings.redis_url)),
        catalogue=catalogue,
        models=models_of(settings, catalogue),
        providers={account.name: account.base_url or OPENAI_URL for account in settings.accounts},
        policy=Policy(channels=settings.channel_ids),
        caps=Caps(
            run_usd=settings.cap_run_usd,
            month_usd=settings.cap_month_usd,
            person_usd=settings.cap_person_usd,
            channel_usd=settings.cap_channel_usd,
        ),
        max_file_bytes=settings.max_file_mb * 1024 * 1024,
        api_url=settings.slack_api_url,
        lease_s=settings.lease_s,
        slack_timeout_s=min(SLACK_TIMEOUT_S, math.ceil(settings.lease_s / 3)),
        hosting_idle_min=settings.hosting_idle_min,
        listen=lambda: connect(settings.redis_url),
        evaluation_rows=settings.evaluation_rows,
        evaluation_usd=settings.evaluation_usd,
        read_webhook=webhook_reader(settings),
        offers=Offers(redis),
    )


def webhook_reader(settings: Settings) -> Callable[[bytes, Mapping[str, str]], str] | None:
    """Return what reads the provider's webhooks, None where no secret is set for them."""
    if not settings.provider_webhook_secret:
        return None
    from workers import webhooks  # noqa: PLC0415 - the SDK takes a second to import

    return webhooks.reader(settings.provider_webhook_secret)


def arm_faults(settings: Settings) -> None:
    """Let a test strike at any fault point: it puts a file called like the point into the folder."""
    if settings.fault_folder:
        for point in faults.POINTS:
            faults.arm(point, functools.partial(_die_once, Path(settings.fault_folder) / point))


def _die_once(order: Path) -> None:
    """End this process as a power cut would, or stop it where the order says so.

    Of those who reach the point, one finds the order and takes it away.
    """
    try:
        how = order.read_text()
        order.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.Signals[how] if how else signal.SIGKILL)
