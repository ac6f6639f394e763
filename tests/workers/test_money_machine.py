"""Whatever is confirmed, lost, started anew, ended and hosted, in whatever order: what is held is what lives."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from finetune.errors import UserError
from finetune.hosting import HostRequest
from jobstore.connections import connect
from jobstore.hosting import host, next_number
from jobstore.intents import Intent
from jobstore.jobs import Progress
from jobstore.money import Account, CapError, Reservation
from jobstore.refusals import Refusal
from jobstore.resolving import give_up, held_micros, name_run, question_of, start_anew
from jobstore.states import UNCLEAR
from jobstore.store import StaleError, Store
from tests.support.samples import RECORDED, TEAM, a_job
from workers.provider import Host, HostStatus
from workers.stages.endings import cancelled, fail, settlement
from workers.stages.evaluate import announced
from workers.stages.hosting_end import not_hosted, stop
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.records import Record, Ref
    from tests.support.valkey import Server

MONTHS: Final = ("2026-11", "2026-12")
CAPS: Final = {"": 40, "person:U1": 25, "person:U2": None, "channel:C1": 30}
RUN_CAP: Final = 12
JOBS_MAX: Final = 4
OVER: Final = frozenset({"failed", "cancelled", "ready"})
REFUSAL: Final = Refusal(code="c", message="m", hint="h")
QUIETLY: Final = {
    "requested": "uploading", "uploading": "creating", "creating": "queued", "queued": "training",
    "analysing": "probing", "probing": "evaluating",
}  # fmt: skip
"""Steps that cost nothing by themselves."""


def some_in(*states: str) -> Callable[[Any], bool]:
    """Whether a job stands in one of these states."""
    return lambda machine: not set(states).isdisjoint(machine.stands.values())


Held = dict[str, tuple[str, tuple[str, ...], int]]
picks, micros = st.integers(0, 99), st.integers(0, 13)


class Hosts:
    """A provider whose hosts have always ended by the time anybody looks."""

    @property
    def hosting(self) -> Hosts:
        return self

    def host(self, name: str) -> Host:
        return Host(id=name, status=HostStatus.STOPPED, said="stopped", model="m")


class Money(RuleBasedStateMachine):
    """Jobs of two people in one channel and two months. `held` is what each is to hold, by the job and what for."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.peek = self.server.client()
        self.peek.flushall()
        self.connection = connect(self.server.url)
        unused: Any = None
        providers: Any = {"local": Hosts()}
        self.store = Store(self.connection)
        self.shop = Workshop(
            store=self.store, blobs=unused, doorbell=unused, buckets=unused, providers=providers, catalogue=unused,
            models=(), timings=Timings(),
        )  # fmt: skip
        self.refs: list[Ref] = []
        self.stands: dict[Ref, str] = {}
        self.held: Held = {}
        self.spent: Counter[tuple[str, str]] = Counter()
        self.above: Counter[tuple[str, str]] = Counter()

    def teardown(self) -> None:
        self.peek.close()
        self.connection.close()

    # what is expected

    def reserve(self, month: str, person: str, amount: int) -> Reservation:
        accounts = tuple(Account(name=name, cap_micros=CAPS[name]) for name in (f"person:{person}", "channel:C1"))
        return Reservation(
            month=month, micros=amount, run_cap_micros=RUN_CAP, month_cap_micros=CAPS[""] or 0, accounts=accounts
        )

    def reserved(self, month: str, account: str) -> int:
        return sum(amount for at, accounts, amount in self.held.values() if at == month and account in ("", *accounts))

    def fits(self, wanted: Reservation) -> bool:
        names = {"", *(account.name for account in wanted.accounts)}
        left = [
            cap - self.reserved(wanted.month, name) - self.spent[wanted.month, name]
            for name, cap in CAPS.items()
            if cap is not None and name in names
        ]
        return wanted.micros <= RUN_CAP and all(wanted.micros <= one for one in left)

    def hold(self, key: str, wanted: Reservation) -> None:
        self.held[key] = (wanted.month, tuple(account.name for account in wanted.accounts), wanted.micros)

    def let_go(self, key: str, spent: int) -> None:
        month, accounts, amount = self.held.pop(key)
        self.spend(month, accounts, spent)
        for name in ("", *accounts):
            self.above[month, name] += max(0, spent - amount)

    def spend(self, month: str, accounts: tuple[str, ...], spent: int) -> None:
        for name in ("", *accounts):
            self.spent[month, name] += spent

    # what is done

    def any_in(self, pick: int, *states: str) -> Record[Any]:
        found = [ref for ref in self.refs if self.stands.get(ref) in states]
        record = self.store.get(found[pick % len(found)])
        assert record is not None
        return record

    def once(self, record: Record[Any], act: Callable[[Record[Any]], object]) -> None:
        """Do it, and once more as somebody who read the record before: that changes nothing."""
        act(record)
        with pytest.raises((StaleError, UserError)):
            act(record)

    @precondition(lambda self: sum(state not in OVER for state in self.stands.values()) < JOBS_MAX)
    @rule(run=micros, asking=st.integers(0, 2), month=st.sampled_from(MONTHS), person=st.sampled_from(["U1", "U2"]))
    def confirm(self, run: int, asking: int, month: str, person: str) -> None:
        wanted, once = self.reserve(month, person, run + asking), f"view:{len(self.refs)}"
        job = a_job(
            person=person, reserved_micros=run, asking_micros=asking, month=month,
            accounts=tuple(account.name for account in wanted.accounts),
        )  # fmt: skip
        fits = self.fits(wanted)
        try:
            ref, is_new = self.store.record(TEAM, job, dedupe=once, event=RECORDED, reserve=wanted)
        except CapError:
            assert not fits
            return
        assert (fits, is_new) == (True, True)
        self.refs.append(ref)
        self.hold(f"run {ref.id}", dataclasses.replace(wanted, micros=run))
        self.hold(f"asking {ref.id}", dataclasses.replace(wanted, micros=asking))
        assert self.store.record(TEAM, job, dedupe=once, event=RECORDED, reserve=wanted) == (ref, False)

    @precondition(some_in(*QUIETLY))
    @rule(pick=picks)
    def go_on(self, pick: int) -> None:
        record = self.any_in(pick, *QUIETLY)
        data = record.having(intent=Intent(id="i", posted_ms=1)) if record.state == "creating" else record.data
        self.once(record, lambda read: self.store.transition(read, QUIETLY[record.state], data))

    @precondition(some_in("creating", "deploying"))
    @rule(pick=picks)
    def lose_the_answer(self, pick: int) -> None:
        record = self.any_in(pick, "creating", "deploying")
        to = "unclear" if record.state == "creating" else "unclear_host"
        self.once(record, lambda read: self.store.transition(read, to, read.data))

    @precondition(some_in(*UNCLEAR))
    @rule(pick=picks, month=st.sampled_from(MONTHS), late=st.booleans())
    def start_anew(self, pick: int, month: str, late: bool) -> None:  # noqa: FBT001 - Hypothesis's
        record = self.any_in(pick, *UNCLEAR)
        payer = record.data.open_stay or record.data
        wanted = self.reserve(month, payer.person, held_micros(record))
        about = "run-9" if late else question_of(record)
        fits = self.fits(wanted)
        try:
            start_anew(self.store, record, "U1", about=about, reserve=wanted)
        except UserError:
            assert late
            return
        except CapError:
            assert not fits
            return
        assert (fits, late) == (True, False)
        is_host = record.state == "unclear_host"
        key = f"{'host' if is_host else 'run'} {record.ref.id}"
        self.let_go(key, payer.reserved_micros)
        self.hold(key, dataclasses.replace(wanted, micros=payer.reserved_micros))
        if not is_host:
            self.held.pop(f"asking {record.ref.id}")
            self.hold(f"asking {record.ref.id}", dataclasses.replace(wanted, micros=record.data.asking_micros))

    @precondition(some_in(*UNCLEAR))
    @rule(pick=picks)
    def give_up(self, pick: int) -> None:
        record = self.any_in(pick, *UNCLEAR)
        about, is_host = question_of(record), record.state == "unclear_host"
        self.once(record, lambda read: give_up(self.store, read, "U1", about=about))
        if is_host:
            return self.let_go(f"host {record.ref.id}", record.data.stay.reserved_micros)
        self.let_go(f"run {record.ref.id}", record.data.reserved_micros)
        self.let_go(f"asking {record.ref.id}", 0)
        return None

    @precondition(some_in(*UNCLEAR))
    @rule(pick=picks)
    def name_it(self, pick: int) -> None:
        record = self.any_in(pick, *UNCLEAR)
        about = question_of(record)
        self.once(record, lambda read: name_run(self.store, read, "U1", "ftjob-1", about=about))

    @precondition(some_in("requested", "uploading", "creating", "queued", "training"))
    @rule(pick=picks, spent=st.one_of(st.none(), micros), step=st.integers(0, 4), is_failure=st.booleans())
    def end_badly(self, pick: int, spent: int | None, step: int, is_failure: bool) -> None:  # noqa: FBT001
        record = self.any_in(pick, "requested", "uploading", "creating", "queued", "training")
        job = record.having(progress=Progress(step=step, total_steps=4, started_ms=1))
        record = dataclasses.replace(record, data=job)
        usd = None if spent is None else spent / 1_000_000
        if is_failure:
            self.once(record, lambda read: fail(self.shop, read, REFUSAL, spent_usd=usd))
        else:
            self.once(record, lambda read: cancelled(self.shop, read, spent_usd=usd))
        believed = round(job.reserved_micros * step / 4) if spent is None else spent
        self.let_go(f"run {record.ref.id}", believed)
        self.let_go(f"asking {record.ref.id}", 0)

    @precondition(some_in("queued", "training"))
    @rule(pick=picks, spent=micros)
    def succeed(self, pick: int, spent: int) -> None:
        record = self.any_in(pick, "queued", "training")
        settle = settlement(record.data, spent_usd=spent / 1_000_000)
        self.once(record, lambda read: self.store.transition(read, "analysing", read.data, settle=settle))
        self.let_go(f"run {record.ref.id}", spent)

    @precondition(some_in("probing", "evaluating"))
    @rule(pick=picks)
    def announce(self, pick: int) -> None:
        record = self.any_in(pick, "probing", "evaluating")
        self.once(record, lambda read: announced(self.shop, read, None))
        if f"asking {record.ref.id}" in self.held:
            self.let_go(f"asking {record.ref.id}", 0)

    @precondition(some_in("analysing"))
    @rule(pick=picks)
    def ask_first(self, pick: int) -> None:
        """Its model answers only from a host, which is asked about once the run is over."""
        record = self.any_in(pick, "analysing")
        self.once(record, lambda read: self.store.transition(read, "awaiting_hosting", read.data))

    @precondition(some_in("awaiting_hosting", "asleep"))
    @rule(pick=picks, month=st.sampled_from(MONTHS), person=st.sampled_from(["U1", "U2"]), amount=micros)
    def host_it(self, pick: int, month: str, person: str, amount: int) -> None:
        record = self.any_in(pick, "awaiting_hosting", "asleep")
        wanted = self.reserve(month, person, amount)
        request = HostRequest(
            job=record.ref.id, provider="local", model="m", hours=1, usd_per_hour=amount / 1_000_000,
            number=next_number(record.data),
        )  # fmt: skip
        fits = self.fits(wanted)
        try:
            self.once(record, lambda read: host(self.store, read, request, person, wanted))
        except CapError:
            assert not fits
            return
        assert fits
        self.hold(f"host {record.ref.id}", wanted)

    @precondition(some_in("deploying"))
    @rule(pick=picks)
    def refuse_a_host(self, pick: int) -> None:
        record = self.any_in(pick, "deploying")
        self.once(record, lambda read: not_hosted(self.shop, read, REFUSAL))
        self.let_go(f"host {record.ref.id}", 0)

    @precondition(some_in("deploying", "probing", "evaluating", "hosted"))
    @rule(pick=picks, hours=st.integers(0, 3))
    def stop_hosting(self, pick: int, hours: int) -> None:
        record = self.any_in(pick, "deploying", "probing", "evaluating", "hosted")
        if record.data.open_stay is None:
            return
        stay = dataclasses.replace(
            record.data.stay, host="h", began_ms=self.store.now_ms() - hours * 3_600_000, why="person"
        )
        stopping = self.store.transition(record, "stopping", record.having(stay=stay))
        self.once(stopping, lambda read: stop(self.shop, read))
        asleep = self.store.get(record.ref)
        assert asleep is not None
        assert asleep.state == "asleep"
        # by the hour, at a price of which one hour was set aside; the clock runs on while it is ended
        due = hours * stay.reserved_micros
        assert asleep.data.stay.spent_micros in {due, due + 1}
        self.let_go(f"host {record.ref.id}", asleep.data.stay.spent_micros)

    # what holds

    @invariant()
    def look(self) -> None:
        records = [self.store.get(ref) for ref in self.refs]
        self.stands = {record.ref: record.state for record in records if record}

    @invariant()
    def every_account_holds_what_lives_and_has_spent_what_was_booked(self) -> None:
        for month in MONTHS:
            for name, cap in CAPS.items():
                fields: Any = self.peek.hgetall(f"tuneroom:{{{TEAM}}}:spend:{month}{':' if name else ''}{name}")
                held, spent = int(fields.get("reserved_micros", 0)), int(fields.get("spent_micros", 0))
                assert (held, spent) == (self.reserved(month, name), self.spent[month, name])
                assert cap is None or held + spent <= cap + self.above[month, name]


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("redis_url")
def test_money_is_held_while_it_may_be_spent_and_no_longer(valkey: Server) -> None:
    Money.server = valkey
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=15,
            stateful_step_count=40,
            phases=[Phase.generate],  # with a real server, making a failure shorter takes many minutes
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
