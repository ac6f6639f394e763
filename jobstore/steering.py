"""What a person wishes of a run that is being followed: to rest, to go on. The follower tells the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from finetune.errors import UserError
from jobstore.deliveries import Rank, card
from jobstore.states import Actor
from jobstore.store import StaleError

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.store import Store

Wish = Literal["pause", "resume"]

TRIES: Final = 8
PAUSED: Final = frozenset({"paused", "pausing"})
EVENTS: Final[dict[Wish, str]] = {"pause": "PauseRequested", "resume": "ResumeRequested"}


def steer(store: Store, record: Record[Job], person: str, wish: Wish) -> Record[Job]:
    """Record a wish, due at once for the follower; UserError where there is nothing to pause or resume.

    The follower may write the record at the same moment: then it is read anew, and the wish recorded on top.
    """
    for _ in range(TRIES):
        _insist(record, wish)
        if record.data.wish == wish:
            return record
        try:
            return store.transition(
                record,
                record.state,
                record.having(wish=wish),
                event={"type": EVENTS[wish], "person": person},
                deliveries=[card(record.ref, channel=record.data.channel, rank=Rank.MILESTONE)],
                audit={"act": wish, "person": person, "on": record.ref.member},
                due_in_ms=0,
            )
        except StaleError:
            now = store.get(record.ref)
            if now is None:
                break
            record = now
    raise UserError("busy", "The job is changing too quickly just now.", "Try again in a minute.")


def _insist(record: Record[Job], wish: Wish) -> None:
    if record.at.actor is not Actor.FOLLOWER or record.cancel:
        raise UserError(
            "nothing-runs",
            f"{record.ref.id} has no run that could be paused or resumed now.",
            "Its card says how it stands.",
        )
    rests = record.data.progress.status in PAUSED
    if wish == "resume" and not rests and record.data.wish != "pause":
        raise UserError("not-paused", f"{record.ref.id} is not paused.", "It goes on by itself.")
    if wish == "pause" and rests and record.data.wish != "resume":
        raise UserError("paused-already", f"{record.ref.id} is paused already.", "Resume lets it go on.")
