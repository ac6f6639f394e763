"""Learning by preference, and going on from a tuned model: by the real SDK, measured on rows that were held out."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import openai
import pytest

from tests.trainer.conftest import chat_rows
from trainer.batches import pad
from trainer.gpt import answer_logits
from trainer.lines import Chat, Message
from trainer.saved_model import load_model
from trainer.template import lay_out

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob

    from tests.trainer.conftest import TrainerProcess
    from trainer.saved_model import SavedModel

THINGS = ("invoice", "parcel", "password", "refund", "login", "address", "order", "coupon")
ASKS = ("Where is my {}?", "I have lost my {}.", "Please change my {}.", "My {} is wrong.", "Is my {} ready?")


def pair(number: int) -> dict[str, Any]:
    """One pair: a kind answer is preferred to a rude one, whatever it is about."""
    thing, ask = THINGS[number % len(THINGS)], ASKS[number // len(THINGS) % len(ASKS)]
    return {
        "input": {"messages": [{"role": "user", "content": ask.format(thing)}]},
        "preferred_output": [{"role": "assistant", "content": f"Gladly, we look after your {thing}."}],
        "non_preferred_output": [{"role": "assistant", "content": f"Leave us alone with your {thing}!"}],
    }


PAIRS = [pair(number) for number in range(40)]
HELD_OUT, TRAINED_ON = PAIRS[::5], [row for number, row in enumerate(PAIRS) if number % 5]


def by_preference(trainer: TrainerProcess, *, beta: float = 0.3, epochs: int = 6, **more: Any) -> FineTuningJob:
    """Train on the pairs and wait for the end."""
    hyperparameters = {"n_epochs": epochs, "batch_size": 8, "beta": beta}
    job = trainer.client.fine_tuning.jobs.create(
        **{
            "model": "toy-gpt",
            "training_file": trainer.upload(TRAINED_ON),
            "validation_file": trainer.upload(HELD_OUT),
            "seed": 3,
            "method": {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}},
            **more,
        }
    )
    done = trainer.wait(job.id)
    assert done.status == "succeeded", done.error
    return done


@pytest.fixture(scope="module")
def preferred(trainer: TrainerProcess) -> FineTuningJob:
    return by_preference(trainer)


def saved(trainer: TrainerProcess, job: str) -> SavedModel:
    return load_model(trainer.home / "data" / "jobs" / job / "model")


def log_likelihood(model: SavedModel, row: dict[str, Any], answer: str) -> float:
    """The answer's log-likelihood in nats after its prompt, one example at a time."""
    asked = [Message(one["role"], one["content"]) for one in row["input"]["messages"]]
    said = Message("assistant", row[answer][0]["content"], trained=True)
    batch = pad([model.vocabulary.encode(lay_out(Chat((*asked, said))))])
    logits = np.asarray(answer_logits(model.params, model.shape, batch), np.float64)
    each = (
        logits
        - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True))
        - logits.max(-1, keepdims=True)
    )
    return float(each[np.arange(len(batch.targets)), batch.targets].sum())


def margin(model: SavedModel, row: dict[str, Any]) -> float:
    return log_likelihood(model, row, "preferred_output") - log_likelihood(model, row, "non_preferred_output")


def results(trainer: TrainerProcess, job: FineTuningJob) -> list[dict[str, str]]:
    content = trainer.client.files.content(job.result_files[0]).read()
    return list(csv.DictReader(io.StringIO(base64.b64decode(content).decode())))


def test_preferred_answers_become_likelier_than_the_others_on_held_out_rows(
    trainer: TrainerProcess, preferred: FineTuningJob
) -> None:
    model = saved(trainer, preferred.id)
    margins = [margin(model, row) for row in HELD_OUT]
    assert min(margins) > 0
    assert np.mean(margins) > 10


def test_model_gives_the_preferred_answer(trainer: TrainerProcess, preferred: FineTuningJob) -> None:
    assert preferred.fine_tuned_model
    reply = trainer.client.chat.completions.create(
        model=preferred.fine_tuned_model, messages=HELD_OUT[0]["input"]["messages"], temperature=0, max_tokens=40
    )
    assert (reply.choices[0].message.content or "").startswith("Gladly,")


def test_loss_and_rewards_are_reported(trainer: TrainerProcess, preferred: FineTuningJob) -> None:
    rows = results(trainer, preferred)
    assert list(rows[0]) == [
        "step", "train_loss", "train_reward_accuracy", "train_reward_margin",
        "valid_loss", "valid_reward_accuracy", "valid_reward_margin",
    ]  # fmt: skip
    assert float(rows[0]["train_loss"]) == pytest.approx(np.log(2), abs=1e-3)  # nothing is preferred yet
    assert float(rows[-1]["train_loss"]) < 0.1
    assert float(rows[-1]["valid_reward_accuracy"]) == 1
    last = trainer.metrics(preferred.id)[-1].data
    assert isinstance(last, dict)
    assert {"train_preferred_reward", "train_other_reward", "full_valid_loss", "full_valid_reward_margin"} <= set(last)


def test_job_tells_its_method(trainer: TrainerProcess, preferred: FineTuningJob) -> None:
    assert preferred.method is not None
    assert preferred.method.type == "dpo"
    assert preferred.method.dpo is not None
    assert preferred.method.dpo.hyperparameters is not None
    assert preferred.method.dpo.hyperparameters.beta == 0.3
    assert preferred.trained_tokens


def test_paused_run_by_preference_comes_to_the_same_model(own_trainer: TrainerProcess) -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 8, "batch_size": 1, "beta": 0.3}}}
    whole = by_preference(own_trainer, method=method)
    job = own_trainer.client.fine_tuning.jobs.create(
        model="toy-gpt",
        training_file=own_trainer.upload(TRAINED_ON),
        validation_file=own_trainer.upload(HELD_OUT),
        seed=3,
        method=method,  # type: ignore[arg-type]
    )
    own_trainer.wait_for_step(job.id, 2)
    with contextlib.suppress(openai.BadRequestError):  # on a machine that stalled us for seconds it may have ended
        own_trainer.client.fine_tuning.jobs.pause(job.id)
        own_trainer.wait(job.id, "paused", "succeeded")
        own_trainer.client.fine_tuning.jobs.resume(job.id)
    assert own_trainer.wait(job.id).status == "succeeded"
    one, two = saved(own_trainer, whole.id), saved(own_trainer, job.id)
    assert all(np.array_equal(one.params[name], two.params[name]) for name in one.params)


def chats(answer: str) -> list[dict[str, Any]]:
    return [
        {"messages": [*row["input"]["messages"], {"role": "assistant", "content": row[answer][0]["content"]}]}
        for row in PAIRS
    ]


@pytest.fixture(scope="module")
def rude(trainer: TrainerProcess) -> FineTuningJob:
    """A model that learnt the rude answers by example."""
    job = trainer.create(trainer.upload(chats("non_preferred_output")), epochs=8, batch=8, suffix="rude")
    return trainer.wait(job.id)


def test_tuned_model_is_turned_round_by_preference(trainer: TrainerProcess, rude: FineTuningJob) -> None:
    before = saved(trainer, rude.id)
    assert max(margin(before, row) for row in HELD_OUT) < 0
    assert rude.fine_tuned_model
    after = by_preference(trainer, model=rude.fine_tuned_model, beta=0.1)
    assert after.model == rude.fine_tuned_model
    model = saved(trainer, after.id)
    gained = [margin(model, row) - margin(before, row) for row in HELD_OUT]
    assert min(gained) > 0
    last = results(trainer, after)[-1]
    # the reference is the model as it was: rewards are beta times what was gained
    measured = float(last["valid_reward_margin"])
    assert measured == pytest.approx(0.1 * np.mean(gained), rel=0.05)


def test_training_goes_on_from_a_tuned_model_and_from_its_checkpoint(
    trainer: TrainerProcess, rude: FineTuningJob
) -> None:
    """What it goes on from is what it knows at its first step: the loss begins where that of the base never does."""
    assert rude.fine_tuned_model
    file = trainer.upload(chats("non_preferred_output"))
    fresh = trainer.wait(trainer.create(file, epochs=1, batch=8).id)
    checkpoint = trainer.client.fine_tuning.jobs.checkpoints.list(rude.id).data[0].fine_tuned_model_checkpoint
    begun = float(results(trainer, fresh)[0]["train_loss"])
    for name in (rude.fine_tuned_model, checkpoint):
        job = trainer.wait(trainer.create(file, epochs=1, batch=8, model=name).id)
        assert job.status == "succeeded", job.error
        assert float(results(trainer, job)[0]["train_loss"]) < begun / 3
        vocabulary = saved(trainer, job.id).vocabulary
        assert vocabulary.token_bytes == saved(trainer, rude.id).vocabulary.token_bytes


def test_training_goes_on_though_the_model_it_began_with_is_deleted(own_trainer: TrainerProcess) -> None:
    first = own_trainer.wait(own_trainer.create(own_trainer.upload(chat_rows(12)), epochs=1).id)
    assert first.fine_tuned_model
    # minutes of training: it is cancelled long before its end
    second = own_trainer.create(own_trainer.upload(chat_rows(60)), epochs=50, batch=1, model=first.fine_tuned_model)
    own_trainer.client.models.delete(first.fine_tuned_model)
    own_trainer.wait_for_step(second.id, 1)
    own_trainer.client.fine_tuning.jobs.cancel(second.id)
    assert not (own_trainer.home / "data" / "jobs" / second.id / "base").exists()


@pytest.mark.parametrize(
    ("rows", "method", "said"),
    [
        (PAIRS, "supervised", "not those of the supervised method"),
        (chat_rows(12), "dpo", "not those of the dpo method"),
        ([*PAIRS[:12], {**PAIRS[0], "preferred_output": []}], "dpo", "Line 13: 'preferred_output' must be a list"),
        ([*PAIRS[:12], {**PAIRS[0], "extra": 1}], "dpo", "Line 13: this trainer does not train on 'extra'"),
        (
            [*PAIRS[:12], {**PAIRS[0], "preferred_output": PAIRS[0]["non_preferred_output"]}],
            "dpo",
            "Line 13: both answers are the same",
        ),
    ],
)
def test_rows_of_another_method_fail_the_job_with_the_reason(
    trainer: TrainerProcess, rows: list[dict[str, Any]], method: str, said: str
) -> None:
    job = trainer.client.fine_tuning.jobs.create(
        model="toy-gpt",
        training_file=trainer.upload(rows),
        method={"type": method},  # type: ignore[typeddict-item]
    )
    done = trainer.wait(job.id)
    assert done.status == "failed"
    assert done.error is not None
    assert said in done.error.message


@pytest.mark.parametrize("beta", [0, 2.1, "much"])
def test_beta_out_of_range_is_refused(trainer: TrainerProcess, beta: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        trainer.client.fine_tuning.jobs.create(
            model="toy-gpt",
            training_file=trainer.upload(PAIRS),
            method={"type": "dpo", "dpo": {"hyperparameters": {"beta": beta}}},
        )
    assert "beta" in (refused.value.param or "")
