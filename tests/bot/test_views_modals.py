"""The forms and a job's details: what stands in them before anybody types."""

from __future__ import annotations

import dataclasses

import pytest

from bot.views.modals import LaunchForm, details_modal, launch_modal, name_run_modal, submit_label, try_modal
from tests.bot.cards import FREE, NOON_MS, QUOTE, REFUSED, a_job, a_request, fields, shown

FORM = LaunchForm(
    dataset_ref="dataset:d12",
    filename="tickets.csv",
    rows=1204,
    models=(("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"), ("gpt-4o-mini-2024-07-18", "gpt-4o-mini")),
    model="gpt-4o-mini-2024-07-18",
    suffix="tickets",
    epochs="auto",
    batch="auto",
    lr="auto",
    seed=7,
    holdout_percent=10,
    quote=QUOTE,
    cap_usd=5,
    notice="",
    digest="4f2a91c0deadbeef",
)


def test_the_launch_form_has_the_price_first_and_sensible_values() -> None:
    modal = launch_modal(FORM, metadata='{"dataset":"d12"}')
    assert shown(modal).splitlines()[0] == "*About $3.71* for 3 epochs over 412k tokens. Prices of 2026-11-15."
    assert shown(modal).splitlines()[1] == "*tickets.csv* (d12), 1,204 rows."
    assert fields(modal) == {
        "model": "gpt-4o-mini-2024-07-18",
        "suffix": "tickets",
        "epochs": "auto",
        "holdout": "10",
        "seed": "7",
        "batch": "auto",
        "lr": "auto",
    }
    assert modal["callback_id"] == "launch"
    assert modal["private_metadata"] == '{"dataset":"d12"}'
    assert "You confirm request 4f2a91c0dead." in shown(modal)


def test_the_launch_button_says_the_most_it_may_cost() -> None:
    assert launch_modal(FORM, metadata="")["submit"]["text"] == "Train, at most $5"


@pytest.mark.parametrize(
    ("cap_usd", "label"),
    [(5, "Train, at most $5"), (2.5, "Train, at most $2.50"), (12_345.01, "Train, at most $12,346")],
)
def test_the_most_it_may_cost_fits_the_button_and_stays_true(cap_usd: float, label: str) -> None:
    assert submit_label(QUOTE, cap_usd) == label
    assert len(label) <= 24


def test_a_free_launch_says_so() -> None:
    modal = launch_modal(dataclasses.replace(FORM, quote=FREE), metadata="")
    assert modal["submit"]["text"] == "Train (free)"
    assert shown(modal).startswith("*Free.* Nothing is charged for this model.")


def test_a_changed_price_is_said_before_the_fields() -> None:
    modal = launch_modal(dataclasses.replace(FORM, notice="The price is now $4.20. Confirm it again."), metadata="")
    assert modal["blocks"][1]["text"]["text"] == ":warning: The price is now $4.20. Confirm it again."


def test_a_model_no_longer_on_offer_gives_way_to_the_first() -> None:
    assert fields(launch_modal(dataclasses.replace(FORM, model="gone"), metadata=""))["model"].startswith(
        "gpt-4.1-mini"
    )


def test_the_try_form_starts_with_the_prompt_it_is_given() -> None:
    modal = try_modal(a_job("ready"), prompt="Where is my order?\n\n###", metadata="{}")
    assert fields(modal) == {"prompt": "Where is my order?\n\n###", "temperature": "0", "max_tokens": "256"}
    assert modal["callback_id"] == "try"
    assert shown(modal) == "Ask *m42*, *support-bot* (j42)."


def test_the_try_form_says_what_a_toy_is() -> None:
    modal = try_modal(a_job("ready", request=a_request(model="toy-gpt", quote=FREE)), prompt="", metadata="")
    assert "knows nothing" in shown(modal)


def test_a_lost_run_is_asked_for() -> None:
    modal = name_run_modal(a_job("unclear"), metadata="{}")
    assert fields(modal) == {"run": ""}
    assert modal["callback_id"] == "name_run"
    assert "Which run at the provider is *support-bot* (j42)?" in shown(modal)


def test_details_hold_the_request_the_ids_and_what_happened() -> None:
    record = a_job("failed", run="ftjob-1", train_file="file-1", refusal=REFUSED)
    events = [
        {"type": "RunCreated", "run": "ftjob-1", "at_ms": NOON_MS},
        {"type": "CancelRequested", "person": "UMINA", "at_ms": NOON_MS},
    ]
    text = shown(details_modal(record, events))
    assert "*support-bot* (j42): failed." in text
    assert "*Base model:* gpt-4o-mini-2024-07-18" in text
    assert "*Dataset:* d12 `abababababab`" in text
    assert "*Kept for validation:* 10%, seed 7" in text
    assert f"by <@UMINA>, request `{record.data.digest[:12]}`" in text
    assert "*Run at the provider:* `ftjob-1`" in text
    assert "Row 88 was refused by moderation. Delete it and drop the file again.\n(moderation)" in text
    assert "UTC>: Run created: run ftjob-1\n" in text
    assert text.endswith("Cancel requested by <@UMINA>")


def test_details_hold_the_last_fifteen_events() -> None:
    events = [{"type": f"Event{number}", "at_ms": NOON_MS} for number in range(40)]
    text = shown(details_modal(a_job("ready"), events))
    assert "_25 earlier._" in text
    assert "Event24" not in text
    assert "Event25" in text
    assert "Event39" in text
