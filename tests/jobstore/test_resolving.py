"""Where nobody knows whether a run was made, one person decides, once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from finetune.errors import UserError
from jobstore.intents import Intent
from jobstore.keys import runs_hash
from jobstore.money import Account, CapError, Reservation
from jobstore.resolving import give_up, name_run, question_of, start_anew
from jobstore.stays import Stay
from jobstore.store import Mark
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


def anew(store: Store, unclear: Record[Any], **changes: Any) -> Record[Any]:
    """Start anew by the newest question, under caps that hold it unless they are changed."""
    reserve = dataclasses.replace(PRICE, **changes)
    return start_anew(store, unclear, "U1", about=question_of(unclear), reserve=reserve)


def test_starting_anew_is_another_intent(store: Store, unclear: Record[Any]) -> None:
    after = anew(store, unclear)
    assert (after.state, after.data.intent, after.data.intents) == ("creating", None, 1)


def test_starting_anew_counts_the_first_run_as_spent_and_keeps_the_second_reserved(
    store: Store, unclear: Record[Any]
) -> None:
    anew(store, unclear, month_cap_micros=4_000_000)
    assert store.spend(TEAM, MONTH) == (2.0, 2.0)


def test_run_started_anew_in_another_month_is_held_in_that_month(store: Store, unclear: Record[Any]) -> None:
    """The first may have cost something then; the second costs something now, and has its accounts from now."""
    after = anew(store, unclear, month="2026-12", accounts=(Account(name="person:U1", cap_micros=2_000_000),))
    spent = [store.spend(TEAM, month, name) for month in (MONTH, "2026-12") for name in ("", "person:U1")]
    assert spent == [(0.0, 2.0), (0.0, 0.0), (2.0, 0.0), (2.0, 0.0)]
    assert (after.data.month, after.data.accounts) == ("2026-12", ("person:U1",))


@pytest.mark.parametrize(
    ("caps", "said"),
    [
        ({"month_cap_micros": 3_999_999}, ("month", 1.999999)),
        ({"run_cap_micros": 1_999_999}, ("run", 1.999999)),
        ({"accounts": (Account(name="channel:C1", cap_micros=1_999_999),)}, ("channel", 1.999999)),
    ],
)
def test_starting_anew_over_a_cap_of_today_is_refused_and_changes_nothing(
    store: Store, unclear: Record[Any], caps: dict[str, Any], said: tuple[str, float]
) -> None:
    with pytest.raises(CapError) as refusal:
        anew(store, unclear, **caps)
    assert (refusal.value.cap, refusal.value.left_usd) == said
    assert store.spend(TEAM, MONTH) == (2.0, 0.0)
    now = store.get(unclear.ref)
    assert now is not None
    assert (now.state, now.version) == ("unclear", unclear.version)


def test_named_run_is_followed(store: Store, unclear: Record[Any]) -> None:
    after = name_run(store, unclear, "U1", "ftjob-7", about="run-0")
    assert (after.state, after.data.run) == ("queued", "ftjob-7")
    assert after.data.run_created_ms > 0


def test_giving_up_counts_what_was_reserved_as_spent(store: Store, unclear: Record[Any]) -> None:
    after = give_up(store, unclear, "U1", about="run-0")
    assert after.state == "failed"
    assert after.data.refusal is not None
    assert store.spend(TEAM, MONTH) == (0.0, 2.0)


def test_decision_is_made_once_and_stands_in_the_audit(store: Store, unclear: Record[Any]) -> None:
    after = anew(store, unclear)
    for late in (unclear, after):
        with pytest.raises(UserError) as refusal:
            give_up(store, late, "U2", about="run-0")
        assert refusal.value.code == "decided-already"
    assert [(entry["act"], entry["person"], entry["on"]) for entry in store.audit(TEAM)] == [
        ("StartedAnew", "U1", unclear.ref.member)
    ]


def unclear_again(store: Store, record: Record[Any]) -> Record[Any]:
    """The answer about the second run was lost as well."""
    return store.transition(record, "unclear", record.having(intent=Intent(id="i1", posted_ms=6)))


@pytest.mark.parametrize("about", ["", "run-0", "host-1-0"])
def test_button_of_an_earlier_question_decides_nothing(store: Store, unclear: Record[Any], about: str) -> None:
    """It stays in the thread, and whoever presses it again, or late, would pay for a third run."""
    again = unclear_again(store, anew(store, unclear))
    before = store.spend(TEAM, MONTH)
    for decide in (
        lambda: start_anew(store, again, "U1", about=about, reserve=PRICE),
        lambda: give_up(store, again, "U1", about=about),
        lambda: name_run(store, again, "U1", "ftjob-1", about=about),
    ):
        with pytest.raises(UserError) as refusal:
            decide()
        assert refusal.value.code == "asked-anew"
    assert (store.get(unclear.ref), store.spend(TEAM, MONTH)) == (again, before)


def test_button_of_before_there_were_several_questions_is_about_the_first_run(
    store: Store, unclear: Record[Any]
) -> None:
    assert start_anew(store, unclear, "U1", about="", reserve=PRICE).state == "creating"


def test_question_about_a_run_says_nothing_of_its_hosts(store: Store) -> None:
    """What was asked about the run stands above what is asked about the host, with the same words on its buttons."""
    stay = Stay(
        number=2, person="U1", digest="d", hours=1, usd_per_hour=1.0, month=MONTH, confirmed_ms=1, reserved_micros=1,
        intents=1,
    )  # fmt: skip
    record = store.get(recorded(store, a_job(stay=stay)))
    assert record is not None
    hosted = dataclasses.replace(record, state="unclear_host")
    assert question_of(hosted) == "host-2-1"
    with pytest.raises(UserError) as refusal:
        start_anew(store, hosted, "U1", about="run-0", reserve=PRICE)
    assert refusal.value.code == "asked-anew"


def test_run_of_another_job_is_not_followed_twice(store: Store, unclear: Record[Any]) -> None:
    other = store.get(recorded(store, a_job(run="ftjob-7")))
    assert other is not None
    mark = Mark(hash=runs_hash("local"), field="ftjob-7", value=other.ref.id)
    store.transition(other, "requested", other.data, marks=[mark])
    with pytest.raises(UserError, match="That run is j2's"):
        name_run(store, unclear, "U1", "ftjob-7", about="run-0")
    assert store.get(unclear.ref) == unclear
    assert name_run(store, unclear, "U1", "ftjob-8", about="run-0").state == "queued"
