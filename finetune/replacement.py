"""Where the same rows could be trained instead: every model that takes them, with its price, the best choice first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from finetune.launch import METHOD_OF_FORMAT

if TYPE_CHECKING:
    from datetime import date

    from finetune.catalogue import Catalogue, Model
    from finetune.report import PriceRange, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A model to train the same rows on. `price` is None where training is not paid by the token.

    `outlives`: it is there for longer than the model it would replace, as far as is known. `hosting_usd_per_hour`: what
    its answers cost besides, where it must be hosted to give any and that price is known.
    """

    model: Model
    price: PriceRange | None
    epochs: int
    outlives: bool
    hosting_usd_per_hour: float | None = None


def replacements(
    report: Report,
    catalogue: Catalogue,
    day: date,
    *,
    base: str = "",
    epochs: int | None = None,
    stops: date | None = None,
) -> list[Replacement]:
    """Return the models that a job with a report's rows can be started on, on `day`.

    `base` is what the model to be replaced was tuned from, "" where there is none: what begins from nothing takes the
    place of nothing that did not. `stops` is when it stops, None where it does not or nobody knows. `epochs` None: as
    many as the report assumes. First come those that outlive it; among those, and among the others, the cheapest first.
    """
    name = report.format
    if name is None or not report.examples:
        return []
    count = epochs or report.epochs
    found = [
        Replacement(
            model=model,
            price=_price(report, catalogue, model, count),
            epochs=count,
            outlives=stops is None or model.shutdown is None or model.shutdown > stops,
            hosting_usd_per_hour=catalogue.hosting_usd_per_hour(model.name, model.provider),
        )
        for model in catalogue.models
        if model.refusal(name, day) == "" and _compares(catalogue, model, base)
    ]
    return sorted(found, key=_place)


def _compares(catalogue: Catalogue, model: Model, base: str) -> bool:
    """A toy that memorises a format is cheap, and takes the place of toys only."""
    old = catalogue.get(base)
    is_of_a_toy = old is not None and catalogue.service(old.provider).from_scratch
    return not base or is_of_a_toy or not catalogue.service(model.provider).from_scratch


def _price(report: Report, catalogue: Catalogue, model: Model, epochs: int) -> PriceRange | None:
    """The report's own price, which caps each example at the model's context; else one from all tokens, as a range."""
    known = report.price_for(model.name, epochs) if report.epochs else None
    method = METHOD_OF_FORMAT.get(str(report.format), "supervised")
    return known or catalogue.price(model.name, report.tokens.total, epochs, method=method, exact=False)


def _place(one: Replacement) -> tuple[bool, float, str]:
    return not one.outlives, one.price.high if one.price else math.inf, one.model.name
