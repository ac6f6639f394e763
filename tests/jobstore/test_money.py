"""Promise 7: caps are reserved in the script that records the confirmation, settled in the one that ends the job."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from jobstore.connections import connect
from jobstore.money import Account, CapError, Reservation, Settlement, channel_account, person_account
from jobstore.states import Kind
from jobstore.store import StaleError, Store
from tests.support.samples import CHANNEL, MONTH, RECORDED, TEAM, a_delivery, a_job, recorded

if TYPE_CHECKING:
    import redis

DOLLAR = 1_000_000


def reserving(dollars: float, *, run: float = 10, month: float = 25, name: str = MONTH) -> Reservation:
    """A reservation against a cap by run and a cap by month, in dollars."""
    micros = [round(amount * DOLLAR) for amount in (dollars, run, month)]
    return Reservation(month=name, micros=micros[0], run_cap_micros=micros[1], month_cap_micros=micros[2])


def confirm(store: Store, reservation: Reservation, **options: Any) -> Any:
    """Record a confirmed job."""
    return store.record(TEAM, a_job(), event=RECORDED, reserve=reservation, **{"dedupe": "", **options})


def test_confirmation_reserves_its_price(store: Store) -> None:
    confirm(store, reserving(2.5))
    assert store.spend(TEAM, MONTH) == (2.5, 0.0)


def test_cap_by_run_is_exact(store: Store) -> None:
    confirm(store, reserving(10))
    with pytest.raises(CapError) as refused:
        confirm(store, reserving(10.000001))
    assert (refused.value.cap, refused.value.left_usd) == ("run", 10.0)


def test_cap_by_month_is_exact(store: Store) -> None:
    confirm(store, reserving(10))
    confirm(store, reserving(10))
    with pytest.raises(CapError) as refused:
        confirm(store, reserving(5.000001))
    assert (refused.value.cap, refused.value.left_usd) == ("month", 5.0)
    confirm(store, reserving(5))
    assert store.spend(TEAM, MONTH) == (25.0, 0.0)


def test_refused_confirmation_writes_nothing(store: Store, peek: redis.Redis) -> None:
    with pytest.raises(CapError):
        confirm(store, reserving(11), dedupe="V1", deliveries=[a_delivery("n")], audit={"act": "confirm"})
    assert list(peek.scan_iter()) == []
    assert confirm(store, reserving(9), dedupe="V1")[1], "after the refusal a smaller one may be confirmed"


def test_confirmation_delivered_twice_reserves_once(store: Store) -> None:
    first = confirm(store, reserving(10), dedupe="V1")
    again = confirm(store, reserving(10), dedupe="V1")
    assert (again[0], again[1]) == (first[0], False)
    assert store.spend(TEAM, MONTH) == (10.0, 0.0)


def test_months_and_teams_have_caps_of_their_own(store: Store) -> None:
    confirm(store, reserving(10, month=10))
    confirm(store, reserving(10, month=10, name="2026-12"))
    store.record("T2", a_job(), dedupe="", event=RECORDED, reserve=reserving(10, month=10))
    assert store.spend("T2", MONTH) == (10.0, 0.0)


def test_confirmations_at_once_never_pass_the_cap(redis_url: str, store: Store) -> None:
    def attempt(_: int) -> int:
        connection = connect(redis_url)
        try:
            confirm(Store(connection), reserving(3))
        except CapError:
            return 0
        else:
            return 1
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == 8
    assert store.spend(TEAM, MONTH) == (24.0, 0.0)
    assert len(store.listed(TEAM, Kind.JOB, CHANNEL)) == 8


def test_settling_releases_and_books_with_the_transition(store: Store) -> None:
    record = store.get(recorded(store, a_job(), reserve=reserving(3)))
    assert record is not None
    settle = Settlement(month=MONTH, release_micros=3 * DOLLAR, spend_micros=1_234_567)
    store.transition(record, "failed", a_job(), settle=settle)
    assert store.spend(TEAM, MONTH) == (0.0, 1.234567)
    with pytest.raises(StaleError):
        store.transition(record, "failed", a_job(), settle=settle)
    assert store.spend(TEAM, MONTH) == (0.0, 1.234567)


def test_what_was_spent_counts_against_the_cap(store: Store) -> None:
    record = store.get(recorded(store, a_job(), reserve=reserving(9)))
    assert record is not None
    settle = Settlement(month=MONTH, release_micros=9 * DOLLAR, spend_micros=20 * DOLLAR)
    store.transition(record, "failed", a_job(), settle=settle)
    with pytest.raises(CapError) as refused:
        confirm(store, reserving(6))
    assert refused.value.left_usd == 5.0


def test_run_that_costs_nothing_passes_any_cap(store: Store) -> None:
    confirm(store, reserving(0, run=0, month=0))
    assert store.spend(TEAM, MONTH) == (0.0, 0.0)


MINA, TUNING = person_account("UMINA"), channel_account("CTUNING")


def reserving_for(dollars: float, *, person: float | None = 6, channel: float | None = 8) -> Reservation:
    """A reservation of Mina's in #tuning, under caps in dollars; None: no cap."""
    caps = [None if cap is None else round(cap * DOLLAR) for cap in (person, channel)]
    accounts = tuple(Account(name=name, cap_micros=cap) for name, cap in zip((MINA, TUNING), caps, strict=True))
    return dataclasses.replace(reserving(dollars), accounts=accounts)


def test_price_is_reserved_in_every_account(store: Store) -> None:
    confirm(store, reserving_for(2.5))
    assert [store.spend(TEAM, MONTH, account) for account in ("", MINA, TUNING)] == [(2.5, 0.0)] * 3


@pytest.mark.parametrize(("caps", "cap", "cap_usd"), [({"person": 3}, "person", 3.0), ({"channel": 4}, "channel", 4.0)])
def test_cap_of_a_person_and_of_a_channel_is_exact_and_named(
    store: Store, caps: dict[str, float], cap: str, cap_usd: float
) -> None:
    confirm(store, reserving_for(2, **caps))
    with pytest.raises(CapError) as refused:
        confirm(store, reserving_for(cap_usd - 2 + 0.000001, **caps))
    assert (refused.value.cap, refused.value.left_usd, refused.value.cap_usd) == (cap, cap_usd - 2, cap_usd)
    assert [store.spend(TEAM, MONTH, account) for account in ("", MINA, TUNING)] == [(2.0, 0.0)] * 3
    confirm(store, reserving_for(cap_usd - 2, **caps))


def test_account_without_a_cap_is_counted_and_holds_nothing(store: Store) -> None:
    confirm(store, reserving_for(10, person=None, channel=None))
    assert store.spend(TEAM, MONTH, MINA) == (10.0, 0.0)


def test_settling_settles_every_account_of_the_job(store: Store) -> None:
    job = a_job(accounts=(MINA, TUNING))
    record = store.get(recorded(store, job, reserve=reserving_for(3)))
    assert record is not None
    accounts = tuple(Account(name=name) for name in job.accounts)
    settle = Settlement(month=MONTH, release_micros=3 * DOLLAR, spend_micros=DOLLAR, accounts=accounts)
    store.transition(record, "failed", job, settle=settle)
    assert [store.spend(TEAM, MONTH, account) for account in ("", MINA, TUNING)] == [(0.0, 1.0)] * 3


def test_job_of_before_there_were_accounts_is_settled_for_everybody_alone(store: Store) -> None:
    """Nothing was reserved in the other accounts, so nothing may be released there."""
    record = store.get(recorded(store, a_job(), reserve=reserving(3)))
    assert record is not None
    settle = Settlement(month=MONTH, release_micros=3 * DOLLAR, spend_micros=DOLLAR)
    store.transition(record, "failed", a_job(), settle=settle)
    assert (store.spend(TEAM, MONTH), store.spend(TEAM, MONTH, MINA)) == ((0.0, 1.0), (0.0, 0.0))


def test_confirmations_at_once_never_pass_a_persons_cap(redis_url: str, store: Store) -> None:
    def attempt(_: int) -> int:
        connection = connect(redis_url)
        try:
            confirm(Store(connection), reserving_for(1))
        except CapError:
            return 0
        else:
            return 1
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == 6
    assert store.spend(TEAM, MONTH, MINA) == (6.0, 0.0)
