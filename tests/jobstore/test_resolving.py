"""Where nobody knows whether a run was made, one person decides, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from finetune.errors import UserError
from jobstore.intents import Intent
from jobstore.money import CapError, Reservation
from jobstore.resolving import give_up, name_run, start_anew
from tests.support.samples import MONTH, TEAM, a_job, recorded

if TYPE_CHECKING:
    from jobstore.records import Record
    from jobstore.store import Store

PRICE = Reservation(month=MONTH, micros=2_000_000, run_cap_micros=9_000_000, month_cap_micros=9_000_000)


@pytest.fixture
def unclear(store: Store) -> Record[Any]:
    """A job whose run may have been created."""
    record = store.get(recorded(store, a_job(), reserve=PRICE))
    assert record is not None
    for state in ("uploading", "creating", "unclear"):
        record = store.transition(record, state, a_job(intent=Intent(id="i0", posted_ms=5)))
    return record


def test_starting_anew_is_another_intent(store: Store, unclear: Record[Any]) -> None:
    after = start_anew(store, unclear, "U1", month_cap_micros=10**12)
    assert (after.state, after.data.intent, after.data.intents) == ("creating", None, 1)


def test_starting_anew_counts_the_first_run_as_spent_and_keeps_the_second_reserved(
    store: Store, unclear: Record[Any]
) -> None:
    start_anew(store, unclear, "U1", month_cap_micros=4_000_000)
    assert store.spend(TEAM, MONTH) == (2.0, 2.0)


def test_starting_anew_over_the_month_cap_is_refused_and_changes_nothing(store: Store, unclear: Record[Any]) -> None:
    with pytest.raises(CapError) as refusal:
        start_anew(store, unclear, "U1", month_cap_micros=3_999_999)
    assert (refusal.value.cap, refusal.value.left_usd) == ("month", 1.999999)
    assert store.spend(TEAM, MONTH) == (2.0, 0.0)
    now = store.get(unclear.ref)
    assert now is not None
    assert (now.state, now.version) == ("unclear", unclear.version)


def test_named_run_is_followed(store: Store, unclear: Record[Any]) -> None:
    after = name_run(store, unclear, "U1", "ftjob-7")
    assert (after.state, after.data.run) == ("queued", "ftjob-7")
    assert after.data.run_created_ms > 0


def test_giving_up_counts_what_was_reserved_as_spent(store: Store, unclear: Record[Any]) -> None:
    after = give_up(store, unclear, "U1")
    assert after.state == "failed"
    assert after.data.refusal is not None
    assert store.spend(TEAM, MONTH) == (0.0, 2.0)


def test_decision_is_made_once_and_stands_in_the_audit(store: Store, unclear: Record[Any]) -> None:
    after = start_anew(store, unclear, "U1", month_cap_micros=10**12)
    for late in (unclear, after):
        with pytest.raises(UserError) as refusal:
            give_up(store, late, "U2")
        assert refusal.value.code == "decided-already"
    assert [(entry["act"], entry["person"], entry["on"]) for entry in store.audit(TEAM)] == [
        ("StartedAnew", "U1", unclear.ref.member)
    ]
