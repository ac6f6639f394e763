"""The card of a job: one message at the channel's root, edited in place from the request to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, date, join, lines, mrkdwn
from bot.views import words
from bot.views.blocks import actions, button, confirmation, context, section
from bot.views.message import Message, message
from bot.views.stages import stage_note, stage_sentence, stage_steps
from jobstore.states import ANSWERING, Actor

if TYPE_CHECKING:
    from bot.views.host_offer import HostOffer
    from bot.views.message import Block
    from finetune.hosting import HostRequest
    from jobstore.jobs import Job
    from jobstore.records import Record

DIGEST_CARRIED: Final = 24
"""How much of a digest a button carries: the rest says nothing more about which request it is."""

TOY_NOTE: Final = mrkdwn("_Toy model: it memorises a format and knows nothing._")


def job_card(record: Record[Job], now_ms: int, *, pauses: bool = False, hosting: HostOffer | None = None) -> Message:
    """The job's one root message; `now_ms` is for the time left, `pauses` says whether its provider pauses runs.

    `hosting`: the host that its model could have, where it answers only from one.
    """
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
            wake_button(record, hosting),
            stop_button(record),
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
    """What it cost, its hosting too, once that is known; before, what is expected and the most it may come to."""
    if job.cost_usd is None:
        return _expected(job)
    cost = "free" if job.cost_usd <= 0 else f"cost {words.money(job.cost_usd)}"
    return f"{cost}, hosting {words.money(job.hosted_micros / 1_000_000)}" if job.hosted_micros else cost


def _expected(job: Job) -> str:
    expected = words.price(job.request.quote.low_usd, job.request.quote.high_usd)
    cap_usd = job.reserved_micros / 1_000_000
    says_more = cap_usd > job.request.quote.high_usd + 0.01  # what is reserved is the price rounded up to a cent
    return f"{expected}, at most {words.dollars(cap_usd)}" if says_more and expected != "free" else expected


def try_button(record: Record[Job]) -> Block | None:
    """Try it, once the model answers."""
    if record.state not in ANSWERING:
        return None
    return button("Try it", "try_model", record.ref.member, style="primary")


def compare_button(record: Record[Job]) -> Block | None:
    """Compare with base, where answers can be counted: the model was asked about rows itself."""
    if record.state not in ANSWERING or record.data.evaluation is None:
        return None
    return button("Compare with base", "compare_base", record.ref.member)


def wake_button(record: Record[Job], hosting: HostOffer | None) -> Block | None:
    """Wake a model that sleeps, at a price that the button says."""
    if record.state != "asleep" or hosting is None or hosting.request is None:
        return None
    return host_button(record, hosting.request, woken=True)


def host_button(record: Record[Job], request: HostRequest, *, woken: bool) -> Block:
    """Host a model as `request` says: pressing it confirms exactly that, by its digest."""
    verb = "Wake," if woken else "Host"
    hours = f"{verb} {request.hours} h"
    label = f"{hours}, at most {words.dollars(request.most_usd)}" if request.most_usd > 0 else f"{hours} (free)"
    value = f"{request.hours}/{request.digest()[:DIGEST_CARRIED]} {record.ref.member}"
    return button(label, "host_model", value, style="primary")


def stop_button(record: Record[Job]) -> Block | None:
    """Put a hosted model to sleep before its time; nothing while its host is only just being started."""
    stay = record.data.open_stay
    if stay is None or not stay.host or "stopping" not in record.at.to:
        return None
    return button("Stop hosting", "stop_hosting", record.ref.member)


def hosted_words(record: Record[Job]) -> Mrkdwn:
    """Until when a model is hosted, and at what price; nothing where it is not."""
    stay = record.data.open_stay
    if stay is None or not stay.until_ms:
        return EMPTY
    return mrkdwn(
        "It is hosted until {until} at most, for {price} an hour. It sleeps sooner if nobody asks it.",
        until=date(stay.until_ms),
        price=words.money(stay.usd_per_hour),
    )


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
    is_free = record.data.request.quote.high_usd <= 0
    charged = "" if is_free else " What it has trained until then may be charged."
    ask = confirmation(
        f"Cancel {record.ref.id}?",
        f"The run is stopped at the provider, and no model is kept.{charged}",
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
