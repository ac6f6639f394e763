"""What is said of a model's host: whether to have one, how it stands, what it has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, bold, lines, mention, mrkdwn, prose
from bot.views import words
from bot.views.blocks import actions, button, context, section
from bot.views.jobs import details_button, host_button, job_title, stop_button, try_button, wake_button
from bot.views.message import Message, message
from bot.views.outcomes import ready_post
from bot.views.stages import stage_note, stage_sentence

if TYPE_CHECKING:
    from datetime import date

    from bot.views.host_offer import HostOffer
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.stays import Stay

NO_PRICE: Final = mrkdwn(
    "I don't know what that costs, so I don't offer it. Ask whoever runs me to add its price (TUNEROOM_PRICE_TABLE)."
)
_WHY: Final = {
    "idle": mrkdwn("Nobody asked it for a while."),
    "hours": mrkdwn("Its time was over."),
    "provider": mrkdwn("The provider ended its host."),
}


def hosting_post(record: Record[Job], offer: HostOffer, now_ms: int, stops: date | None = None) -> Message:
    """The one message in a job's thread on its hosting: first a question, in the end the notice. Mentions the person.

    `stops` is the day on which its base stops at the provider, and the model with it.
    """
    match record.state:
        case "awaiting_hosting":
            return _question(record, offer)
        case "hosted":
            return ready_post(record, stops)
        case "asleep":
            return _asleep(record, offer)
        case _:
            return _on_the_way(record, now_ms)


def _question(record: Record[Job], offer: HostOffer) -> Message:
    text = mrkdwn(
        "{person} {title} is trained. {terms}",
        person=mention(record.data.person), title=job_title(record), terms=_terms(offer),
    )  # fmt: skip
    host = host_button(record, offer.request, woken=False) if offer.request else None
    return message(text, section(text), actions(host, button("Keep asleep", "keep_asleep", record.ref.member)))


def _terms(offer: HostOffer) -> Mrkdwn:
    if offer.request is None:
        return mrkdwn("It answers only while it is hosted. {no_price}", no_price=NO_PRICE)
    return mrkdwn(
        "Answering costs {price}; it stops after {idle} idle minutes.",
        price=per_hour(offer.request.usd_per_hour), idle=f"{offer.idle_min:g}",
    )  # fmt: skip


def per_hour(usd: float) -> str:
    """Return a price by the hour: "$2.40/h", "nothing"."""
    return f"{words.dollars(usd)}/h" if usd > 0 else "nothing"


def _on_the_way(record: Record[Job], now_ms: int) -> Message:
    stay = record.data.open_stay
    agreed = EMPTY
    if stay is not None and record.state != "stopping":
        agreed = mrkdwn("For {most}, as {person} confirmed.", most=_most(stay), person=mention(stay.person))
    text = mrkdwn("{title}: {stage}", title=job_title(record), stage=stage_sentence(record, now_ms))
    return message(text, section(lines(text, agreed)), context(stage_note(record)), actions(stop_button(record)))


def _most(stay: Stay) -> str:
    most_usd = stay.reserved_micros / 1_000_000
    price = f"at most {words.dollars(most_usd)}" if most_usd else "free"
    return f"{words.plural(stay.hours, 'hour')}, {price}"


def _asleep(record: Record[Job], offer: HostOffer) -> Message:
    text = mrkdwn("{title} is asleep.", title=job_title(record))
    stay = record.data.stay
    why = _WHY.get(stay.why, EMPTY) if stay else EMPTY
    return message(
        text,
        section(lines(text, why, _refusal(stay), _cost(record.data))),
        actions(wake_button(record, offer), details_button(record)),
    )


def _refusal(stay: Stay | None) -> Mrkdwn:
    if stay is None or stay.refusal is None:
        return EMPTY
    return mrkdwn("{reason} {hint}", reason=prose(stay.refusal.message), hint=prose(stay.refusal.hint))


def _cost(job: Job) -> Mrkdwn:
    """What the last stay cost, and all of them where there were more."""
    stay = job.stay
    if stay is None:
        return mrkdwn("It costs nothing, and answers once it is woken.")
    if not stay.spent_micros:
        last = mrkdwn("Nothing was charged for it.")
    elif stay.began_ms:
        took = words.duration(stay.ended_ms - stay.began_ms)
        last = mrkdwn("{cost} for {took} of hosting.", cost=_usd(stay.spent_micros), took=took)
    else:
        last = mrkdwn("{cost} for hosting, as far as I know.", cost=_usd(stay.spent_micros))
    if job.hosted_micros == stay.spent_micros:
        return last
    return mrkdwn("{last} {total} in all.", last=last, total=_usd(job.hosted_micros))


def _usd(micros: int) -> str:
    return words.money(micros / 1_000_000)


def wake_offer(record: Record[Job], offer: HostOffer) -> Message:
    """What waking, or hosting, a model costs, for somebody who wants to ask it."""
    model, is_asleep = words.model_handle(record.ref.id), record.state == "asleep"
    state = "is asleep" if is_asleep else "is not hosted"
    text = mrkdwn("{model} {state}. {terms}", model=bold(model), state=state, terms=_terms(offer))
    host = host_button(record, offer.request, woken=is_asleep) if offer.request else None
    return message(text, section(text), actions(host))


def woken_post(record: Record[Job]) -> Message:
    """A model that slept answers again. Mentions the one who woke it."""
    stay = record.data.stay
    text = mrkdwn(
        "{person} {model} is awake, and answers.",
        person=mention(stay.person if stay else record.data.person), model=bold(words.model_handle(record.ref.id)),
    )  # fmt: skip
    return message(text, section(text), actions(try_button(record), stop_button(record)))


def not_hosted_post(record: Record[Job], offer: HostOffer) -> Message:
    """Why a model could not be hosted; it sleeps. Mentions the one who asked for it."""
    stay = record.data.stay
    text = mrkdwn(
        "{person} {model} could not be hosted.",
        person=mention(stay.person if stay else record.data.person), model=bold(words.model_handle(record.ref.id)),
    )  # fmt: skip
    return message(text, section(lines(text, _refusal(stay), _cost(record.data))), actions(wake_button(record, offer)))


def not_stopped_post(record: Record[Job]) -> Message:
    """A host goes on costing money, since ending it failed. Mentions the one who pays."""
    stay = record.data.stay
    cost = mrkdwn(" and still costs {price}", price=per_hour(stay.usd_per_hour)) if stay else EMPTY
    text = mrkdwn(
        "{person} {model} could not be put to sleep yet{cost}. I keep trying.",
        person=mention(stay.person if stay else record.data.person),
        model=bold(words.model_handle(record.ref.id)), cost=cost,
    )  # fmt: skip
    how = mrkdwn("If its card does not say soon that it is asleep, end its host on the provider's own page.")
    return message(text, section(lines(text, stage_note(record), how)))


def sleep_coming(record: Record[Job]) -> Message:
    """A hosted model is to be put to sleep."""
    return _said(mrkdwn("Putting {model} to sleep. Its card says when it is.", model=_model(record)))


def hosting_coming(record: Record[Job]) -> Message:
    """A host was confirmed."""
    return _said(mrkdwn("Hosting {model}. I say in its thread when it answers.", model=_model(record)))


def kept_asleep(record: Record[Job]) -> Message:
    """A model is to sleep until somebody wakes it."""
    return _said(mrkdwn("{model} sleeps, and costs nothing. Wake it whenever you want it.", model=_model(record)))


def _model(record: Record[Job]) -> Mrkdwn:
    return bold(words.model_handle(record.ref.id))


def _said(text: Mrkdwn) -> Message:
    return message(text, section(text))
