"""The forms and a job's details: what stands in them before anybody types."""

from __future__ import annotations

from bot.views.modals import details_modal, try_modal
from bot.views.unclear import name_run_modal
from tests.bot.cards import FREE, NOON_MS, REFUSED, a_job, a_request, fields, shown


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
        {"type": "RunIntended", "at_ms": NOON_MS},
        {"type": "RunCreated", "run": "ftjob-1", "at_ms": NOON_MS},
        {"type": "RunSucceeded", "trained_tokens": 487550, "at_ms": NOON_MS},
        {"type": "CancelRequested", "person": "UMINA", "at_ms": NOON_MS},
    ]
    text = shown(details_modal(record, events, NOON_MS))
    assert "*support-bot* (j42): failed." in text
    assert "*Base model:* gpt-4o-mini-2024-07-18" in text
    assert "*Dataset:* d12 `abababababab`" in text
    assert "*Kept for validation:* 10%, seed 7" in text
    assert f"by <@UMINA>, request `{record.data.digest[:12]}`" in text
    assert "*Run at the provider:* `ftjob-1`" in text
    assert "Row 88 was refused by moderation. Delete it and drop the file again.\n(moderation)" in text
    assert "UTC>: Run asked for\n" in text
    assert "UTC>: Run created: ftjob-1\n" in text
    assert "UTC>: Run succeeded: 487,550 tokens trained\n" in text
    assert text.endswith("Cancel requested by <@UMINA>")


def test_details_hold_the_last_fifteen_events() -> None:
    events = [{"type": f"Event{number}", "at_ms": NOON_MS} for number in range(40)]
    text = shown(details_modal(a_job("ready"), events, NOON_MS))
    assert "_25 earlier._" in text
    assert "Event24" not in text
    assert "Event25" in text
    assert "Event39" in text
