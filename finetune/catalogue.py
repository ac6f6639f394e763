"""The models that can be tuned: prices, contexts, tokenizers and last days, in one dated table that can be overridden.

The table is `catalogue.json` beside this module. An operator's own file has the same shape; a model that the table has
already needs only the fields that differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date  # noqa: TC003 - msgspec reads the annotations at run time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from finetune.errors import UserError
from finetune.report import FormatName, PriceRange

ESTIMATE_MARGIN = 0.15
"""How far a price may be off, either way, where the model's own way of counting cannot be had."""

EPOCHS_MAX = 50
"""More than that no provider trains."""

Usd = Annotated[float, msgspec.Meta(ge=0)]
"""A price: one below zero would give back what other runs have spent."""

Method = Literal["supervised", "dpo", "reinforcement"]
Hosting = Literal["none", "serverless", "dedicated"]
RateUnit = Literal["multiplier", "absolute"]


@dataclass(frozen=True, slots=True)
class AnswerPrice:
    """What a million tokens of prompts, and of answers, cost in US dollars."""

    prompt: float
    answer: float

    def usd(self, prompt_tokens: int, answer_tokens: int) -> float:
        """Return what so many tokens cost, in US dollars."""
        return (prompt_tokens * self.prompt + answer_tokens * self.answer) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model on offer; prices in US dollars, None where there is none of the kind.

    `encoding` counts its tokens, `exact_tokens` says whether that is the model's own tokenizer. `context` is the most
    tokens of an example that training reads. `last_job` is the last day before new jobs are refused, `shutdown` the day
    on which the model stops. `preference_usd_per_million`: where learning from preferences has a price of its own.
    Answers of a model tuned from it cost `input_usd_per_million` and `output_usd_per_million`, its own answers the
    prices that begin with `base_`.
    """

    name: str
    provider: str
    context: int
    methods: tuple[Method, ...]
    formats: tuple[FormatName, ...]
    aliases: tuple[str, ...] = ()
    training_usd_per_million: Usd | None = None
    preference_usd_per_million: Usd | None = None
    training_usd_per_hour: Usd | None = None
    hosting_usd_per_hour: Usd | None = None
    input_usd_per_million: Usd | None = None
    cached_usd_per_million: Usd | None = None
    output_usd_per_million: Usd | None = None
    base_input_usd_per_million: Usd | None = None
    base_output_usd_per_million: Usd | None = None
    encoding: Literal["o200k_base", "cl100k_base"] = "o200k_base"
    exact_tokens: bool = True
    last_job: date | None = None
    shutdown: date | None = None

    def takes(self, name: FormatName) -> bool:
        """Return whether rows of a format can be trained on, by whichever method takes them."""
        method = {"preference": "dpo", "reinforcement": "reinforcement"}.get(name)
        return name in self.formats or method in self.methods

    def usd_per_million(self, method: Method) -> float | None:
        """Return what a million trained tokens cost by a method, None where training is not paid by the token."""
        own = self.preference_usd_per_million if method == "dpo" else None
        return self.training_usd_per_million if own is None else own

    @property
    def tuned_price(self) -> AnswerPrice | None:
        """What answers of a model tuned from it cost, None where nobody knows."""
        return _answer_price(self.input_usd_per_million, self.output_usd_per_million)

    @property
    def base_price(self) -> AnswerPrice | None:
        """What its own answers cost, None where nobody knows."""
        return _answer_price(self.base_input_usd_per_million, self.base_output_usd_per_million)

    def refusal(self, name: FormatName, day: date) -> str:
        """Return why rows of a format cannot be trained on, on `day`: "" where they can."""
        if self.shutdown is not None and day >= self.shutdown:
            return f"stopped on {self.shutdown.isoformat()}"
        if not self.is_open(day):
            return f"takes no new jobs since {self.last_job.isoformat() if self.last_job else 'then'}"
        if self.takes(name):
            return ""
        if name in {"preference", "reinforcement"}:
            return f"does not learn from {name} rows"
        return f"takes {' or '.join(self.formats)} rows only" if self.formats else "is not trained by example"

    def is_open(self, day: date) -> bool:
        """Return whether a job can be started on `day`."""
        ends = [end for end in (self.last_job, self.shutdown) if end is not None]
        return all(day < end for end in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a provider can do, whichever of its models it is; a provider that the table does not name can do the least.

    `rate`: how it takes a learning rate. `continues`: whether training goes on from tuned models and checkpoints.
    `from_scratch`: its base models know nothing, so that what is good for real ones is too little for them.
    `tuned_name`: what it calls a tuned model, where `{model}` and `{suffix}` are ours and "…" is its own. `label` is
    what people call it, "" for its name; `region` where it keeps rows, "" where that is not known. `hosting`: whether
    tuned models answer by themselves ("serverless"), only from a host of their own, paid by the hour ("dedicated", for
    `hosting_usd_per_hour` where the model has no price of its own), or not before somebody deploys them there ("none").
    `epochs_max`: the most epochs that it trains.
    """

    name: str
    label: str = ""
    region: str = ""
    hosting: Hosting = "serverless"
    hosting_usd_per_hour: Usd | None = None
    rate: RateUnit = "multiplier"
    continues: bool = False
    wandb: bool = False
    pauses: bool = False
    from_scratch: bool = False
    epochs_max: int = EPOCHS_MAX
    tuned_name: str = "ft:{model}:…:{suffix}:…"

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.label or self.name


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models by name, and the day on which somebody last looked their prices up."""

    as_of: date
    models: tuple[Model, ...]
    services: tuple[Service, ...] = ()

    @classmethod
    def load(cls, override: bytes | None = None) -> Catalogue:
        """Return the table that ships, changed by an operator's JSON; UserError where that JSON is not right."""
        table = msgspec.json.decode(Path(__file__).with_suffix(".json").read_bytes())
        if override is None:
            return msgspec.convert(table, type=cls)
        try:
            return msgspec.convert(_merged(table, msgspec.json.decode(override)), type=cls)
        except (msgspec.MsgspecError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                "catalogue-invalid",
                f"The price table given does not fit: {error}.",
                'It looks like {"as_of": "2026-11-15", "models": [{"name": "my-model", "provider": "openai", '
                '"training_usd_per_million": 3, "context": 65536, "methods": ["supervised"], "formats": ["chat"]}]}.',
            ) from error

    def get(self, name: str) -> Model | None:
        """Return the model called `name`, by its full name or an alias."""
        return next((model for model in self.models if name == model.name or name in model.aliases), None)

    def service(self, provider: str) -> Service:
        """Return what a provider can do."""
        return next((service for service in self.services if service.name == provider), Service(name=provider))

    def on_offer(self, day: date | None = None) -> tuple[Model, ...]:
        """Return the models a job can be started on: on `day`, by default the day the table was made."""
        return tuple(model for model in self.models if model.is_open(day or self.as_of))

    def hosting_usd_per_hour(self, model: str, provider: str) -> float | None:
        """Return what hosting a model tuned from `model` costs an hour, None where nobody knows, or it costs nothing.

        It is the model's own price where it has one, else the service's.
        """
        service, found = self.service(provider), self.get(model)
        if service.hosting != "dedicated":
            return None
        own = found.hosting_usd_per_hour if found else None
        return service.hosting_usd_per_hour if own is None else own

    def price(
        self,
        model: str,
        tokens: int,
        epochs: int,
        *,
        method: Method = "supervised",
        exact: bool = True,
        margin: float = 0.0,
    ) -> PriceRange | None:
        """Return what training on `tokens`, each example capped at the model's context, for `epochs` costs.

        The price is tokens x epochs x the price of a token; `low` and `high` are that figure less and plus `margin`,
        the share by which the count may be off, never less than 15% where the count is not `exact` or the model's own
        tokenizer is not known. None for a model that is not in the table, or whose training is not paid by the token.
        Providers charge epochs as they run: who lets the provider choose them pays for what it chooses.
        """
        found = self.get(model)
        per_million = found.usd_per_million(method) if found else None
        if found is None or per_million is None:
            return None
        usd = tokens * epochs * per_million / 1_000_000
        off = margin if exact and found.exact_tokens else max(margin, ESTIMATE_MARGIN)
        return PriceRange(low=round(usd * (1 - off), 6), high=round(usd * (1 + off), 6))


def _answer_price(prompt: float | None, answer: float | None) -> AnswerPrice | None:
    return None if prompt is None or answer is None else AnswerPrice(prompt, answer)


def default_epochs(examples: int) -> int:
    """Return how often the provider goes over `examples` when left to choose: 3, more for few, fewer for many.

    OpenAI's rule: at least about 100 examples seen and at most 25,000, within 1 to 25 epochs. 0 without examples.
    """
    if examples == 0:
        return 0
    if examples * 3 < 100:
        return min(25, 100 // examples)
    if examples * 3 > 25_000:
        return max(1, 25_000 // examples)
    return 3


def _merged(table: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    merged = {part: _by_name(table.get(part, []), override.get(part, [])) for part in ("models", "services")}
    return {"as_of": override.get("as_of", table["as_of"]), **merged}


def _by_name(rows: list[dict[str, Any]], changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {row["name"]: row for row in rows}
    for change in changes:
        found[change["name"]] = found.get(change["name"], {}) | change
    return list(found.values())
