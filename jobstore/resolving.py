"""What a person decides about a run or a host whose creation's outcome is unknown (docs/architecture.md, promise 4).

Of a host there are the same three ways out, and none of them is a failed job: its run is paid for. A decision is about
one question: the buttons of an earlier one, which stay in the thread, decide nothing about a later request.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from jobstore.deliveries import Rank, card, post
from jobstore.hosting import shown
from jobstore.keys import runs_hash
from jobstore.money import Account, Settlement
from jobstore.refusals import Refusal
from jobstore.states import UNCLEAR
from jobstore.store import StaleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from jobstore.jobs import Job
    from jobstore.money import Reservation
    from jobstore.records import Record
    from jobstore.stays import Stay
    from jobstore.store import Store

DECIDED: Final = UserError(
    "decided-already", "This has been decided already.", "The job's card shows what became of it."
)
ASKED_ANEW: Final = UserError(
    "asked-anew",
    "This has been decided already, and a newer question waits, so I did nothing.",
    "It is the latest one in this thread.",
)


FIRST_QUESTION: Final = "run-0"
"""What a button asked that does not say: those of before there were several questions were all about a first run."""


def question_of(record: Record[Job]) -> str:
    """Return which request a person is asked about: the one that follows it, or a host's, is another question."""
    stay = record.data.open_stay
    return f"host-{stay.number}-{stay.intents}" if stay else f"run-{record.data.intents}"


def start_anew(store: Store, record: Record[Job], person: str, *, about: str, reserve: Reservation) -> Record[Job]:
    """Create a run or a host anew, with an intent of its own: it may be paid twice, and a person said so.

    What the first one may have cost is booked as spent where it was reserved, and `reserve` is held for the second,
    under the caps of today: CapError where one does not hold both.
    """
    insist_on_question(record, about)
    job, event = record.data, {"type": "StartedAnew", "person": person}
    names = tuple(account.name for account in reserve.accounts)
    if record.state == "unclear_host":
        stay = _stay(record)
        again = dataclasses.replace(
            stay,
            intent=None,
            intents=stay.intents + 1,
            host="",
            said="",
            began_ms=0,
            month=reserve.month,
            accounts=names,
        )
        changed = record.having(stay=again, hosted_micros=job.hosted_micros + stay.reserved_micros, note="")
        return _decide(store, record, "deploying", changed, event, settle=_booked(stay), reserve=reserve)
    changed = record.having(intent=None, intents=job.intents + 1, run="", note="", month=reserve.month, accounts=names)
    return _decide(
        store, record, "creating", changed, event, settle=_booked(job, held_micros=job.held_micros), reserve=reserve
    )


def _stay(record: Record[Job]) -> Stay:
    stay = record.data.stay
    assert stay is not None, f"{record.ref.member} is unclear about a host, and has no stay"
    return stay


def held_micros(record: Record[Job]) -> int:
    """Return what was set aside for what a person is asked about, and is again where it is started anew."""
    return record.data.open_stay.reserved_micros if record.data.open_stay else record.data.held_micros


def _booked(what: Job | Stay, *, held_micros: int | None = None) -> Settlement:
    """All that was reserved for a run or a stay counts as spent, since nobody knows that it was not.

    `held_micros` is all that is released, where more was held than for that alone.
    """
    return Settlement(
        month=what.month,
        release_micros=what.reserved_micros if held_micros is None else held_micros,
        spend_micros=what.reserved_micros,
        accounts=tuple(Account(name=name) for name in what.accounts),
    )


def name_run(store: Store, record: Record[Job], person: str, run: str, *, about: str) -> Record[Job]:
    """Follow the run that a person found at the provider, or wait for the host.

    UserError where another job follows that run: its price would be booked twice, and nobody would follow this one's.
    """
    insist_on_question(record, about)
    if record.state == "unclear_host":
        named = dataclasses.replace(_stay(record), host=run, said="")
        event = {"type": "HostNamed", "person": person, "host": run}
        return _decide(store, record, "deploying", record.having(stay=named, note=""), event)
    other = store.marked(record.ref.team, runs_hash(record.data.request.provider), run)
    if other not in {None, record.ref.id}:
        raise UserError("run-followed", f"That run is {other}'s, and is followed there.", "Name the one of this job.")
    changed = record.having(run=run, run_created_ms=store.now_ms(), note="")
    return _decide(store, record, "queued", changed, {"type": "RunNamed", "person": person, "run": run})


def give_up(store: Store, record: Record[Job], person: str, *, about: str) -> Record[Job]:
    """End the job, or let the model sleep; what was reserved counts as spent, since nobody knows that it was not."""
    insist_on_question(record, about)
    job, event = record.data, {"type": "GivenUp", "person": person}
    if record.state == "unclear_host":
        stay = _stay(record)
        spent = stay.reserved_micros
        over = dataclasses.replace(stay, ended_ms=store.now_ms(), spent_micros=spent, refusal=HOST_GIVEN_UP)
        slept = record.having(stay=over, hosted_micros=job.hosted_micros + spent, note="")
        return _decide(store, record, "asleep", slept, event, settle=_booked(stay))
    changed = record.having(refusal=GIVEN_UP, note="")
    return _decide(store, record, "failed", changed, event, settle=_booked(job, held_micros=job.held_micros))


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


def insist_on_question(record: Record[Job], about: str) -> None:
    """Raise the UserError that says that `about`, as `question_of` gave it, is decided; "" is the first question."""
    if record.state not in UNCLEAR:
        raise DECIDED
    if (about or FIRST_QUESTION) != question_of(record):
        raise ASKED_ANEW


def _decide(
    store: Store,
    record: Record[Job],
    to: str,
    changed: Job,
    event: Mapping[str, Any],
    *,
    settle: Settlement | None = None,
    reserve: Reservation | None = None,
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
            reserve=reserve,
        )
    except StaleError as error:
        raise DECIDED from error
