"""From what a form or a line says to one exact request, and its price."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.choosing import (
    beta_of,
    classes_of,
    insist_on_measure,
    insist_on_own,
    insist_on_provider,
    method_of,
    positive_of,
    reinforcement_of,
    validation_of,
    wandb_of,
)
from bot.said import FieldError, Said
from finetune.errors import UserError
from finetune.graders import parse_grader
from finetune.launch import METHOD_OF_FORMAT, SEED_MAX, Quote, TrainRequest, parse_suffix, parse_whole
from finetune.parameters import parse_rate, parse_usd
from jobstore.money import MICROS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.offer import Offer, Start

CENT_MICROS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """What a launch modal carries with it: the dataset, the price that was shown, and the fields that are folded."""

    dataset: str
    shown_micros: int
    folded: bool = True
    kept: dict[str, str] = field(default_factory=dict[str, str])

    def as_text(self) -> str:
        """As Slack keeps it."""
        return json.dumps(
            {"dataset": self.dataset, "shown_micros": self.shown_micros, "folded": self.folded, "kept": self.kept}
        )

    @classmethod
    def of_text(cls, text: str) -> Memo:
        """The inverse of `as_text`."""
        return cls(**json.loads(text))

    def values(self, shown: Mapping[str, str]) -> dict[str, str]:
        """Return the whole form: what is folded away, and what the fields show."""
        return {**self.kept, **shown}


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A request, and the grader (JSON) that it names by its hash; "" where there is none.

    `asking_usd` is the most that asking the model about held-out rows may cost besides.
    """

    request: TrainRequest
    grader: str = ""
    asking_usd: float = 0.0


def launch_of(offer: Offer, values: Mapping[str, str]) -> Launch:
    """Return the exact request that a form's or a line's values mean; FieldError says which one to change."""
    said = Said(values)
    method = method_of(offer, said)
    insist_on_own(method, said)
    start = said.read("model", offer.start)
    insist_on_provider(offer, start, said)
    service = offer.service(start.provider)
    rate = said.read("lr", lambda text: parse_rate(text, service.rate))
    validation, holdout = validation_of(offer, said)
    insist_on_measure(method, validation, holdout)
    epochs = said.read("epochs", lambda text: parse_whole(text, name="epochs", low=1, high=service.epochs_max))
    quote = quote_of(offer, start, epochs)
    grader = said.read("grader", parse_grader) if method == "reinforcement" else ""
    request = TrainRequest(
        dataset=offer.dataset.ref.id,
        sha256=offer.dataset.data.sha256,
        format=str(offer.report.format),
        provider=start.provider,
        model=start.model,
        suffix=said.read("suffix", parse_suffix),
        seed=said.read("seed", lambda text: parse_whole(text, name="seed", low=0, high=SEED_MAX)) or 0,
        epochs=epochs or _own_epochs(quote),
        batch_size=said.read("batch", lambda text: parse_whole(text, name="batch size", low=1, high=256)),
        learning_rate_multiplier=rate.multiplier,
        holdout_percent=holdout,
        quote=quote,
        method=method,
        learning_rate=rate.absolute,
        beta=beta_of(method, said),
        reinforcement=reinforcement_of(grader, said) if method == "reinforcement" else None,
        validation=validation,
        parent=start.parent,
        wandb=wandb_of(offer, start, said),
        cap_usd=said.read("cap", parse_usd),
        classes=said.read("classes", lambda text: classes_of(offer, text)),
        positive=said.read("positive", lambda text: positive_of(offer, text)),
    )
    _insist_on_own_cap(request)
    is_measured = bool(request.holdout_percent or request.validation)
    return Launch(request=request, grader=grader, asking_usd=offer.asking_usd(start) if is_measured else 0.0)


def _insist_on_own_cap(request: TrainRequest) -> None:
    micros, cap = reserved_micros(request), request.cap_usd
    if cap is not None and micros > cap * MICROS:
        error = UserError(
            "over-own-cap",
            f"This run may cost ${micros / MICROS:,.2f}, more than the ${cap:,.2f} you allow.",
            "Train fewer epochs or fewer rows, or allow more.",
        )
        raise FieldError("epochs", error)


def quote_of(offer: Offer, start: Start, epochs: int | None) -> Quote:
    """Return what a run costs by today's prices; FieldError where nobody knows."""
    report, catalogue = offer.report, offer.desk.catalogue
    epochs = epochs or min(report.epochs, offer.service(start.provider).epochs_max)
    price, today = report.price_for(start.model, epochs), catalogue.as_of.isoformat()
    if price is not None and report.prices_as_of != today:
        # it was checked by another table, whose prices nobody charges any more
        method = METHOD_OF_FORMAT.get(str(report.format), "supervised")
        price = catalogue.price(start.model, report.tokens.total, epochs, method=method, exact=False)
    if price is None:
        raise FieldError("model", _no_price(offer, start))
    return Quote(
        low_usd=price.low,
        high_usd=price.high,
        epochs=epochs,
        tokens=report.tokens.total,
        prices_as_of=today,
    )


def _no_price(offer: Offer, start: Start) -> UserError:
    model = offer.desk.catalogue.get(start.model)
    if model is not None and model.training_usd_per_hour:
        return UserError(
            "price-by-the-hour",
            f"Training {start.model} is paid by the hour (${model.training_usd_per_hour:,.2f}), and nobody can say "
            "beforehand how many it takes, so I won't start it.",
            "Choose a model that is paid by the token.",
        )
    return UserError(
        "price-unknown",
        "I don't know what training this model costs, so I won't start it.",
        "Ask whoever runs me to add its price (TUNEROOM_PRICE_TABLE).",
    )


def _own_epochs(quote: Quote) -> int | None:
    """Where epochs cost money, "auto" is what was quoted: a provider left to choose could go over the price."""
    return quote.epochs if quote.high_usd > 0 else None


def reserved_micros(request: TrainRequest) -> int:
    """Return what is held back for a request, rounded up to a cent."""
    return cents_up(request.quote.high_usd)


def held_micros(launch: Launch) -> int:
    """Return all that is held back for a launch, in micro-dollars: the run, and asking its model besides."""
    return reserved_micros(launch.request) + cents_up(launch.asking_usd)


def cents_up(usd: float) -> int:
    """Return an amount in micro-dollars, rounded up to a cent; what a computer adds in writing tenths is no cent."""
    return math.ceil(round(usd * MICROS) / CENT_MICROS) * CENT_MICROS
