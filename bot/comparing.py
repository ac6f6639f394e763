"""Comparing a model with its base or with another one: which rows, what it may cost, and the confirmation of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from bot.asking import insist_on_ready
from bot.confirming import over_cap, reservation
from bot.launching import cents_up
from bot.replacing import account_models, has_model
from finetune.comparison_request import CompareRequest, most_usd
from finetune.contract import PromptContract
from finetune.errors import UserError
from jobstore.blobs import BlobMissingError
from jobstore.comparisons import BASE, Comparison, Side
from jobstore.deliveries import Rank, card
from jobstore.money import CapError
from jobstore.questions import answers_of, questions_before, questions_of
from jobstore.states import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.desk import Desk
    from finetune.held_out import HeldOutRow
    from finetune.permissions import Person
    from jobstore.jobs import Job
    from jobstore.questions import Questions
    from jobstore.records import Record, Ref

LOOKED_THROUGH: Final = 100
"""So many of a channel's newest comparisons are looked through for the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOffer:
    """A comparison that could be confirmed; `before` is the same one, where it goes on or is made already."""

    job: Record[Job]
    request: CompareRequest
    comparison: Comparison
    before: Record[Comparison] | None = None


def compare_offer(desk: Desk, job: Record[Job], person: Person, against: str, old: Record[Job] | None) -> CompareOffer:
    """Return what comparing a job's model comes to: with its base, with `old`'s model, or with one of the account.

    `against` is "base", the job of `old`, or the provider's name of the model. UserError where it cannot be compared.
    """
    questions = _questions(desk, job)
    tuned = _own_side(desk, job, questions)
    other = _own_side(desk, old, questions) if old else _other_side(desk, job, against, questions)
    plan, _ = desk.blobs.put(job.ref.team, [msgspec.json.encode(questions.plan)])
    request = CompareRequest(
        job=job.ref.id,
        against=against,
        tuned=tuned.model,
        other=other.model,
        plan=plan,
        tuned_rows=len(questions.plan.rows) - tuned.known_rows,
        other_rows=len(questions.plan.rows) - other.known_rows,
        tuned_usd=tuned.most_usd,
        other_usd=other.most_usd,
        prices_as_of=desk.catalogue.as_of.isoformat(),
    )
    before = _before(desk, job, request)
    if before is not None and before.at.is_final and (before.state == "failed" or before.data.stopped):
        request, before = dataclasses.replace(request, after=before.ref.id), None
    comparison = Comparison(
        channel=job.data.channel,
        person=person.id,
        job=job.ref.id,
        against=against,
        digest=request.digest(),
        month="",
        confirmed_ms=0,
        reserved_micros=cents_up(request.most_usd),
        plan=plan,
        rows=len(questions.plan.rows),
        tuned=tuned,
        other=other,
        source=questions.source,
    )
    return CompareOffer(job=job, request=request, comparison=comparison, before=before)


def _questions(desk: Desk, job: Record[Job]) -> Questions:
    """The rows, frozen ones where there are any; UserError where there is nothing to count."""
    if not desk.evaluation_rows:
        raise UserError(
            "comparing-off",
            "I am set up to ask models no rows, so I compare none.",
            "Ask whoever runs me to raise TUNEROOM_EVALUATION_ROWS.",
        )
    if not has_model(job):
        insist_on_ready(job)
    try:
        found = questions_before(desk.blobs, job)
        found = found or questions_of(desk.store, desk.blobs, job, limit=desk.evaluation_rows)
    except BlobMissingError:
        found = None
    if found is None:
        model = _handle(job)
        raise UserError(
            "nothing-to-count",
            f"There are no rows left to compare {model} on: none were kept out of training, or none of them has one"
            " right answer.",
            f"Ask both the same yourself: /tune try {model}",
        )
    return found


def _handle(job: Record[Job]) -> str:
    return "m" + job.ref.id.removeprefix("j")


def _own_side(desk: Desk, job: Record[Job], questions: Questions) -> Side:
    """A model that a job of ours made. UserError where it would have to be asked, and does not answer."""
    known = answers_of(desk.blobs, job)
    missing = [row for row in questions.plan.rows if row not in known]
    if missing:
        insist_on_ready(job)
    data = job.data
    side = Side(
        job=job.ref.id,
        model=data.answering,
        provider=data.request.provider,
        base=data.request.model,
        contract=data.contract,
        most_usd=0.0,
        known_rows=len(questions.plan.rows) - len(missing),
    )
    return _priced(desk, job, side, questions, missing, is_hosted=data.open_stay is not None)


def _other_side(desk: Desk, job: Record[Job], against: str, questions: Questions) -> Side:
    """A base model, or a model of the account that no job of ours made: asked as the tuned one is."""
    data, rows = job.data, questions.plan.rows
    if against == BASE:
        name, base, provider = data.request.model, data.request.model, data.request.provider
    else:
        found = next((one for one in account_models(desk, job.ref.team) if one.name == against), None)
        if found is None:
            raise UserError(
                "model-unknown",
                "I know no such model.",
                f"/tune compare {_handle(job)} compares with the base; with=m3 with another model of this channel.",
            )
        name, base, provider = found.name, found.base, found.provider
    side = Side(job="", model=name, provider=provider, base=base, contract=data.contract, most_usd=0.0)
    return _priced(desk, job, side, questions, rows)


def _priced(
    desk: Desk,
    job: Record[Job],
    side: Side,
    questions: Questions,
    rows: Sequence[HeldOutRow],
    *,
    is_hosted: bool = False,
) -> Side:
    """The side with the most that asking it may cost; what runs on a host of its own is paid by the hour."""
    if not rows or is_hosted:
        return side
    found = desk.catalogue.get(side.base)
    price = (found.base_price if side.is_base else found.tuned_price) if found else None
    contract = PromptContract.from_json(desk.blobs.read(job.ref.team, side.contract))
    most = most_usd(price, contract, rows, questions.plan.max_tokens)
    if most is None:
        raise UserError(
            "price-unknown",
            f"I don't know what answers of {side.base or side.model} cost, so I don't ask it.",
            f"Ask whoever runs me to add {PRICES[side.is_base]} (TUNEROOM_PRICE_TABLE).",
        )
    return dataclasses.replace(side, most_usd=most)


PRICES: Final = {
    True: "base_input_usd_per_million and base_output_usd_per_million",
    False: "input_usd_per_million and output_usd_per_million",
}
"""The fields of the table that say what answers cost: of the model itself, and of one that was tuned from it."""


def _before(desk: Desk, job: Record[Job], request: CompareRequest) -> Record[Comparison] | None:
    """The latest comparison of the same models on the same rows, or None."""
    same = (request.job, request.against, request.tuned, request.other, request.plan)
    listed: list[Record[Comparison]] = desk.store.listed(
        job.ref.team, Kind.COMPARISON, job.data.channel, LOOKED_THROUGH
    )
    return next((one for one in listed if _of(one.data) == same), None)


def _of(data: Comparison) -> tuple[str, str, str, str, str]:
    return data.job, data.against, data.tuned.model, data.other.model, data.plan


def confirm_comparison(desk: Desk, offer: CompareOffer) -> tuple[Ref, bool]:
    """Record a comparison that somebody confirmed, its price reserved under every cap.

    Return where it is, and whether it is new. UserError where a cap forbids it.
    """
    now_ms = desk.store.now_ms()
    data = offer.comparison
    reserve = reservation(desk, data.person, data.channel, data.reserved_micros, now_ms)
    accounts = tuple(account.name for account in reserve.accounts)
    data = dataclasses.replace(data, month=reserve.month, confirmed_ms=now_ms, accounts=accounts)
    said = card("comparison:$ID", channel=data.channel, rank=Rank.MILESTONE, parent=f"card:{offer.job.ref.member}")
    try:
        ref, is_new = desk.store.record(
            offer.job.ref.team,
            data,
            dedupe=f"compare:{data.digest}",
            event={"type": "ComparisonConfirmed", "person": data.person, "digest": data.digest},
            deliveries=[said],
            audit=_audited(data),
            reserve=reserve,
        )
    except CapError as error:
        raise over_cap(error, reserve.micros, reserve.month, is_comparison=True) from error
    if is_new:
        desk.doorbell.ring(ref)
    return ref, is_new


def _audited(data: Comparison) -> dict[str, str | int]:
    return {
        "act": "compare",
        "person": data.person,
        "digest": data.digest,
        "micros": data.reserved_micros,
        "on": "comparison:$ID",
    }
