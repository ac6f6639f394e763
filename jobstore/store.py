"""The record: every write of a dataset, a job, a prompt or a comparison, one script a write (docs/architecture.md)."""

from __future__ import annotations

import json
import os
import socket
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from jobstore import trace
from jobstore.connections import UNAVAILABLE
from jobstore.deliveries import Rank, as_json, card
from jobstore.keys import prefix
from jobstore.money import MICROS, CapError
from jobstore.reading import LETTERS, Reader
from jobstore.records import SCHEMA, TYPES, AnyData, Data, Dataset, Record, Ref, encode, newer, read
from jobstore.scripts import Scripts
from jobstore.states import FIRST, TABLES, Actor, Kind, State, allows, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from jobstore.connections import Redis
    from jobstore.deliveries import Delivery
    from jobstore.money import Reservation, Settlement

LOST_RING_MS: Final = 2_000


class StaleError(Exception):
    """Somebody else moved the record since it was read, or took its lease: this write changed nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A field set in a look-up hash by the same script as a transition, such as which dataset has these bytes."""

    hash: str
    field: str
    value: str


def holder(pid: int) -> str:
    """How a process of this machine is named in the leases that it holds."""
    return f"{socket.gethostname()}:{pid}"


def _first_due_ms(state: State) -> int:
    """At once; but a worker is rung for by whoever commits, and the due entry waits for that ring to be lost."""
    return LOST_RING_MS if state.actor is Actor.WORKER else 0


def _beginning(kind: Kind, data: AnyData) -> tuple[str, str]:
    """The state that a record begins in, and what it is counted among: the versions of a dropped file."""
    dropped, *others = FIRST[kind]
    made = data.made if isinstance(data, Dataset) else None
    return (others[0], f"versions:{made.original}") if made else (dropped, "")


def _flag(record: Record[Any]) -> str:
    return "1" if record.cancel else ""


def _insist_on_move(record: Record[Any], to: str) -> None:
    if not allows(record.ref.kind, record.state, to):
        msg = f"a {record.ref.kind.value} does not go from {record.state} to {to}"
        raise ValueError(msg)


def _over_cap(account: str, left_micros: str, cap_micros: str) -> CapError:
    return CapError(account.partition(":")[0] or "month", int(left_micros) / MICROS, int(cap_micros) / MICROS)


def _object(value: Mapping[str, Any] | None) -> str:
    return json.dumps(value) if value else ""


class Store(Reader):
    """Reads and writes records, one script a write; holds no state of its own."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._run = Scripts(redis)

    def record(
        self,
        team: str,
        data: AnyData,
        *,
        dedupe: str,
        event: Mapping[str, Any],
        deliveries: Sequence[Delivery] = (),
        audit: Mapping[str, Any] | None = None,
        reserve: Reservation | None = None,
    ) -> tuple[Ref, bool]:
        """Record something new, once; return where it is, and whether it is new.

        `dedupe` says what the thing is. Raises CapError where `reserve` does not fit; then nothing was written. Where
        a version of a dataset is made, "$NUMBER" in data and event is its number, given out by the same script.
        """
        kind = next(kind for kind, type_ in TYPES.items() if type_ is type(data))
        state, counted = _beginning(kind, data)
        answer, value, *cap = self._run(
            "record",
            prefix(team),
            kind.value,
            LETTERS[kind],
            f"{kind.value}:{dedupe}" if dedupe else "",
            state,
            state_of(kind, state).actor.value,
            _first_due_ms(state_of(kind, state)),
            SCHEMA,
            encode(data),
            data.channel,
            json.dumps(event),
            as_json(deliveries),
            _object(audit),
            json.dumps(asdict(reserve)) if reserve else "",
            counted,
        )
        if answer == "over-cap":
            raise _over_cap(value, *cap)
        ref = Ref(team, kind, value)
        trace.recorded(ref, data, is_new=answer == "new")
        return ref, answer == "new"

    def claim(self, ref: Ref, states: Iterable[str], lease_ms: int) -> Record[Any] | None:
        """Take the lease on a record that stands in one of `states`, or return None: somebody has it, or it moved."""
        pairs = [text for name in states for text in (name, state_of(ref.kind, name).actor.value)]
        answer = self._run(
            "claim", prefix(ref.team), ref.kind.value, ref.id, lease_ms, SCHEMA, holder(os.getpid()), *pairs
        )
        if not answer:
            return None
        if answer[0] == "newer":
            raise newer(ref, int(answer[1]))
        fields = dict(zip(answer[::2], answer[1::2], strict=True))
        return read(ref, fields, token=int(fields["lease_token"]))

    def renew(self, record: Record[Any], lease_ms: int) -> bool:
        """Hold a lease longer; False where it was lost: stop, and write nothing."""
        ref = record.ref
        args = (ref.kind.value, ref.id, record.token, lease_ms)
        return self._run("renew", prefix(ref.team), *args) == 1

    def lapse(self, ref: Ref, pid: int) -> bool:
        """End the lease that a process of this machine held when it died; False where it holds none (any more)."""
        return self._run("lapse", prefix(ref.team), ref.kind.value, ref.id, holder(pid)) == 1

    def release(self, record: Record[Any], *, due_in_ms: int) -> bool:
        """Give a lease back with the work undone, to be tried again in `due_in_ms`."""
        ref = record.ref
        args = (ref.kind.value, ref.id, record.token, due_in_ms, _flag(record))
        return self._run("release", prefix(ref.team), *args) == 1

    def transition(  # noqa: PLR0913 - one script, one call
        self,
        record: Record[Any],
        to: str,
        data: Data,
        *,
        event: Mapping[str, Any] | None = None,
        deliveries: Sequence[Delivery] = (),
        marks: Sequence[Mark] = (),
        settle: Settlement | None = None,
        reserve: Reservation | None = None,
        audit: Mapping[str, Any] | None = None,
        due_in_ms: int | None = None,
        keep_lease: bool = False,
    ) -> Record[Data]:
        """Move `record` to state `to` (or amend it where it stands) and return it as it is now.

        Raises StaleError where the record moved or the lease was lost, CapError where `reserve` goes over a cap,
        and ValueError for a move that the state table does not have. The lease ends here unless `keep_lease`. A
        lost answer is asked for once more: the same commit is answered as it was the first time.
        """
        _insist_on_move(record, to)
        state = state_of(record.ref.kind, to)
        answer = self._commit(
            record,
            to,
            state.actor.value,
            _first_due_ms(state) if due_in_ms is None else due_in_ms,
            encode(data),
            _object(event),
            as_json(deliveries),
            "1" if keep_lease else "",
            "1" if state.is_final and not state.is_kept else "",
            json.dumps(asdict(settle)) if settle else "",
            json.dumps([asdict(mark) for mark in marks]),
            _object(audit),
            _flag(record),
            SCHEMA,
            json.dumps(asdict(reserve)) if reserve else "",
        )
        trace.moved(record, to, version=int(answer[0]))
        return Record(
            ref=record.ref,
            state=to,
            version=int(answer[0]),
            data=data,
            cancel=answer[1] == "1",
            token=record.token if keep_lease else 0,
            attempts=record.attempts if keep_lease else 0,
            created_ms=record.created_ms,
            updated_ms=int(answer[2]),
        )

    def _commit(self, record: Record[Any], *change: str | float) -> list[str]:
        """Run `transition.lua` on the record as it was read, and return what it says was done."""
        ref = record.ref
        expected = (ref.kind.value, ref.id, record.state, record.version, record.token, uuid.uuid4().hex)
        try:
            answer = self._run("transition", prefix(ref.team), *expected, *change)
        except UNAVAILABLE:
            answer = self._run("transition", prefix(ref.team), *expected, *change)
        if answer[0] == "over-cap":
            raise _over_cap(*answer[1:])
        if answer[0] != "done":
            msg = f"{ref.member}: expected {record.state} v{record.version}, found {answer[1]} v{answer[2]}"
            raise StaleError(msg)
        return answer[1:]

    def flag_cancel(self, ref: Ref, person: str, *, channel: str) -> str:
        """Ask for a job to be cancelled, and for its card to say so: "flagged", "already" asked for, or "too-late"."""
        live = [name for name, state in TABLES[ref.kind].items() if "cancelled" in state.to]
        event = json.dumps({"type": "CancelRequested", "person": person})
        audit = json.dumps({"act": "cancel", "person": person, "on": ref.member})
        cards = as_json([card(ref, channel=channel, rank=Rank.MILESTONE)])
        return self._run("flag_cancel", prefix(ref.team), ref.kind.value, ref.id, event, audit, cards, *live)[0]

    def hasten(self, team: str, actor: Actor, refs: Sequence[Ref]) -> set[Ref]:
        """Make records due now that `actor` would look at later; return those that do not wait for it (any more)."""
        members = [ref.member for ref in refs]
        gone: list[str] = self._run("hasten", prefix(team), actor.value, *members) if members else []
        return {Ref.of_member(team, member) for member in gone}

    def ring_again(self, team: str, limit: int = 100) -> list[Ref]:
        """Return records whose doorbell must ring again, and put off the ring after that."""
        members = self._run("ring", prefix(team), Actor.WORKER.value, limit)
        return [Ref.of_member(team, member) for member in members]
