"""The forms: launching a job, trying a model, naming a lost run; and a job's details."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.mrkdwn import EMPTY, Mrkdwn, bold, lines, mrkdwn, prose
from bot.views import words
from bot.views.blocks import context, divider, modal, section, select, text_input
from bot.views.details import details_blocks
from bot.views.jobs import TOY_NOTE, job_title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bot.views.message import Block
    from finetune.launch import Quote
    from jobstore.records import Job, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchForm:
    """What the launch modal shows. `models` (never empty) are (id, label); texts stand in the fields as they are.

    `cap_usd` is the most the run may cost. `notice` is said above the fields, such as that the price has changed.
    """

    dataset_ref: str
    filename: str
    rows: int
    models: tuple[tuple[str, str], ...]
    model: str
    suffix: str
    epochs: str
    batch: str
    lr: str
    seed: int
    holdout_percent: int
    quote: Quote
    cap_usd: float
    notice: str
    digest: str


def launch_modal(form: LaunchForm, *, metadata: str) -> Block:
    """The launch form: the price first, the choices with values filled in, the rarely needed ones last.

    Every field's block and action are called alike; all but `model` (selected_option) answer with `value`.
    """
    return modal(
        "launch",
        "Train a model",
        [
            section(_price_line(form)),
            section(mrkdwn(":warning: {notice}", notice=prose(form.notice))) if form.notice else None,
            select("model", "Model to tune", form.models, form.model),
            text_input(
                "suffix", "Name", form.suffix, hint="Letters a to z, digits and hyphens; part of the model's id."
            ),
            text_input("epochs", "Epochs", form.epochs, hint="How often the rows are gone over: 1 to 50, or auto."),
            text_input(
                "holdout",
                "Percent of rows kept for validation",
                str(form.holdout_percent),
                hint="They are not trained on, and show whether the model learns or only memorises. 0: none.",
            ),
            divider(),
            context(mrkdwn("*Advanced.* Leave these as they are unless you know better.")),
            text_input("seed", "Seed", str(form.seed), hint="The same seed and rows give the same split."),
            text_input("batch", "Batch size", form.batch, hint="1 to 256, or auto."),
            text_input("lr", "Learning-rate multiplier", form.lr, hint="A number above 0 such as 0.5, or auto."),
            context(mrkdwn("You confirm request {digest}.", digest=form.digest[:12])) if form.digest else None,
        ],
        submit=submit_label(form.quote, form.cap_usd),
        metadata=metadata,
    )


def submit_label(quote: Quote, cap_usd: float) -> str:
    """What the button says: "Train (free)", "Train, at most $5"."""
    if quote.high_usd <= 0:
        return "Train (free)"
    label = f"Train, at most {words.dollars(cap_usd)}"
    # 24 characters: of a long amount the cents go first, rounded up so that it stays true
    return label if len(label) <= 24 else f"Train, at most ${math.ceil(cap_usd):,}"


def try_modal(
    job: Record[Job], *, prompt: str, metadata: str, temperature: str = "0", max_tokens: str = "256", notice: str = ""
) -> Block:
    """The form that puts a prompt to a job's model."""
    return modal(
        "try",
        "Try the model",
        [
            section(mrkdwn("Ask {model}, {title}.", model=_handle(job), title=job_title(job))),
            context(TOY_NOTE) if words.is_toy(job.data.request.model) else None,
            section(prose(notice)) if notice else None,
            text_input("prompt", "Prompt", prompt, multiline=True, hint="Written the way the training rows are."),
            text_input("temperature", "Temperature", temperature, hint="0 is always the same answer; up to 2."),
            text_input("max_tokens", "Most tokens to answer with", max_tokens),
        ],
        submit="Ask",
        metadata=metadata,
    )


def name_run_modal(job: Record[Job], *, metadata: str) -> Block:
    """The form that names the run whose creation's answer was lost."""
    return modal(
        "name_run",
        "Name the run",
        [
            section(mrkdwn("Which run at the provider is {title}?", title=job_title(job))),
            text_input("run", "The run's id", "", hint="As the provider's own page shows it, such as ftjob-abc123."),
        ],
        submit="Follow this run",
        metadata=metadata,
    )


def details_modal(record: Record[Job], events: Sequence[Mapping[str, Any]]) -> Block:
    """Everything that is known of a job: its request, its ids, what happened when."""
    return modal("details", f"Job {record.ref.id}", details_blocks(record, events))


def _handle(job: Record[Job]) -> Mrkdwn:
    return bold(words.model_handle(job.ref.id))


def _price_line(form: LaunchForm) -> Mrkdwn:
    quote = form.quote
    if quote.high_usd <= 0:
        return lines(mrkdwn("*Free.* Nothing is charged for this model."), _data_line(form))
    price = words.price(quote.low_usd, quote.high_usd)
    what = mrkdwn(
        "for {epochs} over {tokens} tokens",
        epochs=words.plural(quote.epochs, "epoch"),
        tokens=words.short_count(quote.tokens),
    )
    as_of = mrkdwn("Prices of {date}.", date=words.name(quote.prices_as_of)) if quote.prices_as_of else EMPTY
    return lines(
        mrkdwn("*{price}* {what}. {as_of}", price=price[:1].upper() + price[1:], what=what, as_of=as_of),
        _data_line(form),
    )


def _data_line(form: LaunchForm) -> Mrkdwn:
    return mrkdwn(
        "*{file}* ({id}), {rows}.",
        file=words.name(form.filename),
        id=words.handle(form.dataset_ref),
        rows=words.plural(form.rows, "row"),
    )
