"""The launch form: what stands in it before anybody types, what is folded away, and what is said not to be had."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bot.views.launching import LaunchForm, launch_modal, submit_label
from tests.bot.cards import FREE, QUOTE, fields, shown

VALUES = {
    "model": "gpt-4o-mini-2024-07-18",
    "suffix": "tickets",
    "epochs": "auto",
    "valid": "split",
    "holdout": "10",
    "seed": "7",
    "batch": "auto",
    "lr": "auto",
    "beta": "0.1",
    "grader": "exact:answer",
}
FORM = LaunchForm(
    dataset_ref="dataset:d12",
    filename="tickets.csv",
    rows=1204,
    method="supervised",
    starts={"OpenAI": (("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"), ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"))},
    values=VALUES,
    name_preview="ft:gpt-4o-mini-2024-07-18:…:tickets:…",
    quote=QUOTE,
    cap_usd=5,
    digest="4f2a91c0deadbeef",
    provider="openai",
    not_offered=(("gpt-3.5-turbo-0125", "stopped on 2026-10-23"),),
)


def form(**changes: Any) -> Any:
    return launch_modal(dataclasses.replace(FORM, **changes), metadata='{"dataset":"d12"}')


def live_fields(modal: Any) -> list[str]:
    return [block["block_id"] for block in modal["blocks"] if block.get("dispatch_action")]


def test_the_price_comes_first_and_the_rest_is_folded_away() -> None:
    modal = form()
    assert shown(modal).splitlines()[:2] == [
        "*About $3.71* for 3 epochs over 412k tokens. Prices of 2026-11-15.",
        "*tickets.csv* (d12), 1,204 rows. Your rows go to openai.",
    ]
    assert fields(modal) == {
        "model": "gpt-4o-mini-2024-07-18", "suffix": "tickets", "epochs": "auto", "holdout": "10",
    }  # fmt: skip
    assert "[Advanced…]" in shown(modal)
    assert (modal["callback_id"], modal["private_metadata"]) == ("launch", '{"dataset":"d12"}')
    assert "You confirm request 4f2a91c0dead." in shown(modal)


def test_what_changes_the_price_or_the_name_is_sent_as_it_is_typed() -> None:
    modal = form()
    assert live_fields(modal) == ["model", "suffix", "epochs"]
    suffix = next(block for block in modal["blocks"] if block.get("block_id") == "suffix")
    assert suffix["element"]["dispatch_action_config"] == {"trigger_actions_on": ["on_character_entered"]}


def test_the_name_to_come_is_shown() -> None:
    assert "The model will be called `ft:gpt-4o-mini-2024-07-18:…:tickets:…`." in shown(form())


def test_advanced_has_every_other_parameter_and_says_what_is_not_to_be_had() -> None:
    modal = form(folded=False)
    assert set(fields(modal)) == {"model", "suffix", "epochs", "holdout", "seed", "batch", "lr"}
    assert "Not offered: gpt-3.5-turbo-0125 stopped on 2026-10-23." in shown(modal)
    assert "openai does not report to Weights &amp; Biases." in shown(modal)
    assert "wandb" in fields(form(folded=False, wandb=True))


def test_a_provider_that_takes_rates_is_asked_for_one() -> None:
    labels = [block["label"]["text"] for block in form(folded=False, rate="absolute")["blocks"] if "label" in block]
    assert "Learning rate" in labels
    assert "Learning-rate multiplier" not in labels


def test_preference_has_a_beta_and_reinforcement_a_grader() -> None:
    assert fields(form(method="dpo"))["beta"] == "0.1"
    assert "Learns by preference (DPO)" in shown(form(method="dpo"))
    assert fields(form(method="reinforcement"))["grader"] == "exact:answer"
    assert {"effort", "compute", "eval_every", "eval_samples"} <= set(
        fields(form(method="reinforcement", folded=False))
    )


def test_another_dataset_measures_in_place_of_a_percentage() -> None:
    others = (("d13", "d13 held-out.jsonl, 40 rows"),)
    assert {"valid", "holdout"} <= set(fields(form(validations=others)))
    chosen = fields(form(validations=others, values=VALUES | {"valid": "d13"}))
    assert chosen["valid"] == "d13"
    assert "holdout" not in chosen


def test_what_is_wrong_takes_the_place_of_the_price() -> None:
    modal = form(quote=None, notice="Epochs is a whole number from 1 to 50. Or leave it at auto.", digest="")
    assert shown(modal).startswith("*No price yet.*")
    assert modal["blocks"][1]["text"]["text"] == (
        ":warning: Epochs is a whole number from 1 to 50. Or leave it at auto."
    )
    assert modal["submit"]["text"] == "Train"


def test_the_button_says_the_most_it_may_cost() -> None:
    assert form()["submit"]["text"] == "Train, at most $5"


@pytest.mark.parametrize(
    ("cap_usd", "label"),
    [(5, "Train, at most $5"), (2.5, "Train, at most $2.50"), (12_345.01, "Train, at most $12,346")],
)
def test_the_most_it_may_cost_fits_the_button_and_stays_true(cap_usd: float, label: str) -> None:
    assert submit_label(QUOTE, cap_usd) == label
    assert len(label) <= 24


def test_a_free_launch_says_so() -> None:
    modal = form(quote=FREE)
    assert modal["submit"]["text"] == "Train (free)"
    assert shown(modal).startswith("*Free.* Nothing is charged for this model.")


def test_a_start_no_longer_on_offer_gives_way_to_the_first() -> None:
    assert fields(form(values=VALUES | {"model": "gone"}))["model"] == "gpt-4.1-mini-2025-04-14"
