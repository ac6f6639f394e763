"""The launch form: the price first, the few choices that matter, the rest folded away; and what is not offered, why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, bold, code, join, lines, mrkdwn, prose
from bot.views import words
from bot.views.blocks import (
    actions,
    button,
    context,
    divider,
    grouped_select,
    live,
    modal,
    section,
    select,
    text_input,
)
from finetune.catalogue import EPOCHS_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.views.host_offer import HostPrice
    from bot.views.message import Block
    from finetune.catalogue import Method, RateUnit
    from finetune.launch import Quote

METHODS: Final[dict[Method, Mrkdwn]] = {
    "supervised": EMPTY,
    "dpo": mrkdwn("Learns by preference (DPO), since each row has a preferred answer and another."),
    "reinforcement": mrkdwn("Learns by reinforcement: a grader scores its answers."),
}
NOT_OFFERED_SHOWN: Final = 6
FOLDED: Final = ("seed", "batch", "lr", "positive", "wandb", "effort", "compute", "eval_every", "eval_samples")
"""The fields that "Advanced" shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchForm:
    """What the launch modal shows. `values` stand in the fields as they are.

    `starts` (never empty) are (id, label) by the name of the provider, and `provider` and `region` those of the chosen.
    `quote` is None where the values have no price, and `notice` says why; it also says that the price has changed.
    `cap_usd` is the most the run may cost. `validations` are other datasets to measure by, as (id, label).
    `not_offered` are (model, why). `advice` is a sentence on the values chosen. `classes` are those of rows with two.
    `hosting` is what the model costs by the hour afterwards, None where it answers by itself. Asking it about
    `asking_rows` held-out rows may cost `asking_usd` besides; 0: nothing.
    """

    dataset_ref: str
    filename: str
    rows: int
    method: Method
    starts: Mapping[str, Sequence[tuple[str, str]]]
    values: Mapping[str, str]
    name_preview: str
    quote: Quote | None
    cap_usd: float
    notice: str = ""
    advice: str = ""
    digest: str = ""
    validations: tuple[tuple[str, str], ...] = ()
    rate: RateUnit = "multiplier"
    epochs_max: int = EPOCHS_MAX
    wandb: bool = False
    provider: str = ""
    region: str = ""
    not_offered: tuple[tuple[str, str], ...] = ()
    folded: bool = True
    classes: tuple[str, ...] = ()
    hosting: HostPrice | None = None
    asking_usd: float = 0.0
    asking_rows: int = 0


def launch_modal(form: LaunchForm, *, metadata: str) -> Block:
    """The launch form. Every field's block and action are called alike; a change of the `live` ones asks for the price.

    All but the selects answer with `value`.
    """
    return modal(
        "launch",
        "Train a model",
        [
            section(_price_line(form)),
            section(mrkdwn(":warning: {notice}", notice=prose(form.notice))) if form.notice else None,
            context(METHODS[form.method]),
            live(grouped_select("model", "Model to tune", form.starts, form.values.get("model", ""))),
            context(prose(form.advice)) if form.advice else None,
            live(_text(form, "suffix", "Name", "Letters a to z, digits and hyphens; part of the model's id.")),
            context(mrkdwn("The model will be called {name}.", name=code(form.name_preview))),
            live(_text(form, "epochs", "Epochs", f"How often the rows are seen: 1 to {form.epochs_max}, or auto.")),
            *_method_fields(form),
            *_validation_fields(form),
            context(_asking(form)) if form.asking_usd else None,
            divider(),
            *(_unfold() if form.folded else _advanced(form)),
            context(mrkdwn("You confirm request {digest}.", digest=form.digest[:12])) if form.digest else None,
        ],
        submit=submit_label(form.quote, form.cap_usd),
        metadata=metadata,
    )


def _text(form: LaunchForm, name: str, label: str, hint: str, *, multiline: bool = False) -> Block:
    return text_input(name, label, form.values.get(name, ""), hint=hint, multiline=multiline)


def _method_fields(form: LaunchForm) -> list[Block]:
    if form.method == "dpo":
        hint = "How strongly it is held to what it was before: above 0 and at most 2, or auto."
        return [_text(form, "beta", "Beta", hint)]
    if form.method == "reinforcement":
        hint = "exact:answer, contains:answer or similar:answer compare with the column answer; or a grader as JSON."
        return [_text(form, "grader", "Grader", hint, multiline=True)]
    return []


def _validation_fields(form: LaunchForm) -> list[Block | None]:
    chosen = form.values.get("valid", "")
    known = {value for value, _ in form.validations}
    own = ("split", "Some rows of this file")
    choice = live(select("valid", "Validation", [own, *form.validations], chosen)) if form.validations else None
    hint = "They are not trained on, and show whether the model learns or only memorises. 0: none."
    percent = _text(form, "holdout", "Percent of rows kept for validation", hint)
    return [choice, None if chosen in known else percent]


def _asking(form: LaunchForm) -> Mrkdwn:
    return mrkdwn(
        "Once trained, it is asked about {rows} of these rows at most, for {usd} at most, beside the price above.",
        rows=f"{form.asking_rows:,}",
        usd=words.dollars(form.asking_usd),
    )


def _unfold() -> list[Block | None]:
    return [
        actions(button("Advanced…", "launch_unfold", "launch")),
        context(mrkdwn("Seed, batch size, learning rate and more. They are fine as they are.")),
    ]


def _advanced(form: LaunchForm) -> list[Block | None]:
    is_absolute = form.rate == "absolute"
    return [
        context(mrkdwn("*Advanced.* Leave these as they are unless you know better.")),
        _text(form, "seed", "Seed", "The same seed and rows give the same split."),
        _text(form, "batch", "Batch size", "1 to 256, or auto."),
        _text(form, "lr", "Learning rate", "Such as 2e-5, or auto.")
        if is_absolute
        else _text(form, "lr", "Learning-rate multiplier", "x0.5 for half of the usual rate, or auto."),
        _positive(form),
        *(_reinforcement_fields(form) if form.method == "reinforcement" else []),
        _optional(_text(form, "wandb", "Weights & Biases", "project, team/project or team/project/run-name, #tags."))
        if form.wandb
        else None,
        context(*_limits(form)),
    ]


def _positive(form: LaunchForm) -> Block | None:
    if not form.classes:
        return None
    hint = "The one that precision and recall are of. Empty: the rarer one."
    return _optional(_text(form, "positive", "Positive class", hint))


def _reinforcement_fields(form: LaunchForm) -> list[Block]:
    return [
        _text(form, "effort", "Reasoning effort", "low, medium or high; or auto."),
        _text(form, "compute", "Compute multiplier", "Above 0 and at most 10, or auto."),
        _text(form, "eval_every", "Steps between evaluations", "1 or more, or auto."),
        _text(form, "eval_samples", "Evaluation samples an item", "1 or more, or auto."),
    ]


def _limits(form: LaunchForm) -> list[Mrkdwn]:
    """What cannot be had here, and why."""
    said = [
        mrkdwn("{model} {why}", model=words.model_name(model), why=why)
        for model, why in form.not_offered[:NOT_OFFERED_SHOWN]
    ]
    models = mrkdwn("Not offered: {said}.", said=join("; ", said)) if said else EMPTY
    provider = words.name(form.provider)
    wandb = EMPTY if form.wandb else mrkdwn("{provider} does not report to Weights &amp; Biases.", provider=provider)
    return [models, wandb]


def _optional(block: Block) -> Block:
    return {**block, "optional": True}


def submit_label(quote: Quote | None, cap_usd: float) -> str:
    """What the button says: "Train (free)", "Train, at most $5"."""
    if quote is None:
        return "Train"
    if quote.high_usd <= 0:
        return "Train (free)"
    label = f"Train, at most {words.dollars(cap_usd)}"
    # 24 characters: of a long amount the cents go first, rounded up so that it stays true
    return label if len(label) <= 24 else f"Train, at most ${math.ceil(cap_usd):,}"


def _price_line(form: LaunchForm) -> Mrkdwn:
    quote, hosted = form.quote, hosting_line(form.hosting)
    if quote is None:
        return lines(mrkdwn("*No price yet.*"), hosted, _data_line(form))
    if quote.high_usd <= 0:
        free = mrkdwn("*Free.* Nothing is charged for {what}.", what="training" if form.hosting else "this model")
        return lines(free, hosted, _data_line(form))
    price = words.price(quote.low_usd, quote.high_usd)
    what = mrkdwn(
        "for {epochs} over {tokens} tokens",
        epochs=words.plural(quote.epochs, "epoch"),
        tokens=words.short_count(quote.tokens),
    )
    as_of = mrkdwn("Prices of {date}.", date=words.name(quote.prices_as_of)) if quote.prices_as_of else EMPTY
    return lines(
        mrkdwn("{price} {what}. {as_of}", price=bold(price[:1].upper() + price[1:]), what=what, as_of=as_of),
        hosted,
        _data_line(form),
    )


def hosting_line(hosting: HostPrice | None) -> Mrkdwn:
    """What comes after the training where a model answers only from a host; nothing where it answers by itself."""
    if hosting is None:
        return EMPTY
    if hosting.usd_per_hour is None:
        return mrkdwn("Then it answers only while it is hosted, by the hour, at a price that I don't know.")
    return mrkdwn("Then {price}/h while it is hosted; I ask before that.", price=words.dollars(hosting.usd_per_hour))


def _data_line(form: LaunchForm) -> Mrkdwn:
    where = f"{form.provider} ({form.region})" if form.region else form.provider
    return mrkdwn(
        "*{file}* ({id}), {rows}. Your rows go to {where}.",
        where=words.name(where),
        file=words.name(form.filename),
        id=words.handle(form.dataset_ref),
        rows=words.plural(form.rows, "row"),
    )
