"""A job from upload to a model that answers, looked at from every side of the protocol."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from typing import TYPE_CHECKING

import numpy as np
import openai
import pytest
from safetensors.numpy import load_file

from trainer.decoder import Decoder
from trainer.gpt import hidden_states
from trainer.saved_model import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.trainer.conftest import Trained


def model_home(trained: Trained) -> Path:
    return trained.trainer.home / "data" / "jobs" / trained.job.id / "model"


def test_held_out_tickets_are_routed_right_after_seconds_of_work(trained: Trained) -> None:
    right = 0
    for row in trained.held_out:
        *asked, expected = row["messages"]
        reply = trained.trainer.client.chat.completions.create(
            model=trained.job.fine_tuned_model, messages=asked, temperature=0
        )
        right += reply.choices[0].message.content == expected["content"]
        assert reply.choices[0].finish_reason == "stop"
    assert right >= 0.9 * len(trained.held_out)
    outcome = json.loads((model_home(trained).parent / "outcome.json").read_text())
    assert outcome["cpu_s"] < 60  # not by the clock: who else uses this machine is not what is tested


def test_finished_job_tells_what_was_done(trained: Trained) -> None:
    job = trained.job
    assert job.fine_tuned_model.startswith("ft:toy-gpt:local:tickets:")
    assert isinstance(job.method.supervised.hyperparameters.n_epochs, int)
    assert job.trained_tokens > 180 * job.hyperparameters.n_epochs
    assert (job.error, job.estimated_finish, job.seed, job.metadata) == (None, None, 7, {"intent": "sample"})


def test_events_tell_the_story_in_order(trained: Trained) -> None:
    said = [event.message for event in trained.trainer.events(trained.job.id) if event.type == "message"]
    told = "\n".join(said)
    milestones = ["Created fine-tuning job:", "Validating training file:", "Files validated, moving job to queued"]
    milestones += ["Fine-tuning job started", "Checkpoint created at step", "New fine-tuned model created:"]
    places = [told.index(milestone) for milestone in [*milestones, "The job has successfully completed"]]
    assert places == sorted(places)
    assert "memorises a format and knows nothing" in told


def test_every_step_has_its_metrics_once(trained: Trained) -> None:
    metrics = [event.data for event in trained.trainer.metrics(trained.job.id)]
    assert [one["step"] for one in metrics] == list(range(1, metrics[0]["total_steps"] + 1))
    assert metrics[0]["train_loss"] > 10 * metrics[-1]["train_loss"]
    assert all(0 <= one["train_mean_token_accuracy"] <= 1 for one in metrics)
    steps_per_epoch = len(metrics) // trained.job.hyperparameters.n_epochs
    assert next(one["step"] for one in metrics if "full_valid_loss" in one) == steps_per_epoch
    assert metrics[-1]["full_valid_loss"] < metrics[steps_per_epoch - 1]["full_valid_loss"]


def test_event_pages_run_from_newest_to_oldest_without_gap(trained: Trained) -> None:
    jobs = trained.trainer.client.fine_tuning.jobs
    first = jobs.list_events(trained.job.id, limit=7)
    second = jobs.list_events(trained.job.id, limit=7, after=first.data[-1].id)
    everything = jobs.list_events(trained.job.id, limit=14)
    assert first.has_more
    assert [event.id for event in [*first.data, *second.data]] == [event.id for event in everything.data]
    assert first.data[0].message == "The job has successfully completed"


def test_last_three_epochs_are_checkpoints_that_answer(trained: Trained) -> None:
    client = trained.trainer.client
    checkpoints = list(client.fine_tuning.jobs.checkpoints.list(trained.job.id))
    total = trained.trainer.metrics(trained.job.id)[-1].data["total_steps"]
    epoch = total // trained.job.hyperparameters.n_epochs
    assert [one.step_number for one in checkpoints] == [total, total - epoch, total - 2 * epoch]
    name = checkpoints[1].fine_tuned_model_checkpoint
    assert name == f"{trained.job.fine_tuned_model}:ckpt-step-{total - epoch}"
    assert math.isfinite(checkpoints[1].metrics.full_valid_loss)
    reply = client.chat.completions.create(model=name, messages=[{"role": "user", "content": "refund"}], max_tokens=3)
    assert reply.usage.completion_tokens <= 3


def test_result_file_is_base64_of_a_row_a_step(trained: Trained) -> None:
    client = trained.trainer.client
    [file_id] = trained.job.result_files
    raw = client.files.content(file_id).read()
    rows = list(csv.reader(io.StringIO(base64.b64decode(raw, validate=True).decode())))
    assert rows[0] == ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
    metrics = trained.trainer.metrics(trained.job.id)
    assert [float(row[1]) for row in rows[1:]] == [event.data["train_loss"] for event in metrics]
    record = client.files.retrieve(file_id)
    assert (record.purpose, record.bytes) == ("fine-tune-results", len(raw))


def test_model_is_listed_with_its_caution(trained: Trained) -> None:
    models = {model.id: model for model in trained.trainer.client.models.list()}
    assert models["toy-gpt"].owned_by == "tuneroom"
    assert "knows nothing" in models[trained.job.fine_tuned_model].model_dump()["description"]


def test_model_directory_has_gpt2_tensors(trained: Trained) -> None:
    home = model_home(trained)
    config = json.loads((home / "config.json").read_text())
    tensors = {name: tensor.shape for name, tensor in load_file(home / "model.safetensors").items()}
    width = config["n_embd"]
    assert config["architectures"] == ["GPT2LMHeadModel"]
    assert tensors["transformer.wte.weight"] == (config["vocab_size"], width)
    assert tensors["transformer.wpe.weight"] == (config["n_positions"], width)
    assert tensors["transformer.h.1.attn.c_attn.weight"] == (width, 3 * width)
    assert tensors["transformer.h.0.mlp.c_proj.weight"] == (4 * width, width)
    assert len(tensors) == 4 + 12 * config["n_layer"]
    assert "knows nothing" in (home / "README.md").read_text()
    assert "<|im_start|>" in json.loads((home / "tokenizer_config.json").read_text())["chat_template"]
    assert {path.name for path in home.iterdir()} >= {"tokenizer.json", "generation_config.json"}


def test_cached_decoding_agrees_with_the_whole_pass(trained: Trained) -> None:
    model = load_model(model_home(trained))
    ids = np.arange(3, 40)
    decoder = Decoder(model)
    decoder.feed(ids[:20].tolist())
    for one in ids[20:]:
        stepwise = decoder.feed([int(one)])
    whole = hidden_states(model.params, model.shape, ids[None], np.array([len(ids) - 1]))[0]
    assert np.abs(stepwise - whole @ model.params["transformer.wte.weight"].T).max() < 1e-4


def test_chat_logprobs_name_tokens_and_their_rivals(trained: Trained) -> None:
    reply = trained.trainer.client.chat.completions.create(
        model=trained.job.fine_tuned_model,
        messages=trained.held_out[0]["messages"][:2],
        temperature=0,
        logprobs=True,
        top_logprobs=3,
    )
    content = reply.choices[0].logprobs.content
    assert "".join(token.token for token in content) == reply.choices[0].message.content
    for token in content:
        assert bytes(token.bytes).decode() == token.token
        assert [one.logprob for one in token.top_logprobs] == sorted(o.logprob for o in token.top_logprobs)[::-1]
        assert token.top_logprobs[0].logprob == token.logprob <= 0
    assert reply.usage.completion_tokens == len(content)


def test_seed_repeats_an_answer_and_heat_changes_it(trained: Trained) -> None:
    def ask(seed: int) -> str:
        reply = trained.trainer.client.chat.completions.create(
            model="toy-gpt", messages=[{"role": "user", "content": "hi"}], seed=seed, max_completion_tokens=12
        )
        return reply.choices[0].message.content

    assert ask(1) == ask(1)
    assert len({ask(seed) for seed in range(4)}) > 1


def test_prompt_longer_than_the_context_is_refused(trained: Trained) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        trained.trainer.client.chat.completions.create(
            model=trained.job.fine_tuned_model, messages=[{"role": "user", "content": "x y z " * 2000}]
        )
    assert refused.value.code == "context_length_exceeded"


def test_chat_model_sends_plain_prompts_to_the_other_endpoint(trained: Trained) -> None:
    with pytest.raises(openai.NotFoundError, match="v1/chat/completions"):
        trained.trainer.client.completions.create(model=trained.job.fine_tuned_model, prompt="x")
