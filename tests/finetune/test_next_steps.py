"""The next run to try: one value of the last one changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from finetune.next_steps import NextStep, next_step_of
from finetune.parameters import Rate, parse_rate
from tests.support.samples import a_quote, a_request

if TYPE_CHECKING:
    from finetune.catalogue import RateUnit


@pytest.mark.parametrize(
    ("action", "request_", "ran", "step"),
    [
        ("fewer-epochs", {"epochs": 3}, {}, NextStep("Train 2 epochs", "epochs", "2")),
        ("fewer-epochs", {"epochs": 2}, {}, NextStep("Train 1 epoch", "epochs", "1")),
        ("fewer-epochs", {"epochs": 20}, {"share": 0.52}, NextStep("Train 11 epochs", "epochs", "11")),
        ("fewer-epochs", {"epochs": 3}, {"share": 0.67}, NextStep("Train 2 epochs", "epochs", "2")),
        ("fewer-epochs", {"epochs": 3}, {"share": 0.99}, NextStep("Train 2 epochs", "epochs", "2")),
        ("fewer-epochs", {"epochs": 3}, {"share": 0.0}, NextStep("Train 1 epoch", "epochs", "1")),
        ("fewer-epochs", {"epochs": 1}, {}, NextStep("Half the learning rate", "lr", "x0.5")),
        ("fewer-epochs", {"epochs": None}, {"epochs": 25}, NextStep("Train 24 epochs", "epochs", "24")),
        ("fewer-epochs", {"epochs": None}, {}, NextStep("Train 2 epochs", "epochs", "2")),  # as quoted
        ("more-epochs", {"epochs": 3}, {}, NextStep("Train 4 epochs", "epochs", "4")),
        ("more-epochs", {"epochs": 50}, {}, None),
        ("more-epochs", {"epochs": 20}, {"epochs_max": 20}, None),
        ("more-epochs", {"epochs": 19}, {"epochs_max": 20}, NextStep("Train 20 epochs", "epochs", "20")),
        ("lower-rate", {}, {}, NextStep("Half the learning rate", "lr", "x0.5")),
        ("lower-rate", {}, {"rate": 1.8}, NextStep("Half the learning rate", "lr", "x0.9")),
        (
            "lower-rate",
            {"learning_rate_multiplier": 0.3},
            {"rate": 2.0},
            NextStep("Half the learning rate", "lr", "x0.15"),
        ),
        ("lower-rate", {"learning_rate": 2e-5}, {}, NextStep("Half the learning rate", "lr", "1e-05")),
        # a rate that the provider chose, and told
        ("lower-rate", {}, {"rate": 1e-5}, NextStep("Half the learning rate", "lr", "5e-06")),
        ("hold-out-rows", {"holdout_percent": 0}, {}, NextStep("Keep 10% for validation", "holdout", "10")),
        ("hold-out-rows", {"holdout_percent": 10}, {}, None),
        ("none", {}, {}, None),
        ("what nobody knows", {}, {}, None),
    ],
)
def test_one_value_is_changed(
    action: str, request_: dict[str, Any], ran: dict[str, Any], step: NextStep | None
) -> None:
    assert next_step_of(action, a_request(quote=a_quote(epochs=3), **request_), **ran) == step


@pytest.mark.parametrize(
    ("unit", "request_", "ran"),
    [
        ("multiplier", {}, {}),
        ("multiplier", {}, {"rate": 1.8}),
        ("multiplier", {"learning_rate_multiplier": 0.3}, {"rate": 2e-5}),
        ("multiplier", {"learning_rate_multiplier": 0.00002}, {}),
        ("absolute", {"learning_rate": 2e-5}, {"rate": 2e-5}),
        ("absolute", {}, {"rate": 1e-5}),
    ],
)
def test_half_the_rate_is_one_that_the_provider_takes(
    unit: RateUnit, request_: dict[str, Any], ran: dict[str, Any]
) -> None:
    step = next_step_of("lower-rate", a_request(**request_), **ran)
    assert step is not None
    assert parse_rate(step.value, unit) != Rate()
