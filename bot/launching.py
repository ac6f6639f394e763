"""From a modal's fields to one exact request, its price and its confirmation."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from bot.views.modals import LaunchForm
from finetune.contract import PromptContract
from finetune.errors import UserError
from finetune.launch import (
    EPOCHS_MAX,
    SEED_MAX,
    Quote,
    TrainRequest,
    parse_multiplier,
    parse_suffix,
    parse_whole,
    suffix_from_filename,
)
from jobstore.deliveries import Rank, card
from jobstore.money import MICROS, CapError, Reservation
from jobstore.records import Dataset, Job, Record, Ref

if TYPE_CHECKING:
    from bot.desk import Desk
    from finetune.permissions import Person
    from finetune.report import Report

HOLDOUT_DEFAULT = 10
HOLDOUT_MIN_ROWS = 30
CENT_MICROS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """What a launch modal carries with it: the dataset, and the price that was shown."""

    dataset: str
    shown_micros: int

    def as_text(self) -> str:
        """As Slack keeps it."""
        return json.dumps({"dataset": self.dataset, "shown_micros": self.shown_micros})

    @classmethod
    def of_text(cls, text: str) -> Memo:
        """The inverse of `as_text`."""
        return cls(**json.loads(text))


class FieldError(UserError):
    """A UserError that belongs to one field of a modal."""

    def __init__(self, field: str, error: UserError) -> None:
        super().__init__(error.code, error.message, error.hint)
        self.field = field


def first_values(desk: Desk, dataset: Record[Dataset], report: Report) -> dict[str, str]:
    """Return the values that a launch modal opens with."""
    enough = report.examples >= HOLDOUT_MIN_ROWS
    return {
        "model": _models(desk, report)[0],
        "suffix": suffix_from_filename(dataset.data.filename),
        "epochs": "auto",
        "holdout": str(HOLDOUT_DEFAULT if enough else 0),
        "seed": str(int(dataset.data.sha256[:6], 16)),
        "batch": "auto",
        "lr": "auto",
    }


def request_of(desk: Desk, dataset: Record[Dataset], report: Report, values: dict[str, str]) -> TrainRequest:
    """Return the exact request that a modal's fields mean; FieldError says which one to change."""
    epochs = _field("epochs", lambda: parse_whole(values["epochs"], name="epochs", low=1, high=EPOCHS_MAX))
    holdout = _field("holdout", lambda: parse_whole(values["holdout"], name="percentage", low=0, high=50)) or 0
    _insist_on_rows(report, holdout)
    quote = _quote(report, values["model"], epochs or report.epochs)
    return TrainRequest(
        dataset=dataset.ref.id,
        sha256=dataset.data.sha256,
        format=str(report.format),
        provider=desk.provider,
        model=_field("model", lambda: _model(desk, report, values["model"])),
        suffix=_field("suffix", lambda: parse_suffix(values["suffix"])),
        seed=_field("seed", lambda: parse_whole(values["seed"], name="seed", low=0, high=SEED_MAX)) or 0,
        epochs=epochs or _own_epochs(quote),
        batch_size=_field("batch", lambda: parse_whole(values["batch"], name="batch size", low=1, high=256)),
        learning_rate_multiplier=_field("lr", lambda: parse_multiplier(values["lr"])),
        holdout_percent=holdout,
        quote=quote,
    )


def _own_epochs(quote: Quote) -> int | None:
    """Where epochs cost money, "auto" is what was quoted: a provider left to choose could go over the price."""
    return quote.epochs if quote.high_usd > 0 else None


def _field(name: str, parse: Any) -> Any:
    try:
        return parse()
    except UserError as error:
        raise FieldError(name, error) from error


def _insist_on_rows(report: Report, holdout_percent: int) -> None:
    left = report.examples - math.ceil(report.examples * holdout_percent / 100)
    if holdout_percent and left < 10:
        raise FieldError(
            "holdout",
            UserError(
                "too-few-left",
                f"That would leave {left} rows to train on, and providers want 10.",
                "Keep fewer for validation.",
            ),
        )


def _models(desk: Desk, report: Report) -> list[str]:
    """Return the models on offer that take this format and still take jobs today."""
    today = datetime.fromtimestamp(desk.store.now_ms() / 1000, UTC).date()
    known = [(name, desk.catalogue.get(name)) for name in desk.models]
    found = [name for name, model in known if model and report.format in model.formats and model.is_open(today)]
    if not found:
        raise UserError(
            "no-model-for-format",
            f"No model on offer here takes {report.format} rows.",
            "Convert the rows to chat, or ask whoever runs me to offer another model (TUNEROOM_MODELS).",
        )
    return found


def _model(desk: Desk, report: Report, name: str) -> str:
    if name not in _models(desk, report):
        raise UserError("model-not-offered", "This model is not on offer here.", "Choose one from the list.")
    return name


def _quote(report: Report, model: str, epochs: int) -> Quote:
    price = report.price_for(model, epochs)
    if price is None:
        raise FieldError(
            "model",
            UserError(
                "price-unknown",
                "I don't know what training this model costs, so I won't start it.",
                "Ask whoever runs me to add its price (TUNEROOM_PRICE_TABLE).",
            ),
        )
    return Quote(
        low_usd=price.low,
        high_usd=price.high,
        epochs=epochs,
        tokens=report.tokens.total,
        prices_as_of=report.prices_as_of,
    )


def reserved_micros(request: TrainRequest) -> int:
    """Return what is held back for a request, rounded up to a cent."""
    return math.ceil(request.quote.high_usd * MICROS / CENT_MICROS) * CENT_MICROS


def form_of(
    desk: Desk, dataset: Record[Dataset], report: Report, values: dict[str, str], *, notice: str = ""
) -> tuple[LaunchForm, Memo]:
    """Return the modal for some values, with the price for exactly them."""
    request = request_of(desk, dataset, report, values)
    micros = reserved_micros(request)
    form = LaunchForm(
        dataset_ref=dataset.ref.member,
        filename=dataset.data.filename,
        rows=report.rows,
        models=tuple((name, name) for name in _models(desk, report)),
        model=request.model,
        suffix=values["suffix"],
        epochs=values["epochs"],
        batch=values["batch"],
        lr=values["lr"],
        seed=request.seed,
        holdout_percent=request.holdout_percent,
        quote=request.quote,
        cap_usd=micros / MICROS,
        notice=notice,
        digest=request.digest(),
    )
    return form, Memo(dataset=dataset.ref.member, shown_micros=micros)


def confirm(
    desk: Desk, dataset: Record[Dataset], report: Report, request: TrainRequest, person: Person, *, once: str
) -> Ref:
    """Record a confirmed request as a job, reserving its price; UserError where a cap forbids it."""
    now_ms = desk.store.now_ms()
    team, channel = dataset.ref.team, dataset.data.channel
    month = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m")
    micros = reserved_micros(request)
    kind = "chat" if request.format == "chat" else "completion"
    contract = report.contract or PromptContract(kind=kind)
    stored, _ = desk.blobs.put(team, [msgspec.json.encode(contract)])
    job = Job(
        channel=channel,
        person=person.id,
        person_name=person.name,
        request=request,
        digest=request.digest(),
        contract=stored,
        month=month,
        confirmed_ms=now_ms,
        reserved_micros=micros,
        title=request.suffix,
        rows=report.rows,
    )
    caps = desk.caps
    try:
        ref, is_new = desk.store.record(
            team,
            job,
            dedupe=once,
            event={"type": "JobConfirmed", "person": person.id, "digest": job.digest},
            deliveries=[card("job:$ID", channel=channel, rank=Rank.MILESTONE)],
            audit={"act": "train", "person": person.id, "digest": job.digest, "micros": micros, "on": "job:$ID"},
            reserve=Reservation(
                month=month,
                micros=micros,
                run_cap_micros=round(caps.run_usd * MICROS),
                month_cap_micros=round(caps.month_usd * MICROS),
            ),
        )
    except CapError as error:
        raise over_cap(error, micros) from error
    if is_new:
        desk.doorbell.ring(ref)
    return ref


def over_cap(error: CapError, micros: int) -> UserError:
    """Return the refusal of a request that may cost `micros` micro-dollars."""
    if error.cap == "run":
        return UserError(
            "over-run-cap",
            f"This run may cost ${micros / MICROS:,.2f}, and one run may cost ${error.left_usd:,.2f} at most.",
            "Train fewer epochs or fewer rows, or ask whoever runs me to raise TUNEROOM_CAP_RUN_USD.",
        )
    return UserError(
        "over-month-cap",
        f"This run may cost ${micros / MICROS:,.2f}, and ${max(0.0, error.left_usd):,.2f} is left of this month's cap.",
        "Wait for the next month, or ask whoever runs me to raise TUNEROOM_CAP_MONTH_USD.",
    )
