"""The state tables against the real server: whatever several owners do, in whatever order, the promises hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from jobstore.connections import connect
from jobstore.states import TABLES, Actor, Kind, State, allows, state_of
from jobstore.store import StaleError, Store
from tests.support.samples import CHANNEL, RECORDED, TEAM, a_comparison, a_dataset, a_job, a_prompt

if TYPE_CHECKING:
    from jobstore.records import Record, Ref
    from tests.support.valkey import Server

SAMPLES = {
    Kind.DATASET: a_dataset(),
    Kind.JOB: a_job(),
    Kind.PROMPT: a_prompt(),
    Kind.COMPARISON: a_comparison(),
}
WITH_A_SET = (Actor.FETCHER, Actor.WORKER, Actor.FOLLOWER)
LEASE_MS = 600_000
LATER_MS = 300_000


@dataclass(slots=True)
class Expected:
    """What a record must be, kept beside it in plain Python. `held`: a lease that was neither given back nor ended."""

    ref: Ref
    state: str
    version: int = 1
    token: int = 0
    held: bool = False
    lapsed: bool = False
    attempts: int = 0
    cancel: bool = False
    events: int = 1

    @property
    def at(self) -> State:
        """The row of the table."""
        return state_of(self.ref.kind, self.state)

    @property
    def is_leased(self) -> bool:
        """Whether nobody else may claim it."""
        return self.held and not self.lapsed

    def takes(self, snapshot: Record[Any]) -> bool:
        """Whether a write by the holder of `snapshot` must be let through."""
        is_fresh = (snapshot.state, snapshot.version) == (self.state, self.version)
        return is_fresh and snapshot.token in {0, self.token}

    def end_lease(self) -> None:
        """Given back, or ended by a transition."""
        self.held = self.lapsed = False


class Owners(RuleBasedStateMachine):
    """Any number of owners, each with the snapshots it has read so far, old ones too."""

    snapshots: Bundle[Record[Any]] = Bundle("snapshots")
    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.peek = self.server.client()
        self.peek.flushall()
        self.connection = connect(self.server.url)
        self.store = Store(self.connection)
        self.expected: dict[Ref, Expected] = {}

    def teardown(self) -> None:
        self.peek.close()
        self.connection.close()

    def key(self, ref: Ref) -> str:
        return f"tuneroom:{{{ref.team}}}:{ref.member}"

    def any_of(self, pick: int) -> Expected:
        return list(self.expected.values())[pick % len(self.expected)]

    @initialize(target=snapshots, kind=st.sampled_from(Kind))
    def begin(self, kind: Kind) -> Record[Any]:
        return self.record(kind)

    @rule(target=snapshots, kind=st.sampled_from(Kind))
    def record_another(self, kind: Kind) -> Record[Any]:
        return self.record(kind)

    def record(self, kind: Kind) -> Record[Any]:
        ref, _ = self.store.record(TEAM, SAMPLES[kind], dedupe="", event=RECORDED)
        self.expected[ref] = Expected(ref, next(iter(TABLES[kind])))
        return self.seen(ref)

    def seen(self, ref: Ref) -> Record[Any]:
        record = self.store.get(ref)
        assert record is not None
        return record

    @rule(target=snapshots, pick=st.integers(0, 99))
    def look(self, pick: int) -> Record[Any]:
        return self.seen(self.any_of(pick).ref)

    @rule(target=snapshots, pick=st.integers(0, 99), everything=st.booleans())
    def claim(self, pick: int, *, everything: bool) -> Record[Any]:
        expected = self.any_of(pick)
        table = TABLES[expected.ref.kind]
        states = [name for name, state in table.items() if everything or state.actor is Actor.WORKER]
        is_free = expected.state in states and not expected.is_leased
        record = self.store.claim(expected.ref, states, LEASE_MS)
        assert (record is not None) == is_free
        if record is None:
            return self.seen(expected.ref)
        expected.attempts += expected.held
        expected.token += 1
        expected.held, expected.lapsed = True, False
        assert (record.token, record.attempts) == (expected.token, expected.attempts)
        return record

    @rule(pick=st.integers(0, 99))
    def let_the_lease_lapse(self, pick: int) -> None:
        expected = self.any_of(pick)
        if not expected.held:
            return
        expected.lapsed = True
        self.peek.hset(self.key(expected.ref), "lease_until", 1)
        if expected.at.actor in WITH_A_SET:
            self.peek.zadd(f"tuneroom:{{T1}}:due:{expected.at.actor.value}", {expected.ref.member: 1})

    @rule(snapshot=snapshots)
    def renew(self, snapshot: Record[Any]) -> None:
        expected = self.expected[snapshot.ref]
        is_owner = expected.held and snapshot.token == expected.token
        assert self.store.renew(snapshot, LEASE_MS) == is_owner
        if is_owner:
            expected.lapsed = False

    @rule(snapshot=snapshots, due_in_ms=st.sampled_from([0, LATER_MS]))
    def release(self, snapshot: Record[Any], due_in_ms: int) -> None:
        expected = self.expected[snapshot.ref]
        is_owner = expected.held and snapshot.token == expected.token
        assert self.store.release(snapshot, due_in_ms=due_in_ms) == is_owner
        if is_owner:
            expected.end_lease()
            expected.attempts += 1

    @rule(
        target=snapshots,
        snapshot=snapshots,
        pick=st.integers(0, 99),
        anywhere=st.booleans(),
        keep_lease=st.booleans(),
        due_in_ms=st.sampled_from([None, 0, LATER_MS]),
    )
    def write(
        self, snapshot: Record[Any], pick: int, due_in_ms: int | None, *, anywhere: bool, keep_lease: bool
    ) -> Record[Any]:
        expected, kind = self.expected[snapshot.ref], snapshot.ref.kind
        targets = list(TABLES[kind]) if anywhere else [*snapshot.at.to, snapshot.state]
        to = targets[pick % len(targets)]
        try:
            after = self.store.transition(
                snapshot, to, snapshot.data, event=RECORDED, due_in_ms=due_in_ms, keep_lease=keep_lease
            )
        except ValueError:
            assert not allows(kind, snapshot.state, to)
            return snapshot
        except StaleError:
            assert allows(kind, snapshot.state, to)
            assert not expected.takes(snapshot)
            return snapshot
        assert expected.takes(snapshot)
        assert allows(kind, expected.state, to)
        self.moved(expected, to, keeps=keep_lease and snapshot.token != 0)
        assert (after.state, after.version, after.cancel) == (to, expected.version, expected.cancel)
        return after

    def moved(self, expected: Expected, to: str, *, keeps: bool) -> None:
        expected.state, expected.version, expected.events = to, expected.version + 1, expected.events + 1
        if not keeps:
            expected.end_lease()
            expected.attempts = 0

    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        expected = self.any_of(pick)
        may = "cancelled" in expected.at.to
        answer = "too-late" if not may else "already" if expected.cancel else "flagged"
        assert self.store.flag_cancel(expected.ref, "U1", channel=CHANNEL) == answer
        if answer == "flagged":
            expected.cancel, expected.events = True, expected.events + 1

    @rule()
    def ring_again(self) -> None:
        for ref in self.store.ring_again(TEAM):
            assert self.expected[ref].at.actor is Actor.WORKER
            assert not self.expected[ref].is_leased, "nobody is rung for what somebody is at"

    @invariant()
    def records_are_what_the_writes_let_through_made_them(self) -> None:
        for expected in self.expected.values():
            record = self.seen(expected.ref)
            assert (record.state, record.version) == (expected.state, expected.version)
            assert (record.cancel, record.attempts) == (expected.cancel, expected.attempts)
            assert self.peek.xlen(self.key(expected.ref) + ":events") == expected.events
            assert (self.peek.ttl(self.key(expected.ref)) > 0) == (expected.at.is_final and not expected.at.is_kept)

    @invariant()
    def live_record_is_due_to_its_one_actor(self) -> None:
        due = {actor: set(self.peek.zrange(f"tuneroom:{{T1}}:due:{actor.value}", 0, -1)) for actor in WITH_A_SET}
        for actor in WITH_A_SET:
            members = {ref.member for ref, expected in self.expected.items() if expected.at.actor is actor}
            assert due[actor] == members

    @invariant()
    def leased_record_is_due_to_nobody_yet(self) -> None:
        now_ms = self.store.now_ms()
        for expected in self.expected.values():
            for actor in WITH_A_SET:
                at = self.peek.zscore(f"tuneroom:{{T1}}:due:{actor.value}", expected.ref.member)
                assert at is None or not expected.is_leased or at > now_ms


@pytest.mark.timeout(120)
def test_promises_hold_whatever_the_owners_do(valkey: Server, redis_url: str) -> None:
    Owners.server = valkey
    run_state_machine_as_test(
        Owners,
        settings=settings(
            max_examples=50,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
