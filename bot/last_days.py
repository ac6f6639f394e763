"""When models end, by what their providers last told and by the price table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from finetune.last_days import ending, stop_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.desk import Desk
    from finetune.catalogue import Catalogue, Model
    from jobstore.jobs import Job
    from jobstore.offers import Listing
    from jobstore.records import Record


def today_of(desk: Desk) -> date:
    """Return the day by Redis's clock."""
    return datetime.fromtimestamp(desk.store.now_ms() / 1000, UTC).date()


def listing_of(desk: Desk, provider: str) -> Listing | None:
    """Return what a provider last told of its models, None where it has told nothing lately."""
    return desk.offers.listing(provider) if desk.offers else None


def days_told(desk: Desk, provider: str) -> Mapping[str, date]:
    """Return the days on which a provider's models stop, of those that it tells one of."""
    listing = listing_of(desk, provider)
    return listing.stops if listing else {}


def catalogue_told(desk: Desk) -> Catalogue:
    """Return the price table with the days that the providers tell in place of its own."""
    told = {name: days_told(desk, name) for name in desk.providers}
    models = (_with_day(model, told.get(model.provider, {})) for model in desk.catalogue.models)
    return replace(desk.catalogue, models=tuple(models))


def _with_day(model: Model, told: Mapping[str, date]) -> Model:
    day = next((told[name] for name in (model.name, *model.aliases) if name in told), None)
    return replace(model, shutdown=day) if day else model


def stop_of_job(desk: Desk, job: Record[Job], told: Mapping[str, date] | None = None) -> date | None:
    """Return the day on which a job's model stops, or its base where there is none yet; None where nobody knows.

    `told` is `days_told` of its provider, for whoever asks about many.
    """
    request = job.data.request
    days = days_told(desk, request.provider) if told is None else told
    return stop_of(job.data.model, request.model, days, desk.catalogue)


def ending_of(desk: Desk, base: str) -> str:
    """Return what ends soon of a base model, as the end of a sentence; "" where nothing does."""
    model = desk.catalogue.get(base)
    return ending(_with_day(model, days_told(desk, model.provider)), today_of(desk)) if model else ""
