"""Which rows a model is asked about: the frozen test part where there is one, and never a row that was learnt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from finetune.contract import Label, PromptContract
from finetune.evaluation import Given, Plan
from finetune.held_out import HeldOutRow
from finetune.launch import Parent
from finetune.splitting.division import Division
from jobstore.blobs import Blobs
from jobstore.evaluations import Evaluation
from jobstore.questions import answers_of, questions_before, questions_of
from jobstore.records import Made
from tests.support.samples import TEAM, a_dataset, a_job, a_request, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from finetune.splitting.division import Part
    from jobstore.jobs import Job
    from jobstore.records import Record, Ref
    from jobstore.store import Store

CONTRACT: Final = PromptContract(kind="completion", separator=" ->", labels=(Label(" no", 60, 1), Label(" yes", 40, 1)))
DIVISION: Final = Division(part="train", valid=0.1, test=0.2, seed=7, format_name="prompt-completion")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path))


def rows(name: str, count: int = 6) -> str:
    lines = ({"prompt": f"{name} {n} ->", "completion": f" {('no', 'yes')[n % 2]}"} for n in range(count))
    return "".join(json.dumps(line) + "\n" for line in lines)


def a_part(store: Store, blobs: Blobs, part: Part, text: str, division: Division = DIVISION, **made: str) -> Ref:
    """Record one part of a split as a worker leaves it."""
    recipe, _ = blobs.put(TEAM, [replace(division, part=part).as_json()])
    of = {"parent": "d1", "original": "d1", "number": "2", "source": "ab", "source_name": "a.jsonl"}
    data = a_dataset(sha256=blobs.put_text(TEAM, text), made=Made(**of | made, recipe=recipe, part=part))
    return recorded(store, data)


def a_trained_job(store: Store, blobs: Blobs, dataset: Ref, *, parent: str = "", **changes: str) -> Record[Job]:
    kept, _ = blobs.put(TEAM, [CONTRACT.as_json()])
    request = a_request(dataset=dataset.id, parent=Parent(job=parent, name="ft:old") if parent else None)
    ref = recorded(
        store, a_job(contract=kept, request=request, valid_blob=blobs.put_text(TEAM, rows("valid")), **changes)
    )
    record = store.get(ref)
    assert record is not None
    return record


def asked(store: Store, blobs: Blobs, job: Record[Job]) -> tuple[str, set[str]]:
    """Return where the rows are from, and the first word of each."""
    found = questions_of(store, blobs, job, limit=100)
    assert found is not None
    assert found.total >= len(found.plan.rows)
    return found.source, {row.question.split()[0] for row in found.plan.rows}


def test_the_test_part_of_the_same_split_is_asked(store: Store, blobs: Blobs) -> None:
    a_part(store, blobs, "test", rows("frozen"))
    job = a_trained_job(store, blobs, a_part(store, blobs, "train", rows("train")))
    assert asked(store, blobs, job) == ("test", {"frozen"})


@pytest.mark.parametrize(
    ("division", "made"),
    [
        (replace(DIVISION, seed=8), {}),
        (replace(DIVISION, test=0.3), {}),
        (DIVISION, {"parent": "d5"}),
        (DIVISION, {"source": "cd"}),
    ],
    ids=["another seed", "another share", "another dataset", "other bytes"],
)
def test_the_test_part_of_another_split_is_not(
    store: Store, blobs: Blobs, division: Division, made: dict[str, str]
) -> None:
    """Its rows may be among those that this model was trained on."""
    a_part(store, blobs, "test", rows("other"), division, **made)
    job = a_trained_job(store, blobs, a_part(store, blobs, "train", rows("train")))
    assert asked(store, blobs, job) == ("", {"valid"})


def test_without_a_split_the_rows_held_out_are_asked(store: Store, blobs: Blobs) -> None:
    assert asked(store, blobs, a_trained_job(store, blobs, recorded(store, a_dataset()))) == ("", {"valid"})


def test_a_test_part_whose_bytes_are_gone_is_as_none(store: Store, blobs: Blobs, tmp_path: Path) -> None:
    part = store.get(a_part(store, blobs, "test", rows("frozen")))
    assert part is not None
    (tmp_path / TEAM / part.data.sha256).unlink()
    job = a_trained_job(store, blobs, a_part(store, blobs, "train", rows("train")))
    assert asked(store, blobs, job) == ("", {"valid"})


def test_what_the_model_before_was_trained_on_is_left_out(store: Store, blobs: Blobs) -> None:
    a_part(store, blobs, "test", rows("frozen"))
    trained_on = blobs.put_text(TEAM, rows("FROZEN", 4))  # the same questions but for capitals
    before = a_trained_job(store, blobs, recorded(store, a_dataset()), train_blob=trained_on)
    job = a_trained_job(store, blobs, a_part(store, blobs, "train", rows("train")), parent=before.ref.id)
    found = questions_of(store, blobs, job, limit=100)
    assert found is not None
    assert {row.question for row in found.plan.rows} == {"frozen 4", "frozen 5"}


def test_where_every_row_was_learnt_nothing_is_asked(store: Store, blobs: Blobs) -> None:
    before = a_trained_job(store, blobs, recorded(store, a_dataset()), train_blob=blobs.put_text(TEAM, rows("valid")))
    job = a_trained_job(store, blobs, recorded(store, a_dataset()), parent=before.ref.id)
    assert questions_of(store, blobs, job, limit=100) is None


def test_answers_are_found_again_by_their_row_unless_a_checkpoint_answers_now(store: Store, blobs: Blobs) -> None:
    plan = Plan(rows=tuple(HeldOutRow(f"q{number}", "yes") for number in range(3)))
    kept, _ = blobs.put(TEAM, [msgspec.json.encode(plan)])
    answers, _ = blobs.put(TEAM, [msgspec.json.encode([Given("yes"), Given(None)])])
    evaluation = Evaluation(plan=kept, rows=3, held_out=3, begun_ms=1, answers=answers, asked=2)
    record = store.get(recorded(store, a_job(evaluation=evaluation)))
    assert record is not None
    assert answers_of(blobs, record) == {plan.rows[0]: Given("yes"), plan.rows[1]: Given(None)}
    assert answers_of(blobs, replace(record, data=record.having(used_step=600))) == {}


def test_rows_that_a_model_was_asked_are_at_hand_without_its_dataset(
    store: Store, blobs: Blobs, tmp_path: Path
) -> None:
    plan = Plan(rows=tuple(HeldOutRow(f"q{number}", "yes") for number in range(3)))
    kept, _ = blobs.put(TEAM, [msgspec.json.encode(plan)])
    evaluation = Evaluation(plan=kept, rows=3, held_out=9, begun_ms=1, source="test")
    record = store.get(recorded(store, a_job(evaluation=evaluation, valid_blob="gone")))
    assert record is not None
    found = questions_before(blobs, record)
    assert found is not None
    assert (found.plan, found.total, found.source) == (plan, 9, "test")

    (tmp_path / TEAM / kept).unlink()
    assert questions_before(blobs, record) is None
    assert questions_before(blobs, replace(record, data=record.having(evaluation=None))) is None
