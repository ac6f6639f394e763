"""What a person decides about a run whose creation's outcome is unknown (docs/architecture.md, promise 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.errors import UserError
from jobstore.deliveries import Rank, card, post
from jobstore.money import Account, Settlement
from jobstore.refusals import Refusal
from jobstore.store import StaleError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from jobstore.jobs import Job
    from jobstore.records import Record
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
    """Create a run anew, with an intent of its own: it may be paid twice, and a person said so.

    What the first run may have cost is booked as spent, and as much stays reserved for the second, within the caps:
    the month's and, by account (`jobstore.money`), those of `caps`.
    """
    _insist_on_unclear(record)
    job = record.data
    first = Settlement(
        month=job.month,
        release_micros=0,
        spend_micros=job.reserved_micros,
        month_cap_micros=month_cap_micros,
        accounts=tuple(Account(name=name, cap_micros=(caps or {}).get(name)) for name in job.accounts),
    )
    changed = record.having(intent=None, intents=record.data.intents + 1, run="", note="")
    return _decide(store, record, "creating", changed, {"type": "StartedAnew", "person": person}, settle=first)


def name_run(store: Store, record: Record[Job], person: str, run: str) -> Record[Job]:
    """Follow the run that a person found at the provider."""
    _insist_on_unclear(record)
    changed = record.having(run=run, run_created_ms=store.now_ms(), note="")
    return _decide(store, record, "queued", changed, {"type": "RunNamed", "person": person, "run": run})


def give_up(store: Store, record: Record[Job], person: str) -> Record[Job]:
    """End the job; what was reserved counts as spent, since nobody knows that it was not."""
    _insist_on_unclear(record)
    changed = record.having(refusal=GIVEN_UP, note="")
    job = record.data
    return _decide(
        store,
        record,
        "failed",
        changed,
        {"type": "GivenUp", "person": person},
        settle=Settlement(
            month=job.month,
            release_micros=job.reserved_micros,
            spend_micros=job.reserved_micros,
            accounts=tuple(Account(name=name) for name in job.accounts),
        ),
    )


GIVEN_UP: Final = Refusal(
    code="given-up",
    message="It was given up: whether the provider made a run is unknown.",
    hint="Look at the provider's own list of runs. What was set aside for it counts as spent.",
)


def _insist_on_unclear(record: Record[Job]) -> None:
    if record.state != "unclear":
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
    posts = [post(record.ref, "failed", channel=changed.channel, rank=Rank.TERMINAL)] if to == "failed" else []
    try:
        return store.transition(
            record,
            to,
            changed,
            event=event,
            audit={"act": str(event["type"]), "person": event["person"], "on": record.ref.member},
            deliveries=[card(record.ref, channel=changed.channel, rank=Rank.MILESTONE), *posts],
            settle=settle,
        )
    except StaleError as error:
        raise DECIDED from error
