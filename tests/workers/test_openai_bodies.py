"""The body that creates a run: what was confirmed, all of it, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.fine_tuning.job_create_params import JobCreateParams
from pydantic import TypeAdapter

from finetune.graders import parse_grader
from finetune.launch import SEED_MAX, Parent, Reinforcement, Wandb
from tests.support.samples import a_request
from workers.openai_bodies import INTENT_KEY, creation
from workers.provider import Order

GRADER = parse_grader("exact:answer")


ASKED = TypeAdapter(JobCreateParams)
"""What the SDK lets `jobs.create` be called with."""


def body(*, grader: str = "", valid_file: str = "", **choices: Any) -> dict[str, Any]:
    request = a_request(**choices)
    return creation(
        Order(request=request, train_file="file-1", valid_file=valid_file, intent="intent-1", grader=grader)
    )


def hyperparameters(**choices: Any) -> dict[str, Any]:
    method = body(**choices)["method"]
    return method[method["type"]]["hyperparameters"]


def test_what_nobody_chose_is_auto_and_what_is_not_asked_for_is_left_out() -> None:
    assert body(epochs=None) == {
        "model": "tiny",
        "training_file": "file-1",
        "suffix": "support-bot",
        "seed": 7,
        "metadata": {INTENT_KEY: "intent-1"},
        "method": {
            "type": "supervised",
            "supervised": {
                "hyperparameters": {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
            },
        },
    }


@pytest.mark.parametrize(
    ("choice", "name", "value"),
    [
        ({"epochs": 5}, "n_epochs", 5),
        ({"batch_size": 16}, "batch_size", 16),
        ({"learning_rate_multiplier": 0.25}, "learning_rate_multiplier", 0.25),
        ({"learning_rate": 2e-5}, "learning_rate_multiplier", 2e-5),
        ({"method": "dpo"}, "beta", "auto"),
        ({"method": "dpo", "beta": 0.1}, "beta", 0.1),
    ],
)
def test_every_choice_is_in_the_method(choice: dict[str, Any], name: str, value: Any) -> None:
    assert hyperparameters(**choice)[name] == value


def test_supervised_has_no_beta() -> None:
    assert "beta" not in hyperparameters()


def test_reinforcement_has_its_grader_and_its_own_choices() -> None:
    learnt = Reinforcement(
        grader="ab" * 32, reasoning_effort="low", compute_multiplier=2.0, eval_interval=5, eval_samples=3
    )
    method = body(method="reinforcement", reinforcement=learnt, grader=GRADER)["method"]
    assert method["type"] == "reinforcement"
    assert method["reinforcement"]["grader"] == json.loads(GRADER)
    assert method["reinforcement"]["hyperparameters"] == {
        "n_epochs": 3, "batch_size": "auto", "learning_rate_multiplier": "auto", "reasoning_effort": "low",
        "compute_multiplier": 2.0, "eval_interval": 5, "eval_samples": 3,
    }  # fmt: skip


def test_reinforcement_that_chose_nothing_is_auto() -> None:
    learnt = Reinforcement(grader="ab" * 32)
    asked = hyperparameters(method="reinforcement", reinforcement=learnt, grader=GRADER)
    assert asked.pop("reasoning_effort") == "default"
    assert set(asked.values()) == {"auto", 3}


def test_run_goes_on_from_what_the_provider_calls_the_parent() -> None:
    assert body(parent=Parent(job="j7", name="ft:tiny:x:ckpt-step-600", step=600))["model"] == "ft:tiny:x:ckpt-step-600"


def test_validation_file_and_weights_and_biases_are_named_where_there_are_any() -> None:
    assert body(valid_file="file-2")["validation_file"] == "file-2"
    assert body(wandb=Wandb(project="p"))["integrations"] == [{"type": "wandb", "wandb": {"project": "p"}}]
    place = Wandb(project="p", entity="e", name="n", tags=("a", "b"))
    assert body(wandb=place)["integrations"][0]["wandb"] == {
        "project": "p", "entity": "e", "name": "n", "tags": ["a", "b"],
    }  # fmt: skip


whole = st.none() | st.integers(1, 50)
choices = st.fixed_dictionaries(
    {
        "epochs": whole,
        "batch_size": whole,
        "learning_rate_multiplier": st.none() | st.floats(0.001, 100),
        "seed": st.integers(0, SEED_MAX),
        "wandb": st.none() | st.builds(Wandb, project=st.just("p"), entity=st.sampled_from(["", "e"]),
                                       tags=st.sampled_from([(), ("a", "b")])),
    }
)  # fmt: skip
methods = st.one_of(
    st.fixed_dictionaries({"method": st.just("supervised")}),
    st.fixed_dictionaries({"method": st.just("dpo"), "beta": st.none() | st.floats(0, 2, exclude_min=True)}),
    st.fixed_dictionaries(
        {
            "method": st.just("reinforcement"),
            "grader": st.sampled_from(["exact:a", "contains:a", "similar:a"]).map(parse_grader),
            "reinforcement": st.builds(
                Reinforcement,
                grader=st.just("ab" * 32),
                reasoning_effort=st.sampled_from([None, "low", "medium", "high"]),
                compute_multiplier=st.none() | st.floats(0.001, 10),
                eval_interval=whole,
                eval_samples=whole,
            ),
        }
    ),
)


@given(choices, methods, st.sampled_from(["", "file-2"]))
def test_every_request_is_one_that_the_sdk_knows_whole(
    chosen: dict[str, Any], method: dict[str, Any], valid_file: str
) -> None:
    """A field that it does not know, or a value of another kind, would differ."""
    asked = body(**chosen, **method, valid_file=valid_file)
    known: Any = ASKED.validate_python(asked, strict=True)
    if "integrations" in asked:  # read one by one
        known["integrations"] = list(known["integrations"])
    assert known == asked
