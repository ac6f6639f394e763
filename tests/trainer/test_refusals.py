"""What the trainer refuses, and how: OpenAI's status, code and parameter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.trainer.conftest import TrainerProcess, chat_rows

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def file_id(trainer: TrainerProcess) -> str:
    return trainer.upload(chat_rows(12))


@pytest.mark.parametrize("key", ["sk-wrong", "sk-local-test2"])
def test_wrong_key_is_unauthorised(trainer: TrainerProcess, key: str) -> None:
    stranger = trainer.client.copy(api_key=key)
    with pytest.raises(openai.AuthenticationError) as refused:
        stranger.models.list()
    assert refused.value.code == "invalid_api_key"


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"model": "gpt-4.1"}, "model"),
        ({"training_file": "file-unknown"}, "training_file"),
        ({"validation_file": "file-unknown"}, "validation_file"),
        ({"suffix": ""}, "suffix"),
        ({"suffix": "s" * 65}, "suffix"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**31}, "seed"),
        ({"metadata": {str(number): "v" for number in range(17)}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 3}}}}, "method.dpo.hyperparameters.beta"),
        ({"model": "ft:toy-gpt:local:gone:12345678"}, "model"),
        ({"method": {"type": "reinforcement"}}, "method.type"),
        ({"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 51}}}}, "n_epochs"),
        ({"hyperparameters": {"batch_size": 0}}, "batch_size"),
        ({"hyperparameters": {"learning_rate_multiplier": 0}}, "learning_rate_multiplier"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations"),
        ({"extra_body": {"epochs": 3}}, "epochs"),
    ],
)
def test_job_that_cannot_be_is_refused_by_parameter(
    trainer: TrainerProcess, file_id: str, asked: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        trainer.client.fine_tuning.jobs.create(**({"model": "toy-gpt", "training_file": file_id} | asked))
    assert refused.value.status_code in (400, 404)
    assert param in refused.value.param
    assert refused.value.type == "invalid_request_error"


def test_deprecated_hyperparameters_are_still_read(trainer: TrainerProcess, file_id: str) -> None:
    job = trainer.client.fine_tuning.jobs.create(
        model="toy-gpt", training_file=file_id, hyperparameters={"n_epochs": 2, "batch_size": "auto"}
    )
    assert trainer.wait(job.id).hyperparameters.n_epochs == 2


def bad_line(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows[:6]) + b'{"messages": [\n'


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (bad_line, "invalid_training_file", "Line 7"),
        (lambda rows: b"\xff\xfe{}\n" * 12, "invalid_training_file", "Line 1"),
        (lambda rows: [*rows[:11], {"prompt": "a", "completion": "b"}], "invalid_training_file", "Line 12"),
        (lambda rows: b'{"messages":"' + b"x" * 20_000_000 + b'"}\n', "invalid_training_file", "Line 1"),
        (lambda rows: rows[:9], "invalid_n_examples", "9 example"),
        (lambda rows: b"\n\n", "invalid_training_file", "no examples"),
    ],
    ids=["broken", "not-utf8", "mixed", "20-MB-line", "nine", "blank"],
)
def test_bad_training_file_fails_the_job_with_its_line(
    trainer: TrainerProcess, make: Callable[[list[dict[str, Any]]], Any], code: str, words: str
) -> None:
    job = trainer.wait(trainer.create(trainer.upload(make(chat_rows(12)))).id)
    assert (job.status, job.error.code, job.error.param) == ("failed", code, "training_file")
    assert words in job.error.message


def test_bad_validation_file_fails_the_job(trainer: TrainerProcess, file_id: str) -> None:
    wrong = trainer.upload([{"prompt": "a", "completion": "b"}] * 2)
    job = trainer.wait(trainer.create(file_id, validation_file=wrong).id)
    assert (job.error.code, job.error.param) == ("invalid_validation_file", "validation_file")


@pytest.mark.parametrize(
    "asked",
    [
        {"stream_options": {"include_usage": True}},
        {"n": 9},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"response_format": {"type": "json_object"}},
        {"top_logprobs": 3},
        {"temperature": 2.5},
        {"stop": ["a", "b", "c", "d", "e"]},
        {"messages": []},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_chat_that_cannot_be_answered_is_refused(trainer: TrainerProcess, asked: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        trainer.client.chat.completions.create(
            **({"model": "toy-gpt", "messages": [{"role": "user", "content": "x"}]} | asked)
        )
    assert refused.value.param.split(".")[0] in asked


def test_unknown_things_are_not_found(trainer: TrainerProcess) -> None:
    client = trainer.client
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="gpt-4.1", messages=[{"role": "user", "content": "x"}])
    assert refused.value.code == "model_not_found"
    for look in (
        lambda: client.models.retrieve("ft:toy-gpt:local::nobody"),
        lambda: client.fine_tuning.jobs.retrieve("ftjob-nobody"),
        lambda: client.fine_tuning.jobs.list(after="ftjob-nobody"),
        lambda: client.files.retrieve("file-nobody"),
        lambda: client.files.content("file-../../key"),
        client.batches.list,
    ):
        with pytest.raises(openai.NotFoundError):
            look()


def test_base_model_cannot_be_deleted(trainer: TrainerProcess) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        trainer.client.models.delete("toy-gpt")
