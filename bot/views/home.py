"""The app's Home, one person's: what they have running, their models, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.mrkdwn import Mrkdwn, code, join, lines, mrkdwn, prose
from bot.views import words
from bot.views.blocks import button, context, divider, section
from bot.views.jobs import price_words, try_button
from bot.views.models import quote_button, stop_words
from bot.views.stages import stage_short
from jobstore.states import TRAINED, UNCLEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from bot.replacing import OwnModel
    from bot.views.message import Block
    from finetune.errors import UserError
    from jobstore.jobs import Job
    from jobstore.records import Record

WAITING: Final = UNCLEAR | {"awaiting_hosting"}
"""Where whoever started a job has to say how it goes on."""

SHOWN: Final = 10
"""Of the models, of what is going on, and of what has ended: a Home may have 100 blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """A month's money in US dollars, reserved and spent together: one person's, the workspace's, and its cap."""

    mine_usd: float
    all_usd: float
    cap_usd: float


def home(
    mine: Sequence[Record[Job]], spend: Spend, stopping: Sequence[OwnModel] = (), today: date | None = None
) -> Block:
    """Return the view for views.publish; `mine` is what one person started, newest first.

    `stopping` are those of their models that stop soon after `today`, the first to stop first.
    """
    models = [job for job in mine if job.state in TRAINED]
    ended = [job for job in mine if job.at.is_final and job.state not in TRAINED]
    going = [job for job in mine if not job.at.is_final and job.state not in TRAINED]
    return _view(
        section(_headline(going, models)),
        context(_money(spend)),
        *_stopping(stopping, today),
        *_part("Going on", going),
        *_part("My models", models),
        *_part("Ended", ended),
        context(_help(has_jobs=bool(mine))),
    )


def closed_home(refusal: UserError) -> Block:
    """Return the Home of somebody who may not use the bot."""
    return _view(section(lines(prose(refusal.message), prose(refusal.hint))))


def _view(*blocks: Block | None) -> Block:
    return {"type": "home", "blocks": [block for block in blocks if block]}


def _headline(going: Sequence[Record[Job]], models: Sequence[Record[Job]]) -> Mrkdwn:
    counts = [words.plural(len(models), "model")] if models else []
    training = sum(job.state in {"queued", "training"} for job in going)
    counts += [f"{training} training"] if training else []
    asleep = sum(job.state == "asleep" for job in models)
    counts += [f"{asleep} asleep"] if asleep else []
    waiting = sum(job.state in WAITING for job in going)
    counts += [f"{waiting} waiting for you"] if waiting else []
    if others := len(going) - training - waiting:
        counts.append(f"{others} on the way")
    return mrkdwn("*{counts}.*", counts=" · ".join(counts) or "Nothing of yours is training")


def _money(spend: Spend) -> Mrkdwn:
    mine = words.dollars(spend.mine_usd)
    everybody = words.dollars(spend.all_usd)
    return mrkdwn(
        "Spent or held back this month: {mine} by you, {everybody} of {cap} by everybody here.",
        mine=mine,
        everybody=everybody,
        cap=words.dollars(spend.cap_usd),
    )


def _part(title: str, jobs: Sequence[Record[Job]]) -> Iterable[Block | None]:
    if not jobs:
        return []
    hidden = len(jobs) - SHOWN
    more = context(mrkdwn("{more} in {command}.", more=f"{hidden:,} more", command=code("/tune list")))
    heading = section(mrkdwn("*{title}*", title=title))
    return [divider(), heading, *(_line(job) for job in jobs[:SHOWN]), more if hidden > 0 else None]


def _stopping(stopping: Sequence[OwnModel], today: date | None) -> list[Block]:
    return [
        section(
            mrkdwn(
                "*{title}* ({model}) {stops}.",
                title=words.name(one.job.data.title),
                model=words.model_handle(one.job.ref.id),
                stops=stop_words(one.stops, today),
            )
        )
        | {"accessory": quote_button(one, "Quote a replacement")}
        for one in stopping[:SHOWN]
        if today
    ]


def _line(record: Record[Job]) -> Block:
    job = record.data
    parts = [
        mrkdwn("{stage}", stage=stage_short(record)),
        mrkdwn("{model}", model=words.model_name(job.request.model)),
        mrkdwn("{price}", price=price_words(job)),
    ]
    name = words.model_handle(record.ref.id) if record.state in TRAINED else record.ref.id
    title = mrkdwn("*{title}* ({name})", title=words.name(job.title), name=name)
    what = lines(title, join(" · ", parts))
    return {**section(what), "accessory": try_button(record) or button("Details", "details", record.ref.member)}


def _help(*, has_jobs: bool) -> Mrkdwn:
    known = mrkdwn("{list} in a channel shows everybody's, {help} the rest.", list=code("/tune list"), help=_HELP)
    drop = mrkdwn("Drop a dataset in a channel that I am in: I check it, quote the price and train a model on it.")
    return known if has_jobs else lines(drop, mrkdwn("{help} says what else I do.", help=_HELP))


_HELP: Final = code("/tune help")
