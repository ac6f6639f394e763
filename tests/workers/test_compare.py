"""Two models asked the same rows, stage by stage on a real record: once each, within the price, over a death."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from finetune.comparison import Paired, Verdict
from finetune.evaluation import Plan
from finetune.held_out import HeldOutRow
from jobstore.money import Reservation
from jobstore.records import Ref
from jobstore.states import Kind
from tests.support.samples import CHANNEL, MONTH, TEAM, a_comparison, a_job, a_side, recorded
from tests.support.waiting import wait_for
from tests.workers.test_evaluate import CONTRACT, Bench, DeathError
from tests.workers.test_evaluate import bench as bench  # noqa: PLC0414 - a fixture
from tests.workers.test_evaluate import dying as dying  # noqa: PLC0414 - the same
from tests.workers.test_evaluate import model as model  # noqa: PLC0414 - the same
from workers.perform import perform
from workers.stages.asking import BATCH
from workers.workshop import Timings

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from jobstore.comparisons import Comparison
    from jobstore.records import Record
    from workers.workshop import Workshop

ROWS = 24
"""Three batches: enough for a verdict."""


def right(number: int) -> str:
    return ("no", "yes")[number % 2]


def stages(bench: Bench, ref: Ref, *states: str) -> None:
    for state in states:
        record = bench.store.get(ref)
        assert record is not None
        bench.store.transition(record, state, record.data)


READY = ("uploading", "creating", "queued", "training", "analysing", "probing", "ready")


def evaluated(bench: Bench) -> Ref:
    """Return a job whose model is ready, and was asked about its rows, of which it knew every one."""
    ref = bench.trained(ROWS)
    bench.model.say = lambda prompt: f" {right(int(number))}" if (number := prompt.split()[1]).isdigit() else " hello"
    bench.done(bench.shop(), ref)
    bench.model.asked.clear()
    return ref


def unasked(bench: Bench) -> Ref:
    """Return a job whose model is ready and was asked nothing."""
    kept, _ = bench.blobs.put(TEAM, [CONTRACT.as_json()])
    ref = recorded(bench.store, a_job(contract=kept, model="ft:tiny"))
    stages(bench, ref, *READY)
    return ref


def compared(bench: Bench, job: Ref, **changes: Any) -> Ref:
    """Record that a person confirmed to compare a job's model with its base."""
    contract, _ = bench.blobs.put(TEAM, [CONTRACT.as_json()])
    rows = tuple(HeldOutRow(f"question {number}", right(number)) for number in range(ROWS))
    record = bench.store.get(job)
    assert record is not None
    evaluation = record.data.evaluation
    plan, _ = bench.blobs.put(TEAM, [msgspec.json.encode(Plan(rows=rows, labels=("no", "yes")))])
    sides = {
        "tuned": a_side(job=job.id, model="ft:tiny", contract=contract),
        "other": a_side(model="tiny", contract=contract),
    }
    data = a_comparison(
        **{"job": job.id, "plan": evaluation.plan if evaluation else plan, "rows": ROWS} | sides | changes
    )
    cap = 10_000_000
    reserve = Reservation(month=MONTH, micros=data.reserved_micros, run_cap_micros=cap, month_cap_micros=cap)
    return recorded(bench.store, data, reserve=reserve)


def over(bench: Bench, ref: Ref, shop: Workshop | None = None) -> Record[Comparison]:
    """Perform until there is a verdict, or none."""
    for _ in range(20):
        perform(shop or bench.shop(), ref)
        record = bench.store.get(ref)
        assert record is not None
        if record.at.is_final:
            return record
    raise AssertionError(f"{ref.id} still stands in comparing")


def prompts(bench: Bench) -> dict[str, list[str]]:
    """Return what each model was asked."""
    found: dict[str, list[str]] = {}
    for body in bench.model.asked:
        found.setdefault(body["model"], []).append(body["prompt"])
    return found


def test_what_the_tuned_model_has_answered_is_used_again(bench: Bench) -> None:
    ref = compared(bench, evaluated(bench))
    bench.model.say = lambda _: " no"
    record = over(bench, ref)
    assert {name: len(asked) for name, asked in prompts(bench).items()} == {"tiny": ROWS}
    assert len(set(prompts(bench)["tiny"])) == ROWS
    assert record.data.paired == Paired(both=ROWS // 2, only=ROWS // 2, commonest=ROWS // 2)
    assert [event["verdict"] for event in bench.store.events(ref)[1:]] == [Verdict.BETTER]
    assert record.data.tuned.answer_usd == pytest.approx(0.001)
    assert record.data.cost_usd == pytest.approx(ROWS * 0.001)


def test_a_model_that_was_not_asked_yet_is(bench: Bench) -> None:
    bench.model.say = lambda _: " no"
    record = over(bench, compared(bench, unasked(bench)))
    assert {name: len(asked) for name, asked in prompts(bench).items()} == {"tiny": ROWS, "ft:tiny": ROWS}
    assert record.data.paired == Paired(both=ROWS // 2, none=ROWS // 2, commonest=ROWS // 2)


def test_what_it_cost_is_booked_and_the_rest_given_back(bench: Bench) -> None:
    job = evaluated(bench)
    before = bench.store.spend(TEAM, MONTH)[1]
    ref = compared(bench, job)
    assert bench.store.spend(TEAM, MONTH)[0] == pytest.approx(2.0)
    over(bench, ref)
    assert bench.store.spend(TEAM, MONTH) == (0.0, pytest.approx(before + ROWS * 0.001))


def test_asking_stops_before_it_costs_more_than_was_confirmed(bench: Bench) -> None:
    contract, _ = bench.blobs.put(TEAM, [CONTRACT.as_json()])
    limited = a_side(model="tiny", contract=contract, most_usd=BATCH * 0.001 + 0.0001)
    record = over(bench, compared(bench, evaluated(bench), other=limited))
    assert (record.data.stopped, record.data.cost_usd) == ("price", pytest.approx(BATCH * 0.001))
    assert record.data.paired is not None
    assert (record.data.paired.rows, record.data.paired.verdict) == (BATCH, Verdict.TOO_FEW)


def test_what_the_other_model_was_not_asked_is_not_paid_for_on_this_side_either(bench: Bench) -> None:
    contract, _ = bench.blobs.put(TEAM, [CONTRACT.as_json()])
    limited = a_side(model="tiny", contract=contract, most_usd=BATCH * 0.001 + 0.0001)
    bench.model.say = lambda _: " no"
    record = over(bench, compared(bench, unasked(bench), other=limited))
    asked = prompts(bench)
    assert set(asked["ft:tiny"]) == set(asked["tiny"])
    assert (len(asked["tiny"]), record.data.paired.rows if record.data.paired else 0) == (BATCH, BATCH)


def test_rows_that_the_other_model_was_trained_on_are_left_out(bench: Bench) -> None:
    learnt = [json.dumps({"prompt": f"Question {number} ->", "completion": " no"}) for number in range(4)]
    kept, _ = bench.blobs.put(TEAM, [CONTRACT.as_json()])
    old = recorded(
        bench.store, a_job(contract=kept, model="ft:old", train_blob=bench.blobs.put_text(TEAM, "\n".join(learnt)))
    )
    stages(bench, old, *READY)
    side = a_side(job=old.id, model="ft:old", contract=kept)
    bench.model.say = lambda _: " no"
    record = over(bench, compared(bench, unasked(bench), against=old.id, other=side))
    assert record.data.left_out == 4
    assert record.data.paired is not None
    assert record.data.paired.rows == ROWS - 4
    assert not {f"question {number} ->" for number in range(4)} & {*prompts(bench)["ft:old"]}


def test_a_model_that_learnt_every_row_is_not_asked(bench: Bench) -> None:
    learnt = [json.dumps({"prompt": f"question {number} ->", "completion": " no"}) for number in range(ROWS)]
    kept, _ = bench.blobs.put(TEAM, [CONTRACT.as_json()])
    old = recorded(bench.store, a_job(contract=kept, train_blob=bench.blobs.put_text(TEAM, "\n".join(learnt))))
    side = a_side(job=old.id, model="ft:old", contract=kept)
    record = over(bench, compared(bench, unasked(bench), against=old.id, other=side))
    assert (record.state, record.data.refusal.code if record.data.refusal else "") == ("failed", "rows-learnt")
    assert bench.model.asked == []
    assert bench.store.spend(TEAM, MONTH) == (0.0, 0.0)


def test_a_provider_that_refuses_ends_it_and_nothing_is_held_back(bench: Bench) -> None:
    ref = compared(bench, evaluated(bench))
    spent = bench.store.spend(TEAM, MONTH)[1]
    bench.model.say = lambda _: None
    record = over(bench, ref)
    assert record.state == "failed"
    assert record.data.refusal is not None
    assert bench.store.spend(TEAM, MONTH) == (0.0, pytest.approx(spent))


def test_a_model_put_to_sleep_meanwhile_is_said(bench: Bench) -> None:
    kept, _ = bench.blobs.put(TEAM, [CONTRACT.as_json()])
    asleep = recorded(bench.store, a_job(contract=kept))
    record = over(bench, compared(bench, asleep))
    assert (record.state, record.data.refusal.code if record.data.refusal else "") == ("failed", "asleep")


@pytest.mark.parametrize(("point", "time", "again"), [("evaluate.answered", 2, BATCH), ("compare.done", 1, 0)])
def test_after_a_death_no_kept_answer_is_asked_for_again(
    bench: Bench, dying: Callable[[str, int], None], point: str, time: int, again: int
) -> None:
    shop = dataclasses.replace(bench.shop(), timings=Timings(lease_s=1.0, create_deadline_s=0.5))
    ref = compared(bench, evaluated(bench))
    dying(point, time)
    with pytest.raises(DeathError):
        perform(shop, ref)

    def is_over() -> bool:
        perform(shop, ref)
        record = bench.store.get(ref)
        return record is not None and record.at.is_final

    wait_for(is_over, timeout_s=60)
    asked = prompts(bench)["tiny"]
    assert (len(asked), len(set(asked))) == (ROWS + again, ROWS)
    events = [event["type"] for event in bench.store.events(ref)]
    assert events.count("Compared") == 1
    assert bench.store.spend(TEAM, MONTH)[0] == 0.0


def test_one_message_of_the_models_thread_says_it(bench: Bench, peek: redis.Redis) -> None:
    job = evaluated(bench)
    ref = compared(bench, job)
    over(bench, ref)
    key = f"tuneroom:{{{TEAM}}}:delivery:card:{ref.member}"
    shown = [peek.hget(key, field) for field in ("channel", "view", "parent", "kind")]
    assert shown == [CHANNEL, "comparison", f"card:{job.member}", "card"]
    assert ref == Ref(TEAM, Kind.COMPARISON, "c1")
