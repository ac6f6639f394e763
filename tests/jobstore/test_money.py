"""Promise 7: caps are reserved in the script that records the confirmation, settled in the one that ends the job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from jobstore.connections import connect
from jobstore.money import CapError, Reservation, Settlement
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
