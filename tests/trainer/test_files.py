"""Files: what goes in comes out."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import openai
import pytest

from tests.trainer.conftest import KEY, chat_rows

if TYPE_CHECKING:
    from tests.trainer.conftest import TrainerProcess


def test_file_comes_back_as_it_was_sent(trainer: TrainerProcess) -> None:
    raw = bytes(range(256)) * 9000  # more than what is kept in memory while it arrives
    files = trainer.client.files
    made = files.create(file=("täg <!channel>.jsonl", raw), purpose="fine-tune")
    assert (made.bytes, made.filename, made.status) == (len(raw), "täg <!channel>.jsonl", "processed")
    assert files.content(made.id).read() == raw
    assert made.id in {one.id for one in files.list(purpose="fine-tune")}
    assert files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        files.retrieve(made.id)


def test_files_are_listed_newest_first_by_page(trainer: TrainerProcess) -> None:
    made = [trainer.upload(b"{}") for _ in range(3)]
    newest = [one.id for one in trainer.client.files.list(limit=2).data]
    assert newest == made[:0:-1]
    oldest_first = [one.id for one in trainer.client.files.list(order="asc")]
    assert [one for one in oldest_first if one in made] == made


def test_empty_file_and_other_purposes_are_refused(trainer: TrainerProcess) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        trainer.client.files.create(file=("e.jsonl", b""), purpose="fine-tune")
    assert refused.value.param == "file"
    with pytest.raises(openai.BadRequestError) as refused:
        trainer.client.files.create(file=("e.jsonl", b"{}"), purpose="assistants")
    assert refused.value.param == "purpose"


def test_file_beyond_the_limit_is_refused_before_it_is_read(trainer: TrainerProcess) -> None:
    connection = HTTPConnection(trainer.client.base_url.host, trainer.client.base_url.port, timeout=10)
    connection.putrequest("POST", "/v1/files")
    connection.putheader("Authorization", f"Bearer {KEY}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(600 * 1024 * 1024))
    connection.endheaders()
    reply = connection.getresponse()
    assert (reply.status, json.load(reply)["error"]["code"]) == (413, "file_too_large")
    connection.close()


def test_job_keeps_the_data_of_a_deleted_file(trainer: TrainerProcess) -> None:
    file_id = trainer.upload(chat_rows(12))
    job = trainer.create(file_id)
    trainer.client.files.delete(file_id)
    assert trainer.wait(job.id).status == "succeeded"
