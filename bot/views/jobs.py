"""The card of a job: one message at the channel's root, edited in place from the request to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, join, lines, mrkdwn
from bot.views import words
from bot.views.blocks import actions, button, confirmation, context, section
from bot.views.message import Message, message
from bot.views.stages import stage_note, stage_sentence, stage_steps
from jobstore.states import Actor

if TYPE_CHECKING:
    from bot.views.message import Block
    from jobstore.jobs import Job
    from jobstore.records import Record

TOY_NOTE: Final = mrkdwn("_Toy model: it memorises a format and knows nothing._")


def job_card(record: Record[Job], now_ms: int, *, pauses: bool = False) -> Message:
    """The job's one root message; `now_ms` is for the time left, `pauses` says whether its provider pauses runs."""
    title = job_title(record)
    sentence = stage_sentence(record, now_ms)
    return message(
        mrkdwn("{title}: {sentence}", title=title, sentence=sentence),
        section(lines(mrkdwn("{title}: {plan}", title=title, plan=plan_line(record.data)), sentence)),
        context(stage_steps(record)),
        context(stage_note(record)),
        context(_origin(record), TOY_NOTE if words.is_toy(record.data.request.model) else EMPTY),
        actions(
            try_button(record),
            details_button(record),
            pause_button(record) if pauses else None,
            cancel_button(record),
        ),
    )


def job_title(record: Record[Job]) -> Mrkdwn:
    """The job as people speak of it: "*support-bot* (j42)"."""
    return mrkdwn("*{title}* ({id})", title=words.name(record.data.title), id=record.ref.id)


def plan_line(job: Job) -> Mrkdwn:
    """What was asked for: model, rows, epochs, price."""
    request = job.request
    epochs = "epochs: auto" if request.epochs is None else words.plural(request.epochs, "epoch")
    parts = [
        words.model_name(request.model),
        words.plural(job.rows, "row") if job.rows else "",
        epochs,
        price_words(job),
    ]
    return mrkdwn("{plan}.", plan=", ".join(part for part in parts if part))


def price_words(job: Job) -> str:
    """What it cost, once that is known; before, what is expected and the most it may come to."""
    if job.cost_usd is not None:
        return "free" if job.cost_usd <= 0 else f"cost {words.money(job.cost_usd)}"
    expected = words.price(job.request.quote.low_usd, job.request.quote.high_usd)
    cap_usd = job.reserved_micros / 1_000_000
    says_more = cap_usd > job.request.quote.high_usd + 0.01  # what is reserved is the price rounded up to a cent
    return f"{expected}, at most {words.dollars(cap_usd)}" if says_more and expected != "free" else expected


def try_button(record: Record[Job]) -> Block | None:
    """Try it, once the model answers."""
    if record.state != "ready":
        return None
    return button("Try it", "try_model", record.ref.member, style="primary")


def details_button(record: Record[Job]) -> Block:
    """Details, always."""
    return button("Details", "details", record.ref.member)


def pause_button(record: Record[Job]) -> Block | None:
    """Pause a run, or let it go on; nothing while that is being done."""
    job = record.data
    if record.at.actor is not Actor.FOLLOWER or record.cancel or job.wish or job.progress.status == "pausing":
        return None
    if job.progress.status == "paused":
        return button("Resume", "resume_job", record.ref.member, style="primary")
    return button("Pause", "pause_job", record.ref.member)


def cancel_button(record: Record[Job]) -> Block | None:
    """Cancel, while there is something to cancel and nobody has yet."""
    if "cancelled" not in record.at.to or record.cancel:
        return None
    ask = confirmation(
        f"Cancel {record.ref.id}?",
        "The run is stopped at the provider. What it has trained until then may be charged, and no model is kept.",
        yes="Cancel the job",
        no="Keep it",
        style="danger",
    )
    return button("Cancel", "cancel_job", record.ref.member, style="danger", confirm=ask)


def _origin(record: Record[Job]) -> Mrkdwn:
    data = record.data
    # by name: a mention would notify, and the one who pressed the button knows
    starter = mrkdwn("started by {person}", person=words.name(data.person_name)) if data.person_name else EMPTY
    dataset = mrkdwn("dataset {dataset}", dataset=words.handle(data.request.dataset))
    return join(" · ", [dataset, starter])
