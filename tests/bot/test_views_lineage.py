"""Where a model comes from: everything that it rests on can be read, as far as it is still kept."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from bot.lineage import Lineage, Version
from bot.views.lineage import lineage_message
from finetune.launch import Parent, Validation
from jobstore.jobs import Checkpoint
from jobstore.records import Dataset, Made, Record, Ref
from jobstore.states import Kind
from tests.bot.block_limits import problems_of_message
from tests.bot.cards import NOON_MS, a_job, a_request, shown

if TYPE_CHECKING:
    from jobstore.jobs import Job

FILE_SHA, MENDED_SHA, MEASURE_SHA = "ab" * 32, "cd" * 32, "ef" * 32


def a_dataset(handle: str, sha256: str, **changes: Any) -> Record[Dataset]:
    data = Dataset(
        channel="C1", person="UMINA", message_ts="1.1", file_id="F1", filename=f"{handle}.csv", sha256=sha256, **changes
    )
    return Record(ref=Ref("T1", Kind.DATASET, handle), state="accepted", version=3, data=data)


def a_lineage(**changes: Any) -> Lineage:
    """A model of mended rows, gone on from an earlier one, measured by another file."""
    request = dataclasses.replace(
        a_request(),
        epochs=None,
        holdout_percent=0,
        validation=Validation(dataset="d9", sha256=MEASURE_SHA),
        parent=Parent(job="j7", name="ft:earlier", step=600),
    )
    job = a_job(
        "ready", request=request, cost_usd=3.7, trained_tokens=412_000, run="ftjob-1", model="ft:done:1",
        train_file="file-train", valid_file="file-valid", result_file="file-result", trained_epochs=4, trained_rate=1.8,
        checkpoints=(Checkpoint(name="ft:done:1:ckpt-step-88", step=88),), **changes,
    )  # fmt: skip
    made = Made(parent="d12", original="d12", number="2", source=FILE_SHA, source_name="d12.csv", recipe="00" * 32)
    versions = (
        Version(a_dataset("d13", MENDED_SHA, made=made), {"fixes": ["duplicate-row", "column-case"]}),
        Version(a_dataset("d12", FILE_SHA), None),
    )
    parent: Record[Job] = a_job("ready")
    return Lineage(job, (parent,), versions, a_dataset("d9", MEASURE_SHA))


@pytest.mark.parametrize(
    "fact",
    [
        FILE_SHA, MENDED_SHA, MEASURE_SHA, "fixed duplicate-row, column-case", "*Split seed:* 7",
        "*Goes on from:* m7 at step 600", "*Epochs:* auto", "*Auto became:* 4 epochs, learning rate x1.8",
        "*Quoted:* about $3.71, prices of 2026-11-15", "*Cost:* $3.70", "*Tokens trained:* 412,000",
        "*Asked and confirmed by:* <@UMINA>", "ftjob-1", "ft:done:1", "file-train", "file-valid", "file-result",
        "ft:done:1:ckpt-step-88",
    ],
)  # fmt: skip
def test_everything_that_a_model_rests_on_is_told(fact: str) -> None:
    assert fact in shown(lineage_message(a_lineage(), NOON_MS))


def test_the_digest_that_was_confirmed_is_told_whole() -> None:
    lineage = a_lineage()
    assert lineage.job.data.digest in shown(lineage_message(lineage, NOON_MS))


def test_what_was_chosen_is_not_said_to_have_become_anything() -> None:
    chosen = a_job("ready", trained_epochs=3, trained_rate=None)
    assert "Auto became" not in shown(lineage_message(Lineage(chosen, (), (), None), NOON_MS))


def test_a_rate_that_the_provider_chose_is_told_as_one() -> None:
    job = a_job("ready", trained_rate=1e-5)
    assert "*Auto became:* learning rate 1e-05" in shown(lineage_message(Lineage(job, (), (), None), NOON_MS))


def test_a_dataset_that_is_gone_is_said_to_be() -> None:
    message = lineage_message(Lineage(a_job("ready"), (), (), None), NOON_MS)
    assert "d12 is no longer kept" in shown(message)


def test_a_long_lineage_keeps_slack_s_limits() -> None:
    lineage = a_lineage()
    many = dataclasses.replace(lineage, parents=lineage.parents * 10, versions=lineage.versions * 5)
    assert problems_of_message(lineage_message(many, NOON_MS)) == []
