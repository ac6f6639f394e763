"""A job in full: the request as it was confirmed, the provider's ids, the last of what happened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bot.mrkdwn import EMPTY, Mrkdwn, clip, code, date, lines, mention, mrkdwn
from bot.views import words
from bot.views.blocks import context, divider, section, sections
from bot.views.chosen import chosen_facts
from bot.views.jobs import job_title, price_words
from bot.views.stages import stage_note, stage_short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.views.message import Block
    from jobstore.jobs import Job
    from jobstore.records import Record

EVENTS_SHOWN: Final = 15
ID_MAX: Final = 150
EVENT_MAX: Final = 250
_EVENT_FACTS: Final = {
    "verdict": "{}", "rows": "{} rows", "run": "{}", "host": "{}", "hours": "{} h", "why": "{}",
    "code": "{}", "tokens": "{} tokens", "trained_tokens": "{} tokens trained",
}  # fmt: skip
"""What is told of an event beside its name, and how."""
_EVENT_NAMES: Final = {"RunIntended": "Run asked for", "DatasetReceived": "File received"}
"""Events whose names say less to a reader than to a programmer."""


def details_blocks(record: Record[Job], events: Sequence[Mapping[str, Any]], now_ms: int) -> list[Block | None]:
    """The blocks of a job's details at a moment, for a modal or a message. `events`: oldest first, with `at_ms`."""
    head = mrkdwn("{title}: {stage}.", title=job_title(record), stage=stage_short(record))
    return [
        section(head),
        context(stage_note(record)),
        *sections(_fact(label, value) for label, value in _facts(record.data, now_ms) if value),
        divider(),
        *sections(events_lines(events)),
    ]


def events_lines(events: Sequence[Mapping[str, Any]]) -> list[Mrkdwn]:
    """The last events, newest last, one a line with its time."""
    earlier = len(events) - EVENTS_SHOWN
    shown = [_event(event) for event in events[-EVENTS_SHOWN:]]
    return [mrkdwn("_{earlier} earlier._", earlier=earlier), *shown] if earlier > 0 else shown


def _fact(label: str, value: str | Mrkdwn) -> Mrkdwn:
    return mrkdwn("*{label}:* {value}", label=label, value=value)


def _hosting(job: Job, now_ms: int) -> Mrkdwn:
    """What a host costs by now, and what was agreed; of earlier stays, what they came to."""
    stay = job.open_stay
    if stay is None:
        return mrkdwn("{cost} so far", cost=_usd(job.hosted_micros)) if job.hosted_micros else EMPTY
    return mrkdwn(
        "{cost} by now, at most {most} until {until}; confirmed by {person}, request {digest}",
        cost=_usd(job.hosted_micros + stay.cost_micros(now_ms)),
        most=_usd(job.hosted_micros + stay.reserved_micros),
        until=date(stay.until_ms) if stay.until_ms else mrkdwn("its end"),
        person=mention(stay.person),
        digest=code(stay.digest[:12]),
    )


def _usd(micros: int) -> str:
    return words.money(micros / 1_000_000)


def _facts(job: Job, now_ms: int) -> list[tuple[str, str | Mrkdwn]]:
    return [
        *chosen_facts(job.request),
        ("Rows", f"{job.rows:,}" if job.rows else ""),
        ("Price", price_words(job)),
        ("Hosting", _hosting(job, now_ms)),
        ("Tokens trained", f"{job.trained_tokens:,}" if job.trained_tokens else ""),
        ("Confirmed", _confirmed(job)),
        ("Run at the provider", _id(job.run)),
        ("Training file", _id(job.train_file)),
        ("Validation file", _id(job.valid_file)),
        ("Model at the provider", _id(job.model)),
        ("Checkpoints", _checkpoints(job)),
        ("Reason", _reason(job)),
    ]


def _checkpoints(job: Job) -> str:
    return ", ".join(f"step {point.step:,}" for point in job.checkpoints)


def _id(text: str) -> Mrkdwn:
    return code(text).clipped(ID_MAX) if text else EMPTY


def _confirmed(job: Job) -> Mrkdwn:
    digest = code(job.digest[:12])
    if not job.confirmed_ms:
        return digest
    return mrkdwn("{at} by {who}, request {digest}", at=date(job.confirmed_ms), who=mention(job.person), digest=digest)


def _reason(job: Job) -> Mrkdwn:
    if job.refusal is None:
        return EMPTY
    text = mrkdwn("{message} {hint}", message=job.refusal.message, hint=job.refusal.hint)
    return lines(text.clipped(1_000), mrkdwn("({code})", code=words.name(job.refusal.code)))


def _event(event: Mapping[str, Any]) -> Mrkdwn:
    type_ = words.name(str(event.get("type", "event")))
    kind = _EVENT_NAMES.get(type_) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type_).capitalize()
    found = [said.format(_figure(event[name])) for name, said in _EVENT_FACTS.items() if event.get(name)]
    facts = mrkdwn(": {facts}", facts=clip(", ".join(found), 100)) if found else EMPTY
    person = event.get("person")
    who = mrkdwn(" by {person}", person=mention(words.name(str(person)))) if person else EMPTY
    at_ms = event.get("at_ms")
    when = mrkdwn("{at}: ", at=date(int(at_ms))) if at_ms else EMPTY
    text = mrkdwn("{when}{kind}{who}{facts}", when=when, kind=kind, who=who, facts=facts)
    return text.clipped(EVENT_MAX)


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
