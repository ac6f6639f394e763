"""Jobs that are cancelled, wait in line, are found again, or whose server dies."""

from __future__ import annotations

import os
import signal

import openai
import pytest

from tests.trainer.conftest import TrainerProcess, chat_rows


def test_cancel_ends_the_training_process_at_once(trainer: TrainerProcess) -> None:
    job = trainer.create(trainer.upload(chat_rows(60)), epochs=50, batch=1)
    trainer.wait_for_step(job.id, 3)
    running = trainer.client.fine_tuning.jobs.retrieve(job.id)
    assert running.status == "running"
    assert running.estimated_finish >= running.created_at
    assert trainer.is_training(job.id)
    cancelled = trainer.client.fine_tuning.jobs.cancel(job.id)
    assert cancelled.status == "cancelled"
    assert cancelled.fine_tuned_model is None
    assert not trainer.is_training(job.id)
    assert "cancelled" in trainer.events(job.id)[-1].message
    with pytest.raises(openai.BadRequestError, match="already"):
        trainer.client.fine_tuning.jobs.cancel(job.id)


def test_second_job_waits_in_line_and_can_be_cancelled_there(trainer: TrainerProcess) -> None:
    file_id = trainer.upload(chat_rows(60))
    first, second = (trainer.create(file_id, epochs=50, batch=1) for _ in range(2))
    trainer.wait_for_step(first.id, 1)
    trainer.wait(second.id, "queued")
    assert not trainer.is_training(second.id)
    trainer.client.fine_tuning.jobs.cancel(second.id)
    trainer.client.fine_tuning.jobs.cancel(first.id)
    assert trainer.metrics(second.id) == []


def test_job_is_found_again_by_its_metadata(trainer: TrainerProcess) -> None:
    file_id = trainer.upload(chat_rows(12))
    wanted = trainer.create(file_id, metadata={"intent": "find-me", "team": "T1"})
    other = trainer.create(file_id, metadata={"intent": "find-another", "team": "T1"})
    jobs = trainer.client.fine_tuning.jobs
    assert [job.id for job in jobs.list(metadata={"intent": "find-me", "team": "T1"})] == [wanted.id]
    assert [job.id for job in jobs.list(metadata={"team": "T1"}, limit=1)] == [other.id, wanted.id]
    assert list(jobs.list(metadata={"intent": "nobody"})) == []
    page = jobs.list(limit=1, metadata={"team": "T1"})
    assert page.has_more
    assert {trainer.wait(job.id).status for job in (wanted, other)} == {"succeeded"}


def test_sigterm_ends_server_and_training_cleanly(own_trainer: TrainerProcess) -> None:
    job = own_trainer.create(own_trainer.upload(chat_rows(60)), epochs=50, batch=1)
    own_trainer.wait_for_step(job.id, 1)
    assert own_trainer.stop() == 0
    assert not own_trainer.is_training(job.id)


def test_second_server_on_the_same_directory_refuses_to_start(own_trainer: TrainerProcess) -> None:
    intruder = TrainerProcess(own_trainer.home)
    with pytest.raises(FileNotFoundError):  # it never writes its port
        intruder.start()
    assert intruder.process.wait(30) != 0
    assert list(own_trainer.client.models.list())


def test_training_process_that_dies_alone_fails_its_job(trainer: TrainerProcess) -> None:
    job = trainer.create(trainer.upload(chat_rows(60)), epochs=50, batch=1)
    trainer.wait_for_step(job.id, 1)
    lock = trainer.home / "data" / "jobs" / job.id / "training.lock"
    os.kill(int(lock.read_text()), signal.SIGKILL)
    failed = trainer.wait(job.id)
    assert (failed.status, failed.error.code, failed.fine_tuned_model) == ("failed", "training_stopped", None)


def test_learning_rate_that_diverges_fails_the_job_with_a_reason(trainer: TrainerProcess) -> None:
    hyperparameters = {"n_epochs": 50, "batch_size": 1, "learning_rate_multiplier": 1e30}
    method = {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
    job = trainer.wait(trainer.create(trainer.upload(chat_rows(12)), method=method).id)
    assert (job.status, job.error.code) == ("failed", "training_diverged")
    assert job.error.param == "learning_rate_multiplier"


def test_suffix_may_hold_anything(trainer: TrainerProcess) -> None:
    job = trainer.wait(trainer.create(trainer.upload(chat_rows(12)), suffix="a/b: c?#%").id)
    assert trainer.client.models.retrieve(job.fine_tuned_model).id == job.fine_tuned_model


def test_deleted_model_is_gone_and_its_job_stays(trainer: TrainerProcess) -> None:
    job = trainer.wait(trainer.create(trainer.upload(chat_rows(12))).id)
    assert trainer.client.models.delete(job.fine_tuned_model).deleted
    with pytest.raises(openai.NotFoundError):
        trainer.client.chat.completions.create(model=job.fine_tuned_model, messages=[{"role": "user", "content": "x"}])
    assert trainer.client.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
