"""A channel's models and the account's, when they stop, and where their rows could be trained instead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from bot.last_days import catalogue_told, days_told, stop_of_job, today_of
from bot.rendering import report_of
from bot.views import words
from finetune.errors import UserError
from finetune.last_days import ending, stop_of
from finetune.replacement import replacements
from jobstore.blobs import BlobMissingError
from jobstore.records import Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bot.desk import Desk
    from finetune.replacement import Replacement
    from finetune.report import PriceRange, Report
    from jobstore.jobs import Job
    from jobstore.offers import Tuned
    from jobstore.records import Dataset, Record

JOBS_MAX: Final = 200
"""So many of a channel's newest jobs are looked through for models."""

DELETED: Final = frozenset({"deleting", "deleted"})


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A model that a job of ours left, and the day it stops, None where nobody knows one."""

    job: Record[Job]
    stops: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountModel:
    """A fine-tuned model of a provider's account, whoever made it. `made_ms`: since 1970, 0 where that is not told."""

    name: str
    base: str
    provider: str
    made_ms: int
    stops: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model that the rows could be trained on. `ends`: what of it ends soon. `is_here`: it can be launched here.

    `hosting_usd_per_hour` is what its answers cost beside the training, where it must be hosted.
    """

    model: str
    provider: str
    price: PriceRange | None
    usd_per_hour: float | None
    ends: str
    outlives: bool
    is_here: bool
    hosting_usd_per_hour: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose rows are quoted: the record, as a button names it, and what people call it; `base` "" for a dataset."""

    member: str
    handle: str
    title: str
    base: str = ""
    stops: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What training the same rows costs on other models: first those that outlive the old one, then the others."""

    subject: Subject
    rows: int
    format: str
    epochs: int
    prices_as_of: str
    choices: tuple[Choice, ...]


def own_models(desk: Desk, team: str, channel: str) -> list[OwnModel]:
    """Return the models of a channel, what stops first first, then the newest."""
    jobs = desk.store.listed(team, Kind.JOB, channel, JOBS_MAX)
    return with_stops(desk, [job for job in jobs if has_model(job)])


def has_model(job: Record[Job]) -> bool:
    """Whether a job's model is there, answering or not."""
    return bool(job.data.model) and job.state not in DELETED


def with_stops(desk: Desk, jobs: Collection[Record[Job]]) -> list[OwnModel]:
    """Return jobs' models with the days they stop on, what stops first first."""
    told = {name: days_told(desk, name) for name in {job.data.request.provider for job in jobs}}
    found = [OwnModel(job, stop_of_job(desk, job, told[job.data.request.provider])) for job in jobs]
    return sorted(found, key=lambda one: one.stops or date.max)


def account_models(desk: Desk, team: str) -> list[AccountModel]:
    """Return the accounts' fine-tuned models that no job of ours made, as the providers last told them.

    Those of our jobs belong to their channels, and other channels do not learn of them.
    """
    if desk.offers is None:
        return []
    ours = {job.data.model for job in desk.store.newest(team, Kind.JOB)}
    found: list[AccountModel] = []
    for provider in desk.providers:
        listing, runs = desk.offers.listing(provider), desk.offers.own_runs(team, provider)
        others = [one for one in (listing.tuned if listing else ()) if one.run not in runs and one.model not in ours]
        found += [_of_account(desk, provider, one, listing.stops) for one in others if listing]
    return sorted(found, key=lambda one: (one.stops or date.max, -one.made_ms))


def _of_account(desk: Desk, provider: str, one: Tuned, told: Mapping[str, date]) -> AccountModel:
    return AccountModel(
        name=one.model,
        base=one.base,
        provider=provider,
        made_ms=one.finished_ms or one.created_ms,
        stops=stop_of(one.model, one.base, told, desk.catalogue),
    )


def elsewhere_of_job(desk: Desk, job: Record[Job]) -> Elsewhere:
    """Return what a job's rows cost on every other model there is; UserError where they are gone."""
    data, request = job.data, job.data.request
    report = _report(desk, job.ref.id, desk.store.get(Ref(job.ref.team, Kind.DATASET, request.dataset)))
    stops, epochs = stop_of_job(desk, job), request.epochs or data.trained_epochs
    today, catalogue = today_of(desk), catalogue_told(desk)
    found = replacements(report, catalogue, today, base=request.model, epochs=epochs, stops=stops)
    handle = words.model_handle(job.ref.id) if has_model(job) else job.ref.id
    subject = Subject(member=job.ref.member, handle=handle, title=data.title, base=request.model, stops=stops)
    return _elsewhere(desk, subject, report, [one for one in found if one.model.name != request.model])


def elsewhere_of_dataset(desk: Desk, dataset: Record[Dataset]) -> Elsewhere:
    """Return what a dataset costs on every model there is; UserError where it cannot be trained on."""
    if dataset.state != "accepted":
        hint = "Its report says what to mend."
        raise UserError("not-accepted", f"{dataset.ref.id} cannot be trained on as it is.", hint)
    report = _report(desk, dataset.ref.id, dataset)
    subject = Subject(member=dataset.ref.member, handle=dataset.ref.id, title=dataset.data.filename)
    return _elsewhere(desk, subject, report, replacements(report, catalogue_told(desk), today_of(desk)))


def _report(desk: Desk, asked: str, dataset: Record[Dataset] | None) -> Report:
    try:
        report = report_of(desk, dataset) if dataset else None
    except BlobMissingError:
        report = None
    if report is None:
        hint = "Drop the file here once more: its report has the prices."
        raise UserError("dataset-gone", f"The rows of {asked} are no longer kept.", hint)
    return report


def _elsewhere(desk: Desk, subject: Subject, report: Report, found: list[Replacement]) -> Elsewhere:
    return Elsewhere(
        subject=subject,
        rows=report.rows,
        format=str(report.format),
        epochs=found[0].epochs if found else report.epochs,
        prices_as_of=desk.catalogue.as_of.isoformat(),
        choices=tuple(_choice(desk, one) for one in found),
    )


def _choice(desk: Desk, one: Replacement) -> Choice:
    model = one.model
    return Choice(
        model=model.name,
        provider=desk.catalogue.service(model.provider).shown,
        price=one.price,
        usd_per_hour=model.training_usd_per_hour,
        ends=ending(model, today_of(desk)),
        outlives=one.outlives,
        is_here=model.name in desk.models,
        hosting_usd_per_hour=one.hosting_usd_per_hour,
    )
