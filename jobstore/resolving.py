"""What a person decides about a run or a host whose creation's outcome is unknown (docs/architecture.md, promise 4).

Of a host there are the same three ways out, and none of them is a failed job: its run is paid for.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from jobstore.deliveries import Rank, card, post
from jobstore.hosting import shown
from jobstore.money import Account, Settlement
from jobstore.refusals import Refusal
from jobstore.states import UNCLEAR
from jobstore.store import StaleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.stays import Stay
    from jobstore.store import Store

DECIDED: Final = UserError(
    "decided-already", "This has been decided already.", "The job's card shows what became of it."
)


def start_anew(
    store: Store,
    record: Record[Job],
    person: str,
    *,
    month_cap_micros: int,
    caps: Mapping[str, int | None] | None = None,
) -> Record[Job]:
    """Create a run or a host anew, with an intent of its own: it may be paid twice, and a person said so.

    What the first one may have cost is booked as spent, and as much stays reserved for the second, within the caps:
    the month's and, by account (`jobstore.money`), those of `caps`.
    """
    _insist_on_unclear(record)
    job, caps = record.data, caps or {}
    event = {"type": "StartedAnew", "person": person}
    if record.state == "unclear_host":
        stay = _stay(record)
        first = _booked(stay, release_micros=0, month_cap_micros=month_cap_micros, caps=caps)
        again = dataclasses.replace(stay, intent=None, intents=stay.intents + 1, host="", said="", began_ms=0)
        spent = job.hosted_micros + stay.reserved_micros
        return _decide(
            store, record, "deploying", record.having(stay=again, hosted_micros=spent, note=""), event, settle=first
        )
    first = _booked(job, release_micros=0, month_cap_micros=month_cap_micros, caps=caps)
    changed = record.having(intent=None, intents=job.intents + 1, run="", note="")
    return _decide(store, record, "creating", changed, event, settle=first)


def _stay(record: Record[Job]) -> Stay:
    stay = record.data.stay
    assert stay is not None, f"{record.ref.member} is unclear about a host, and has no stay"
    return stay


def _booked(
    what: Job | Stay,
    *,
    release_micros: int,
    month_cap_micros: int | None = None,
    caps: Mapping[str, int | None] | None = None,
) -> Settlement:
    """All that was reserved for a run or a stay counts as spent, since nobody knows that it was not."""
    return Settlement(
        month=what.month,
        release_micros=release_micros,
        spend_micros=what.reserved_micros,
        month_cap_micros=month_cap_micros,
        accounts=tuple(Account(name=name, cap_micros=(caps or {}).get(name)) for name in what.accounts),
    )


def name_run(store: Store, record: Record[Job], person: str, run: str) -> Record[Job]:
    """Follow the run that a person found at the provider, or wait for the host."""
    _insist_on_unclear(record)
    if record.state == "unclear_host":
        named = dataclasses.replace(_stay(record), host=run, said="")
        event = {"type": "HostNamed", "person": person, "host": run}
        return _decide(store, record, "deploying", record.having(stay=named, note=""), event)
    changed = record.having(run=run, run_created_ms=store.now_ms(), note="")
    return _decide(store, record, "queued", changed, {"type": "RunNamed", "person": person, "run": run})


def give_up(store: Store, record: Record[Job], person: str) -> Record[Job]:
    """End the job, or let the model sleep; what was reserved counts as spent, since nobody knows that it was not."""
    _insist_on_unclear(record)
    job, event = record.data, {"type": "GivenUp", "person": person}
    if record.state == "unclear_host":
        stay = _stay(record)
        spent = stay.reserved_micros
        over = dataclasses.replace(stay, ended_ms=store.now_ms(), spent_micros=spent, refusal=HOST_GIVEN_UP)
        slept = record.having(stay=over, hosted_micros=job.hosted_micros + spent, note="")
        return _decide(store, record, "asleep", slept, event, settle=_booked(stay, release_micros=spent))
    changed = record.having(refusal=GIVEN_UP, note="")
    return _decide(store, record, "failed", changed, event, settle=_booked(job, release_micros=job.reserved_micros))


GIVEN_UP: Final = Refusal(
    code="given-up",
    message="It was given up: whether the provider made a run is unknown.",
    hint="Look at the provider's own list of runs. What was set aside for it counts as spent.",
)

HOST_GIVEN_UP: Final = Refusal(
    code="given-up",
    message="It was given up: whether the provider made a host is unknown.",
    hint="Look at the provider's own list of hosts, and end what you find. What was set aside for it counts as spent.",
)


def _insist_on_unclear(record: Record[Job]) -> None:
    if record.state not in UNCLEAR:
        raise DECIDED


def _decide(
    store: Store,
    record: Record[Job],
    to: str,
    changed: Job,
    event: Mapping[str, Any],
    *,
    settle: Settlement | None = None,
) -> Record[Job]:
    said = [card(record.ref, channel=changed.channel, rank=Rank.MILESTONE)]
    if to == "failed":
        said.append(post(record.ref, "failed", channel=changed.channel, rank=Rank.TERMINAL))
    if record.state == "unclear_host":
        said = shown(record.ref, changed.channel, Rank.MILESTONE)
    try:
        return store.transition(
            record,
            to,
            changed,
            event=event,
            audit={"act": str(event["type"]), "person": event["person"], "on": record.ref.member},
            deliveries=said,
            settle=settle,
        )
    except StaleError as error:
        raise DECIDED from error
