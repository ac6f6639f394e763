"""What comparing two models comes to before anybody confirms it, and the confirmation: on a real record."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from bot.comparing import CompareOffer, compare_offer, confirm_comparison
from bot.desk import Caps, Desk
from bot.intake import Command
from bot.listeners.comparing import compare_command
from finetune.catalogue import Catalogue
from finetune.contract import Label, PromptContract
from finetune.errors import UserError
from finetune.evaluation import Given, Plan
from finetune.held_out import HeldOutRow
from finetune.permissions import Person, Place
from jobstore.blobs import Blobs
from jobstore.doorbell import Doorbell
from jobstore.evaluations import Evaluation
from jobstore.offers import Listing, Offers, Tuned
from tests.bot.cards import shown
from tests.support.samples import TEAM, a_dataset, a_job, a_request, recorded

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from jobstore.connections import Redis
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.store import Store

ROWS: Final = 24
MINA: Final = Person(id="U1", team=TEAM)
LABELS: Final = ("no", "yes")
CONTRACT: Final = PromptContract(
    kind="completion", separator=" ->", stop=("\n",), labels=(Label(" no", 60, 1), Label(" yes", 40, 1))
)
PATH: Final = ("uploading", "creating", "queued", "training", "analysing", "probing", "ready")


def priced(tuned_usd: float | None, base_usd: float | None) -> Catalogue:
    """Return a table where a million tokens cost so much, of a tuned model and of the base."""
    prices = {f"{kind}_usd_per_million": tuned_usd for kind in ("input", "output")}
    prices |= {f"base_{kind}_usd_per_million": base_usd for kind in ("input", "output")}
    model = {"name": "tiny", "provider": "local", "context": 4_096, "methods": ["supervised"], "formats": ["chat"]}
    return Catalogue.load(json.dumps({"as_of": "2026-11-20", "models": [model | prices]}).encode())


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path))


@pytest.fixture
def desk(store: Store, connection: Redis, rq_connection: redis.Redis, blobs: Blobs) -> Desk:
    unused: Any = None
    return Desk(
        store=store, outbox=unused, blobs=blobs, doorbell=Doorbell(rq_connection), catalogue=priced(20.0, 10.0),
        models=("tiny",), providers={"local": ""}, policy=unused, caps=Caps(run_usd=5, month_usd=100),
        max_file_bytes=1, api_url="", lease_s=1, slack_timeout_s=1, listen=unused, evaluation_rows=200,
        offers=Offers(connection),
    )  # fmt: skip


def model_of(desk: Desk, answers: int = ROWS, *, state: str = "ready", **changes: Any) -> Record[Job]:
    """Return a job with a model that has answered so many of its held-out rows for a cent each."""
    blobs = desk.blobs
    rows = [HeldOutRow(f"question {number}", LABELS[number % 2]) for number in range(ROWS)]
    lines = "".join(
        json.dumps({"prompt": f"{row.question} ->", "completion": f" {row.expected}\n"}) + "\n" for row in rows
    )
    kept, _ = blobs.put(TEAM, [CONTRACT.as_json()])
    plan, _ = blobs.put(TEAM, [msgspec.json.encode(Plan(rows=tuple(rows), labels=LABELS))])
    given, _ = blobs.put(TEAM, [msgspec.json.encode([Given(row.expected) for row in rows[:answers]])])
    evaluation = Evaluation(
        plan=plan, rows=ROWS, held_out=ROWS, begun_ms=1, answers=given, asked=answers, cost_usd=0.01 * answers
    )
    dataset = recorded(desk.store, a_dataset())
    usual: dict[str, Any] = {
        "request": a_request(dataset=dataset.id),
        "contract": kept,
        "model": "ft:tiny",
        "evaluation": evaluation if answers else None,
        "valid_blob": blobs.put_text(TEAM, lines),
    }
    ref = recorded(desk.store, a_job(**usual | changes))
    for step in PATH[: PATH.index(state) + 1] if state in PATH else ():
        now = desk.store.get(ref)
        assert now is not None
        desk.store.transition(now, step, now.data)
    record = desk.store.get(ref)
    assert record is not None
    return record


def with_base(desk: Desk, job: Record[Job]) -> CompareOffer:
    return compare_offer(desk, job, MINA, "base", None)


def code_of(desk: Desk, job: Record[Job], against: str = "base", old: Record[Job] | None = None) -> str:
    with pytest.raises(UserError) as refused:
        compare_offer(desk, job, MINA, against, old)
    return refused.value.code


def test_only_what_was_not_answered_is_quoted(desk: Desk) -> None:
    offer = with_base(desk, model_of(desk))
    assert (offer.request.tuned_rows, offer.request.other_rows) == (0, ROWS)
    assert (offer.request.tuned_usd, offer.request.other) == (0.0, "tiny")
    half = with_base(desk, model_of(desk, ROWS // 2))
    assert (half.request.tuned_rows, half.request.other_rows) == (ROWS // 2, ROWS)
    assert half.request.most_usd > offer.request.most_usd > 0


def test_what_is_confirmed_is_reserved_up_to_a_cent_and_written_down(desk: Desk) -> None:
    offer = with_base(desk, model_of(desk))
    ref, is_new = confirm_comparison(desk, offer)
    record = desk.store.get(ref)
    assert is_new
    assert record is not None
    data = record.data
    assert data.reserved_micros == math.ceil(offer.request.most_usd * 100) * 10_000
    for account in ("", "person:U1", f"channel:{data.channel}"):
        assert desk.store.spend(TEAM, data.month, account) == (data.reserved_micros / 1_000_000, 0.0)
    (entry,) = desk.store.audit(TEAM)
    assert (entry["act"], entry["person"], entry["digest"], entry["on"]) == (
        "compare", "U1", offer.request.digest(), "comparison:c1",
    )  # fmt: skip


def test_confirmed_twice_it_is_one_comparison(desk: Desk) -> None:
    job = model_of(desk)
    offer = with_base(desk, job)
    first, again = confirm_comparison(desk, offer), confirm_comparison(desk, offer)
    assert (first[0], again) == (again[0], (first[0], False))
    before = with_base(desk, job).before
    assert before is not None
    assert before.ref == first[0]
    assert desk.store.spend(TEAM, before.data.month)[0] == before.data.reserved_micros / 1_000_000


def test_after_one_that_failed_another_is_offered_and_the_old_button_does_not_confirm_it(desk: Desk) -> None:
    job = model_of(desk)
    first = with_base(desk, job)
    ref, _ = confirm_comparison(desk, first)
    record = desk.store.get(ref)
    assert record is not None
    desk.store.transition(record, "failed", record.data)
    again = with_base(desk, job)
    assert (again.before, again.request.after) == (None, ref.id)
    assert again.request.digest() != first.request.digest()
    assert confirm_comparison(desk, again)[1]


def test_one_that_goes_on_is_not_offered_again_though_a_side_has_stopped(desk: Desk) -> None:
    job = model_of(desk)
    ref, _ = confirm_comparison(desk, with_base(desk, job))
    record = desk.store.get(ref)
    assert record is not None
    stopped = Evaluation(plan="", rows=ROWS, held_out=ROWS, begun_ms=1, asked=8, stopped="time")
    half = dataclasses.replace(record.data.other, evaluation=stopped)
    desk.store.transition(record, "comparing", record.having(other=half))
    before = with_base(desk, job).before
    assert before is not None
    assert before.ref == ref


@pytest.mark.parametrize("said", ["m2", "with=m2", "with m2", "and m2", "vs. m2", "against J2"])
def test_the_other_model_is_named_as_people_name_it(desk: Desk, said: str) -> None:
    assert model_of(desk).ref.id == "j1"
    model_of(desk, 0, model="ft:old")
    answer = compare_command(desk, lambda ref, *_: desk.store.get(ref))
    given = {"team": TEAM, "channel": "C1", "person": "U1", "trigger": "T", "verb": "compare"}
    asked = answer(Command(**given, rest=f"m1 {said}"), MINA, Place(channel="C1"))
    assert "Comparing *m1* with *m2*" in shown(asked)
    with pytest.raises(UserError, match="one model at a time"):
        answer(Command(**given, rest="m1 m2 m3"), MINA, Place(channel="C1"))


def test_a_cap_forbids_it_in_words(desk: Desk) -> None:
    poor = dataclasses.replace(desk, caps=Caps(run_usd=0.001, month_usd=100))
    with pytest.raises(UserError) as refused:
        confirm_comparison(poor, with_base(poor, model_of(poor)))
    assert refused.value.code == "over-run-cap"
    assert "Comparing them may cost" in refused.value.message
    assert "TUNEROOM_EVALUATION_ROWS" in refused.value.hint
    assert desk.store.audit(TEAM) == []


def test_what_has_no_price_is_not_asked(desk: Desk) -> None:
    answered, unasked = model_of(desk), model_of(desk, 0)
    no_base = dataclasses.replace(desk, catalogue=priced(20.0, None))
    assert code_of(no_base, answered) == "price-unknown"
    only_base = dataclasses.replace(desk, catalogue=priced(None, 10.0))
    assert with_base(only_base, answered).request.most_usd > 0, "the tuned model is not asked anything"
    assert code_of(only_base, unasked) == "price-unknown"


def test_each_model_is_quoted_at_its_own_price(desk: Desk) -> None:
    request = with_base(desk, model_of(desk, 0)).request
    assert request.tuned_usd == pytest.approx(2 * request.other_usd)


def test_without_rows_there_is_nothing_to_count(desk: Desk) -> None:
    assert code_of(desk, model_of(desk, 0, valid_blob="")) == "nothing-to-count"
    assert code_of(dataclasses.replace(desk, evaluation_rows=0), model_of(desk)) == "comparing-off"


def test_a_model_that_is_to_be_asked_must_answer(desk: Desk) -> None:
    probing = model_of(desk, 0, state="probing")
    assert code_of(desk, probing) == "not-ready"
    assert code_of(desk, model_of(desk, 0, state="training", model="")) == "not-ready"
    assert code_of(desk, model_of(desk), probing.ref.id, probing) == "not-ready"


def test_an_older_model_is_compared_by_its_own_contract_and_its_answers_are_used_again(desk: Desk) -> None:
    new, old = model_of(desk, model="ft:new"), model_of(desk, 10, model="ft:old")
    offer = compare_offer(desk, new, MINA, old.ref.id, old)
    assert (offer.request.other, offer.request.other_rows) == ("ft:old", ROWS - 10)
    assert (offer.comparison.other.job, offer.comparison.other.contract) == (old.ref.id, old.data.contract)


def test_a_model_of_the_account_is_compared_as_long_as_the_provider_lists_it(desk: Desk, connection: Redis) -> None:
    listed = Tuned(model="ft:tiny:acme::abc", base="tiny", run="ftjob-9")
    Offers(connection).keep("local", Listing(at_ms=1, tuned=(listed,)), again_in_ms=1)
    job = model_of(desk)
    offer = compare_offer(desk, job, MINA, listed.model, None)
    assert (offer.comparison.other.model, offer.comparison.other.base) == (listed.model, "tiny")
    assert offer.comparison.other.contract == job.data.contract
    assert code_of(desk, job, "ft:tiny:acme::gone") == "model-unknown"
