"""Runs that are killed, paused and resumed end as if nothing had happened; runs in line wait for their turn."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import openai
import pytest

from tests.trainer.conftest import chat_rows, wait_for

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

    from tests.trainer.conftest import TrainerProcess

STEPS = 32  # in an epoch: so many rows, one at a time


def kill_child(trainer: TrainerProcess, job: FineTuningJob) -> None:
    lock = trainer.home / "data" / "jobs" / job.id / "training.lock"
    with contextlib.suppress(ProcessLookupError):  # it dies with its server, and may have been as quick
        os.kill(int(lock.read_text()), signal.SIGKILL)
    wait_for(lambda: not trainer.is_training(job.id), seconds=10)


def weights(trainer: TrainerProcess, job: FineTuningJob) -> bytes:
    return (trainer.home / "data" / "jobs" / job.id / "model" / "model.safetensors").read_bytes()


def said(trainer: TrainerProcess, job: FineTuningJob, pattern: str) -> list[str]:
    """What the job's events captured by a pattern say, oldest first."""
    found = (re.search(pattern, event.message) for event in trainer.events(job.id) if event.type == "message")
    return [match[1] for match in found if match]


def insist_on_twins(trainer: TrainerProcess, disturbed: FineTuningJob, undisturbed: FineTuningJob) -> None:
    """The same weights to the last bit, every step told once and in order, every checkpoint once."""
    assert trainer.wait(disturbed.id).status == trainer.wait(undisturbed.id).status == "succeeded"
    assert weights(trainer, disturbed) == weights(trainer, undisturbed)
    expected = [event.data for event in trainer.metrics(undisturbed.id)]
    assert [event.data for event in trainer.metrics(disturbed.id)] == expected
    assert [one["step"] for one in expected] == list(range(1, len(expected) + 1))
    checkpoints = r"Checkpoint created at step (\d+)"
    assert said(trainer, disturbed, checkpoints) == said(trainer, undisturbed, checkpoints)
    ids = [event.id for event in trainer.events(disturbed.id)]
    assert len(ids) == len(set(ids))
    contents = [
        trainer.client.files.content(trainer.wait(job.id).result_files[0]).read() for job in (disturbed, undisturbed)
    ]
    assert contents[0] == contents[1]


def test_run_whose_server_and_child_are_killed_goes_on_to_the_same_weights(own_trainer: TrainerProcess) -> None:
    rows = chat_rows(STEPS + 10)
    training, validation = own_trainer.upload(rows[:STEPS]), own_trainer.upload(rows[STEPS:])
    job, twin = (own_trainer.create(training, 7, 1, validation_file=validation, seed=11) for _ in range(2))
    for step in (STEPS + 5, 3 * STEPS + 5):
        own_trainer.wait_for_step(job.id, step)
        own_trainer.kill()
        kill_child(own_trainer, job)
        own_trainer.start()
    insist_on_twins(own_trainer, job, twin)
    first, second = (int(step) for step in said(own_trainer, job, r"goes on from step (\d+)"))
    assert STEPS <= first <= second < 7 * STEPS
    assert first % STEPS == second % STEPS == 0
    assert len(said(own_trainer, job, r"(restart of the trainer)")) == 2


def test_run_whose_process_alone_is_killed_goes_on_from_its_checkpoint(trainer: TrainerProcess) -> None:
    file_id = trainer.upload(chat_rows(STEPS))
    job, twin = (trainer.create(file_id, 5, 1, seed=5) for _ in range(2))
    trainer.wait_for_step(job.id, STEPS + 1)
    kill_child(trainer, job)
    insist_on_twins(trainer, job, twin)
    [step] = said(trainer, job, r"goes on from step (\d+)")
    assert int(step) % STEPS == 0


def test_paused_run_lets_others_pass_and_resumes_to_the_same_weights(trainer: TrainerProcess) -> None:
    file_id = trainer.upload(chat_rows(STEPS))
    job, twin = (trainer.create(file_id, 5, 1, seed=3) for _ in range(2))
    trainer.wait_for_step(job.id, 10)
    assert trainer.client.fine_tuning.jobs.pause(job.id).status in ("pausing", "paused")
    assert trainer.wait(job.id, "paused").finished_at is None
    assert not trainer.is_training(job.id)
    assert trainer.wait(twin.id).status == "succeeded"
    assert trainer.client.fine_tuning.jobs.retrieve(job.id).status == "paused"
    with pytest.raises(openai.BadRequestError, match="paused"):
        trainer.client.fine_tuning.jobs.pause(job.id)
    trainer.client.fine_tuning.jobs.resume(job.id)
    insist_on_twins(trainer, job, twin)
    assert said(trainer, job, r"paused at step (\d+)") == said(trainer, job, r"goes on from step (\d+)")


def test_pause_in_line_outlives_a_restart_and_can_be_cancelled(own_trainer: TrainerProcess) -> None:
    jobs = own_trainer.client.fine_tuning.jobs
    file_id = own_trainer.upload(chat_rows(60))
    first, second, third = (own_trainer.create(file_id, 50, 1) for _ in range(3))
    own_trainer.wait_for_step(first.id, 1)
    for job in (second, third):
        own_trainer.wait(job.id, "queued")
        assert jobs.pause(job.id).status == "paused"
    jobs.pause(first.id)
    own_trainer.kill()  # perhaps before it has paused
    own_trainer.start()
    jobs = own_trainer.client.fine_tuning.jobs
    assert own_trainer.wait(first.id, "paused")
    assert jobs.cancel(second.id).status == "cancelled"
    assert jobs.resume(third.id).status in ("queued", "running")
    own_trainer.wait_for_step(third.id, 1)
    with pytest.raises(openai.BadRequestError, match="cancelled"):
        jobs.resume(second.id)
    jobs.cancel(third.id)
    assert own_trainer.metrics(second.id) == []


def test_jobs_created_at_once_are_trained_one_after_another_in_order(trainer: TrainerProcess) -> None:
    file_id = trainer.upload(chat_rows(12))
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(lambda number: trainer.create(file_id, metadata={"burst": "1"}), range(4)))
    in_order = list(trainer.client.fine_tuning.jobs.list(metadata={"burst": "1"}))[::-1]
    assert {job.id for job in in_order} == {job.id for job in created}
    assert {trainer.wait(job.id).status for job in in_order} == {"succeeded"}
    steps = [event for job in in_order for event in trainer.metrics(job.id)]
    times = [event.created_at for event in steps]
    assert times == sorted(times)
    finished = [trainer.wait(job.id).finished_at for job in in_order]
    assert finished == sorted(finished)
