"""The trainer misbehaves when it is told to, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

from tests.trainer.conftest import TrainerProcess, chat_rows, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATE = {"method": "POST", "path": "/v1/fine_tuning/jobs"}
CANCEL = {"method": "POST", "path": "/v1/fine_tuning/jobs/*/cancel"}


@pytest.fixture
def awkward(trainer: TrainerProcess) -> Iterator[TrainerProcess]:
    yield trainer
    assert trainer.switch(list_lag_s=0, lose_replies=[]) == {"list_lag_s": 0, "lose_replies": []}


def names(trainer: TrainerProcess, intent: str) -> list[str]:
    return [job.id for job in trainer.client.fine_tuning.jobs.list(metadata={"intent": intent})]


def test_lost_reply_is_work_done_once_without_an_answer(awkward: TrainerProcess) -> None:
    file_id = awkward.upload(chat_rows(12))
    awkward.switch(lose_replies=[CREATE, CANCEL])
    with pytest.raises(openai.APIConnectionError):
        awkward.create(file_id, metadata={"intent": "lost"})
    [job_id] = names(awkward, "lost")
    assert awkward.create(file_id, metadata={"intent": "answered"}).status == "validating_files"
    with pytest.raises(openai.APIConnectionError):
        awkward.client.fine_tuning.jobs.cancel(job_id)
    assert awkward.client.fine_tuning.jobs.retrieve(job_id).status == "cancelled"


def test_list_lags_behind_what_can_be_retrieved(awkward: TrainerProcess) -> None:
    awkward.switch(list_lag_s=3600)
    job = awkward.create(awkward.upload(chat_rows(12)), metadata={"intent": "late"})
    assert awkward.client.fine_tuning.jobs.retrieve(job.id).id == job.id
    assert names(awkward, "late") == []
    awkward.switch(list_lag_s=0.3)
    assert wait_for(lambda: names(awkward, "late"), seconds=10) == [job.id]


def test_switches_need_the_key_and_known_names(awkward: TrainerProcess) -> None:
    url = str(awkward.client.base_url.join("/trainer/switches"))
    with pytest.raises(openai.AuthenticationError):
        awkward.client.copy(api_key="sk-wrong").post(url, body={"list_lag_s": 5}, cast_to=object)
    for wrong in ({"list_lag": 5}, {"list_lag_s": -1}, {"lose_replies": [{"method": "POST", "path": "/healthz"}]}):
        with pytest.raises(openai.BadRequestError):
            awkward.switch(**wrong)


def test_switches_can_be_set_on_the_command_line(tmp_path: Path) -> None:
    options = ("--list-lag-s", "3600", "--lose-reply", "GET /v1/models")
    running = TrainerProcess(tmp_path, options).start()
    with pytest.raises(openai.APIConnectionError):
        running.client.models.list()
    assert running.client.models.list().data
    assert running.switch() == {"list_lag_s": 3600, "lose_replies": []}
    assert running.stop() == 0
