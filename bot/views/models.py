"""What models there are and when they stop; and what training the same rows costs on others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, bold, code, date, join, lines, mrkdwn
from bot.views import words
from bot.views.blocks import button, context, divider, modal, section, sections
from bot.views.message import Message, message
from finetune.last_days import SOON, distance

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bot.replacing import AccountModel, Choice, Elsewhere, OwnModel
    from bot.views.message import Block

OWN_SHOWN: Final = 15
ACCOUNT_SHOWN: Final = 25
CHOICES_SHOWN: Final = 12
ID_MAX: Final = 120
LINE_MAX: Final = 300
TRAIN_ON: Final = "train_on"
"""The button that opens the launch form on another model: its value is a record's member, a blank and the model."""

DAY_MS: Final = 86_400_000


def models_list(
    own: Sequence[OwnModel],
    account: Sequence[AccountModel],
    *,
    now_ms: int,
    today: dt.date,
    told_ms: int,
    hidden: int = 0,
) -> Message:
    """A channel's models, and to an admin the account's others; `hidden` so many are not shown to who asks.

    `told_ms`: when the providers last told what they offer, 0: not lately.
    """
    text = _headline(own, today)
    return message(
        text,
        section(text),
        *(_own(one, now_ms, today) for one in own[:OWN_SHOWN]),
        context(_more(len(own) - OWN_SHOWN)),
        *_account(account, now_ms, today),
        context(*_notes(told_ms if own or account else None, hidden)),
    )


def _headline(own: Sequence[OwnModel], today: dt.date) -> Mrkdwn:
    if not own:
        return mrkdwn("This channel has no model yet. Drop a dataset here to train one.")
    soon = sum(one.stops is not None and one.stops - today <= SOON for one in own)
    counted = words.plural(len(own), "model")
    if not soon:
        return mrkdwn("*{count}* in this channel; none that stops within {days} days.", count=counted, days=SOON.days)
    stops = "stops" if soon == 1 else "stop"
    return mrkdwn(
        "*{count}* in this channel; {soon} {stops} within {days} days.",
        count=counted,
        soon=soon,
        stops=stops,
        days=SOON.days,
    )


def _own(one: OwnModel, now_ms: int, today: dt.date) -> Block:
    job = one.job.data
    title = mrkdwn("*{model}* {title}", model=words.model_handle(one.job.ref.id), title=words.name(job.title))
    who = words.name(job.person_name) if job.person_name else ""
    facts = [words.model_name(job.request.model), who, _age(job.ready_ms, now_ms), stop_words(one.stops, today)]
    what = lines(title, join(" · ", [mrkdwn("{fact}", fact=fact) for fact in facts if fact]))
    return section(what) | ({"accessory": quote_button(one, "Quote elsewhere")} if one.stops else {})


def quote_button(one: OwnModel, label: str) -> Block:
    """Ask what the same rows cost on other models."""
    return button(label, "quote_elsewhere", one.job.ref.member)


def _account(account: Sequence[AccountModel], now_ms: int, today: dt.date) -> list[Block | None]:
    if not account:
        return []
    title = mrkdwn("*{count} in the account*", count=words.plural(len(account), "other fine-tune"))
    said = [_of_account(one, now_ms, today) for one in account[:ACCOUNT_SHOWN]]
    save = mrkdwn("{command} saves their files and figures, and quotes them elsewhere.", command=_RESCUE)
    return [divider(), section(title), *sections(said), context(_more(len(account) - ACCOUNT_SHOWN), save)]


def _of_account(one: AccountModel, now_ms: int, today: dt.date) -> Mrkdwn:
    facts = [words.model_name(one.base), _age(one.made_ms, now_ms), stop_words(one.stops, today)]
    return join(" · ", [code(one.name).clipped(ID_MAX), *(mrkdwn("{fact}", fact=fact) for fact in facts if fact)])


_RESCUE: Final = code("tuneroom rescue --out FOLDER")


def _more(count: int) -> Mrkdwn:
    return mrkdwn("And {count} more.", count=f"{count:,}") if count > 0 else EMPTY


def _notes(told_ms: int | None, hidden: int) -> list[Mrkdwn]:
    """Where the last days come from (`told_ms` is None: none are shown), and what an admin sees besides."""
    told = mrkdwn("Last days are as the provider told me on {at}.", at=date(told_ms)) if told_ms else _OF_TABLE
    told = EMPTY if told_ms is None else told
    others = words.plural(hidden, "other fine-tune", "other fine-tunes")
    return [told, mrkdwn("Admins also see {others} of the account here.", others=others) if hidden else EMPTY]


_OF_TABLE: Final = mrkdwn("Last days are those of the price table; the provider has not told me any lately.")


def _age(since_ms: int, now_ms: int) -> str:
    days = (now_ms - since_ms) // DAY_MS
    if not since_ms or days < 0:
        return ""
    return "made today" if days == 0 else f"{words.plural(days, 'day')} old"


def stop_words(stops: dt.date | None, today: dt.date) -> str:
    """Return when a model stops: "stops on 2027-01-14 (in 54 days)"; "" where nobody knows."""
    if stops is None:
        return ""
    return f"{'stopped' if stops <= today else 'stops'} on {stops} ({distance(stops, today)})"


def quote_message(found: Elsewhere, today: dt.date) -> Message:
    """What training the same rows costs elsewhere, to the person who asked."""
    return message(_quote_head(found, today), *_quote_blocks(found, today))


def quote_modal(found: Elsewhere, today: dt.date) -> Block:
    """The same as a form, for where there is no message to answer."""
    return modal("quote", "Quote elsewhere", _quote_blocks(found, today))


def _quote_blocks(found: Elsewhere, today: dt.date) -> list[Block | None]:
    shown = found.choices[:CHOICES_SHOWN]
    lasting = [one for one in shown if one.outlives]
    others = [one for one in shown if not one.outlives]
    return [
        section(_quote_head(found, today)),
        section(_NOTHING) if not shown else None,
        *(_choice(found, one) for one in lasting),
        context(_STOP_TOO) if others else None,
        *(_choice(found, one) for one in others),
        context(_more(len(found.choices) - CHOICES_SHOWN), *_terms(found)) if shown else None,
    ]


def _quote_head(found: Elsewhere, today: dt.date) -> Mrkdwn:
    subject = found.subject
    title = mrkdwn("*{title}* ({handle})", title=words.name(subject.title), handle=subject.handle)
    was = mrkdwn(" is a {base}", base=words.model_name(subject.base)) if subject.base else EMPTY
    ends = mrkdwn("; it {stops}", stops=stop_words(subject.stops, today)) if subject.stops else EMPTY
    rows = mrkdwn(
        "{rows} of {format}, {epochs}:",
        rows=words.plural(found.rows, "row"),
        format=found.format,
        epochs=words.plural(found.epochs, "epoch"),
    )
    if not found.choices:
        return mrkdwn("{title}{was}{ends}.", title=title, was=was, ends=ends)
    same = mrkdwn("The same rows elsewhere, ") if subject.base else EMPTY
    return lines(mrkdwn("{title}{was}{ends}.", title=title, was=was, ends=ends), mrkdwn("{a}{b}", a=same, b=rows))


_NOTHING: Final = mrkdwn(
    "No other model that takes new jobs takes these rows. Whoever runs me can add a provider (TUNEROOM_PROVIDER) or a"
    " price (TUNEROOM_PRICE_TABLE)."
)
_STOP_TOO: Final = mrkdwn("These stop as soon, or sooner:")


def _choice(found: Elsewhere, one: Choice) -> Block:
    facts = [
        _price(one),
        f"then {words.money(one.hosting_usd_per_hour)} an hour while it is hosted" if one.hosting_usd_per_hour else "",
        one.ends,
        "" if one.is_here else "not set up here",
    ]
    head = mrkdwn("{model} at {provider}", model=bold(words.model_name(one.model)), provider=words.name(one.provider))
    what = join(" · ", [head, *(mrkdwn("{fact}", fact=fact) for fact in facts if fact)]).clipped(LINE_MAX)
    train = button("Train…", TRAIN_ON, f"{found.subject.member} {one.model}")
    return section(what) | ({"accessory": train} if one.is_here else {})


def _price(one: Choice) -> str:
    if one.price is not None:
        return words.price(one.price.low, one.price.high)
    return f"{words.money(one.usd_per_hour)} an hour of training" if one.usd_per_hour else "price not known"


def _terms(found: Elsewhere) -> list[Mrkdwn]:
    as_of = mrkdwn("Prices of {day}.", day=found.prices_as_of)
    shown = found.choices[:CHOICES_SHOWN]
    if not any(one.is_here for one in shown):
        return [as_of, _SET_UP]
    kept = mrkdwn(" with everything else as it was") if found.subject.base else EMPTY
    return [as_of, mrkdwn("Train… opens the form{kept}; nothing starts before you confirm.", kept=kept)]


_SET_UP: Final = mrkdwn("To train there, ask whoever runs me to set that provider up (TUNEROOM_PROVIDER).")
