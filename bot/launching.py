"""From what a form or a line says to one exact request, and back; and its price."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from finetune.errors import UserError
from finetune.graders import parse_grader
from finetune.launch import (
    EPOCHS_MAX,
    METHOD_OF_FORMAT,
    SEED_MAX,
    Quote,
    Reinforcement,
    TrainRequest,
    Validation,
    parse_suffix,
    parse_whole,
)
from finetune.parameters import parse_effort, parse_method, parse_number, parse_rate, parse_usd, parse_wandb
from jobstore.money import MICROS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.offer import Offer, Start
    from finetune.catalogue import Method
    from finetune.launch import Wandb

CENT_MICROS: Final = 10_000
TRAIN_MIN: Final = 10
TWO_CLASSES: Final = 2
SPLIT: Final = "split"
METHOD_WORDS: Final[dict[Method, str]] = {
    "supervised": "example (sft)",
    "dpo": "preference (dpo)",
    "reinforcement": "reinforcement (rft)",
}
FIELD_OF_KEY: Final = {"method": "model", "provider": "model", "cap": "epochs", "classes": "suffix"}
"""Where a form says what is wrong with something that it has no field for."""


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


class FieldError(UserError):
    """A UserError that belongs to one field of a modal."""

    def __init__(self, field: str, error: UserError) -> None:
        super().__init__(error.code, error.message, error.hint)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A request, and the grader (JSON) that it names by its hash; "" where there is none."""

    request: TrainRequest
    grader: str = ""


def launch_of(offer: Offer, values: Mapping[str, str]) -> Launch:
    """Return the exact request that a form's or a line's values mean; FieldError says which one to change."""
    said = _Said(values)
    _insist_on_provider(offer, said)
    method = _method(offer, said)
    start = said.read("model", offer.start)
    rate = said.read("lr", lambda text: parse_rate(text, offer.service.rate))
    validation, holdout = _validation(offer, said)
    epochs = said.read("epochs", lambda text: parse_whole(text, name="epochs", low=1, high=EPOCHS_MAX))
    quote = quote_of(offer, start, epochs)
    grader = said.read("grader", parse_grader) if method == "reinforcement" else ""
    request = TrainRequest(
        dataset=offer.dataset.ref.id,
        sha256=offer.dataset.data.sha256,
        format=str(offer.report.format),
        provider=offer.desk.provider,
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
        beta=_beta(method, said),
        reinforcement=_reinforcement(grader, said) if method == "reinforcement" else None,
        validation=validation,
        parent=start.parent,
        wandb=_wandb(offer, said),
        cap_usd=said.read("cap", parse_usd),
        classes=said.read("classes", lambda text: _classes(offer, text)),
        positive=said.read("positive", lambda text: _positive(offer, text)),
    )
    _insist_on_own_cap(request)
    return Launch(request=request, grader=grader)


@dataclass(frozen=True, slots=True)
class _Said:
    """The values as they were typed."""

    values: Mapping[str, str]

    def read(self, name: str, parse: Callable[[str], Any]) -> Any:
        try:
            return parse(self.values.get(name, ""))
        except UserError as error:
            raise FieldError(FIELD_OF_KEY.get(name, name), error) from error


def _insist_on_provider(offer: Offer, said: _Said) -> None:
    named = said.values.get("provider", "").strip().lower()
    if named and named != offer.desk.provider.lower():
        error = UserError(
            "provider-unknown", f"The provider here is {offer.desk.provider}.", "Leave provider= out, or name that one."
        )
        raise FieldError("model", error)


def _method(offer: Offer, said: _Said) -> Method:
    """The rows say how they are trained on; whoever names a method must name that one."""
    method = METHOD_OF_FORMAT.get(str(offer.report.format), "supervised")
    named: Method | None = said.read("method", parse_method) if said.values.get("method") else None
    if named and named != method:
        error = UserError(
            "method-not-for-format",
            f"{offer.report.format} rows are learnt by {METHOD_WORDS[method]}, not by {METHOD_WORDS[named]}.",
            f"{_ROWS_FOR[named]} Or leave method= out.",
        )
        raise FieldError("model", error)
    return method


_ROWS_FOR: Final[dict[Method, str]] = {
    "supervised": "Examples to learn by are chat rows, or prompts with completions.",
    "dpo": "For dpo, drop rows with input, preferred_output and non_preferred_output.",
    "reinforcement": "For rft, drop rows whose messages end with the user, with the right answer beside them.",
}


def _validation(offer: Offer, said: _Said) -> tuple[Validation | None, int]:
    """Return the dataset to measure by, or else how many percent of the rows."""
    if said.values.get("valid", "") not in {"", SPLIT}:
        other = said.read("valid", offer.validation)
        return Validation(dataset=other.ref.id, sha256=other.data.sha256), 0
    holdout = said.read("holdout", lambda text: parse_whole(text, name="percentage", low=0, high=50)) or 0
    _insist_on_rows(offer, holdout)
    return None, holdout


def _insist_on_rows(offer: Offer, holdout_percent: int) -> None:
    left = offer.report.examples - math.ceil(offer.report.examples * holdout_percent / 100)
    if holdout_percent and left < TRAIN_MIN:
        error = UserError(
            "too-few-left",
            f"That would leave {left} rows to train on, and providers want {TRAIN_MIN}.",
            "Keep fewer for validation.",
        )
        raise FieldError("holdout", error)


def _beta(method: Method, said: _Said) -> float | None:
    beta: float | None = said.read("beta", lambda text: parse_number(text, name="Beta", above=0, most=2))
    if beta is not None and method != "dpo":
        error = UserError("beta-not-for-method", "Only learning by preference (dpo) has a beta.", "Leave beta= out.")
        raise FieldError("beta", error)
    return beta


def _reinforcement(grader: str, said: _Said) -> Reinforcement:
    return Reinforcement(
        grader=hashlib.sha256(grader.encode()).hexdigest(),
        reasoning_effort=said.read("effort", parse_effort),
        compute_multiplier=said.read("compute", lambda text: parse_number(text, name="Compute", above=1e-5, most=10)),
        eval_interval=said.read("eval_every", lambda text: parse_whole(text, name="steps", low=1, high=10**6)),
        eval_samples=said.read("eval_samples", lambda text: parse_whole(text, name="samples", low=1, high=1_000)),
    )


def _wandb(offer: Offer, said: _Said) -> Wandb | None:
    wandb: Wandb | None = said.read("wandb", parse_wandb)
    if wandb is not None and not offer.service.wandb:
        error = UserError(
            "wandb-unsupported", f"{offer.desk.provider} does not report to Weights & Biases.", "Leave wandb= out."
        )
        raise FieldError("wandb", error)
    return wandb


def _classes(offer: Offer, text: str) -> int | None:
    """The number of classes, which the rows must have: otherwise some class is misspelt, or the file is another one."""
    said = parse_whole(text, name="number of classes", low=2, high=1_000)
    found = len(offer.labels)
    if said is not None and said != found:
        raise UserError(
            "classes-differ",
            f"The rows have {found or 'no'} classes, not {said}.",
            "Look for labels that are spelt in several ways, or leave classes= out.",
        )
    return said


def _positive(offer: Offer, text: str) -> int | None:
    """The place of the class that is named among the dataset's labels."""
    wanted = text.strip().casefold()
    if not wanted:
        return None
    names = [label.strip().casefold() for label in offer.labels]
    if len(names) != TWO_CLASSES or wanted not in names:
        known = ", ".join(offer.labels) if len(names) == TWO_CLASSES else "none, since there are not two classes"
        raise UserError("positive-unknown", "There is no such class to be the positive one.", f"There is {known}.")
    return names.index(wanted)


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
    """Return what a run costs; FieldError where nobody knows."""
    report = offer.report
    price = report.price_for(start.model, epochs or report.epochs)
    if price is None:
        raise FieldError("model", _no_price(offer, start))
    return Quote(
        low_usd=price.low,
        high_usd=price.high,
        epochs=epochs or report.epochs,
        tokens=report.tokens.total,
        prices_as_of=report.prices_as_of,
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
    return math.ceil(request.quote.high_usd * MICROS / CENT_MICROS) * CENT_MICROS
