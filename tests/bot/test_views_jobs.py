"""The card of a job and the posts in its thread, read as the channel reads them."""

from __future__ import annotations

import pytest

from bot.views.answers import answer_post, prompt_failed_post
from bot.views.jobs import job_card
from bot.views.outcomes import (
    cancelled_post,
    failed_post,
    ready_post,
    results_file_title,
    results_post,
)
from bot.views.stages import stage_short
from bot.views.unclear import unclear_post
from jobstore.intents import Intent
from jobstore.jobs import Progress, Results
from jobstore.states import TABLES, Kind
from tests.bot.cards import (
    FREE,
    MINUTE_MS,
    NOON_MS,
    REFUSED,
    a_job,
    a_prompt,
    a_request,
    a_training_job,
    buttons,
    shown,
)

NOW_MS = NOON_MS + 339 * 1500
RESULTS = Results(
    csv="",
    chart="",
    sentence="Validation loss best at step 600 (0.61), then rising: overfitting.",
    next_step="Train one epoch fewer.",
    diagnosis="overfitting",
    final_train_loss=0.31,
    final_valid_loss=0.74,
    best_step=600,
    best_valid_loss=0.61,
)


def test_a_new_job_says_what_was_asked_and_mentions_nobody() -> None:
    card = job_card(a_job("requested"), NOW_MS)
    assert shown(card) == (
        "*support-bot* (j42): gpt-4o-mini, 1,204 rows, 3 epochs, about $3.71, at most $5.\n"
        "Preparing the rows.\n"
        "*Prepare*  ·  Upload  ·  Create  ·  Queue  ·  Train  ·  Results  ·  Ready\n"
        "dataset d12 · started by Mina\n"
        "[Details]\n"
        "[Cancel]"
    )


def test_a_training_job_has_step_loss_and_time_left() -> None:
    card = job_card(a_training_job(), NOW_MS)
    assert "*Training*: step 340/900, loss 1.02 ↓, about 14 min left." in shown(card)
    assert "✓ Queue  ·  *Train*  ·  Results" in shown(card)
    assert "dataset d12 · started by Mina" in shown(card)
    assert card.text == "*support-bot* (j42): *Training*: step 340/900, loss 1.02 ↓, about 14 min left."


def test_the_time_left_counts_down_between_steps() -> None:
    assert "about 10 min left" in shown(job_card(a_training_job(), NOW_MS + 4 * MINUTE_MS))


def test_the_first_step_promises_no_time() -> None:
    card = job_card(a_training_job(step=1, last_step_ms=NOON_MS), NOW_MS)
    assert "*Training*: step 1/900, loss 1.02 ↓." in shown(card)


@pytest.mark.parametrize(("before", "said"), [(0.9, "loss 1.02 ↑."), (None, "loss 1.02."), (1.019, "loss 1.02.")])
def test_the_loss_has_a_direction_only_where_it_moved(before: float | None, said: str) -> None:
    assert said in shown(job_card(a_training_job(previous_loss=before, step=900), NOW_MS))


def test_a_paused_job_says_so_and_promises_no_time() -> None:
    assert "*Paused*: step 340/900, loss 1.02 ↓." in shown(job_card(a_training_job(status="paused"), NOW_MS))


def test_a_queued_job_says_since_when_and_later_for_how_long() -> None:
    record = a_job("queued", run="ftjob-1", run_created_ms=NOON_MS)
    assert "In the provider's queue since <!date^" in shown(job_card(record, NOON_MS + MINUTE_MS))
    assert "Queued for 52 min so far. I'm still watching." in shown(job_card(record, NOON_MS + 52 * MINUTE_MS))


def test_what_is_being_waited_for_stands_on_the_card() -> None:
    record = a_job("uploading", note="The provider is busy. I'm trying again by myself.")
    assert "\nThe provider is busy. I'm trying again by myself.\n" in shown(job_card(record, NOW_MS))


@pytest.mark.parametrize("state", TABLES[Kind.JOB])
def test_cancel_is_offered_exactly_while_it_can_be_done(state: str) -> None:
    can = "cancelled" in TABLES[Kind.JOB][state].to
    assert ("cancel_job" in buttons(job_card(a_job(state), NOW_MS))) is can
    assert "cancel_job" not in buttons(job_card(a_job(state, cancel=True), NOW_MS))


def test_cancelling_asks_first() -> None:
    button = buttons(job_card(a_training_job(), NOW_MS))["cancel_job"]
    assert button["value"] == "job:j42"
    assert button["style"] == "danger"
    assert button["confirm"]["title"]["text"] == "Cancel j42?"
    assert "may be charged" in button["confirm"]["text"]["text"]


def test_a_cancel_not_done_yet_is_said() -> None:
    record = a_job("creating", cancel=True)
    assert "*Cancelling.* Asking the provider to start the run." in shown(job_card(record, NOW_MS))


def test_a_trained_job_waits_for_its_model() -> None:
    card = job_card(a_job("probing", cost_usd=3.52), NOW_MS)
    assert "1,204 rows, 3 epochs, cost $3.52.\nTrained. Waiting for the model to answer…" in shown(card)


def test_a_ready_job_can_be_tried() -> None:
    card = job_card(a_job("ready", cost_usd=3.52), NOW_MS)
    assert "*Ready.* m42 answers." in shown(card)
    assert buttons(card)["try_model"]["value"] == "job:j42"
    assert "✓" not in shown(card)


def test_a_failed_job_says_why_on_its_card() -> None:
    assert "*Failed.* Row 88 was refused by moderation." in shown(job_card(a_job("failed", refusal=REFUSED), NOW_MS))


def test_a_cap_that_says_no_more_than_the_price_is_left_out() -> None:
    assert "3 epochs, about $3.71.\n" in shown(job_card(a_job("queued", reserved_micros=3_710_000), NOW_MS))


def test_a_toy_model_is_called_one() -> None:
    request = a_request(model="toy-gpt", quote=FREE)
    for message in (
        job_card(a_job("ready", request=request), NOW_MS),
        ready_post(a_job("ready", request=request)),
        answer_post(a_prompt(), a_job("ready", request=request), "Hello", "Hi"),
    ):
        assert "Toy model: it memorises a format and knows nothing." in shown(message)
    assert "toy-gpt, 1,204 rows, 3 epochs, free." in shown(job_card(a_job("queued", request=request), NOW_MS))


def test_a_stage_in_two_words() -> None:
    assert stage_short(a_training_job()) == "training 37%"
    assert stage_short(a_training_job(status="paused")) == "paused 37%"
    assert stage_short(a_job("queued", cancel=True)) == "cancelling"
    assert stage_short(a_job("ready")) == "ready"


def test_results_are_explained() -> None:
    record = a_job("probing", results=RESULTS, trained_tokens=1_172_000, cost_usd=3.52)
    assert shown(results_post(record)) == (
        "*Results.* Validation loss best at step 600 (0.61), then rising: overfitting.\n"
        "Train one epoch fewer.\n"
        "training loss 0.31 · validation loss 0.74 · best validation loss 0.61 at step 600"
        " · 1.2M tokens trained · cost $3.52\n"
        "[CSV]"
    )
    assert results_file_title(record) == "support-bot (j42): loss by step"


def test_the_ready_notice_mentions_the_person_and_says_how_to_try() -> None:
    record = a_job("ready", results=RESULTS, cost_usd=3.52, ready_ms=NOON_MS + 32 * MINUTE_MS)
    post = ready_post(record)
    assert shown(post) == (
        "<@UMINA> *support-bot* answers: it is model m42.\n"
        "Press Try it, or type `/tune try m42 your prompt`.\n"
        "from gpt-4o-mini · took 32 min · best validation loss 0.61 · cost $3.52\n"
        "[Try it]\n"
        "[Code]\n"
        "[Details]\n"
        "[⋯ Continue training, Train the same again, Lineage, Delete the model]"
    )
    assert post.text.startswith("<@UMINA> *support-bot* answers")


def test_a_failure_mentions_the_person_with_reason_hint_and_charge() -> None:
    post = failed_post(a_job("failed", refusal=REFUSED, run="ftjob-1", cost_usd=0.0), "")
    assert shown(post) == (
        "<@UMINA> *support-bot* (j42) failed: Row 88 was refused by moderation.\n"
        "Delete it and drop the file again.\n"
        "Nothing was charged.\n"
        "[Details]"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "No run was started, so nothing was charged."),
        ({"run": "ftjob-1", "cost_usd": 0.42}, "$0.42 was charged."),
    ],
)
def test_what_is_known_of_the_charge_is_said(changes: dict[str, object], said: str) -> None:
    assert said in shown(failed_post(a_job("failed", refusal=REFUSED, **changes), ""))


@pytest.mark.parametrize("changes", [{"run": "ftjob-1"}, {"intent": Intent(id="i1", posted_ms=NOON_MS)}])
def test_what_is_not_known_of_the_charge_is_not_said(changes: dict[str, object]) -> None:
    assert "charged" not in shown(failed_post(a_job("failed", refusal=REFUSED, **changes), ""))


def test_a_cancelled_job_mentions_nobody() -> None:
    post = cancelled_post(a_job("cancelled", run="ftjob-1"))
    assert shown(post) == ("*support-bot* (j42) is cancelled. The provider may charge for what it had trained by then.")


def test_an_unclear_run_is_a_question_to_the_person() -> None:
    post = unclear_post(a_job("unclear"))
    assert "<@UMINA> *support-bot* (j42): the provider's answer was lost. I found no run, and won't risk paying" in (
        shown(post)
    )
    assert list(buttons(post)) == ["name_run", "start_anew", "give_up"]
    assert {button["value"] for button in buttons(post).values()} == {"run-0 job:j42"}
    assert "you pay for both" in buttons(post)["start_anew"]["confirm"]["text"]["text"]
    assert "is charged, and I don't follow it" in buttons(post)["give_up"]["confirm"]["text"]["text"]


def test_an_answer_is_exactly_what_the_model_wrote() -> None:
    answer = "*Refund* `#12` <!channel>\n\n> ok & _bye_"
    post = answer_post(a_prompt(), a_job("ready"), "Where is\nmy order?", answer)
    assert [block["text"] for block in post.blocks if block["type"] == "section"] == [
        {"type": "mrkdwn", "text": "&gt; Where is my order?", "verbatim": True},
        {"type": "plain_text", "text": answer, "emoji": False},
    ]
    assert "m42 · 0.8 s · 212 tokens · $0.0002" in shown(post)
    assert buttons(post)["try_model"]["text"]["text"] == "Try again"
    assert buttons(post)["try_model"]["value"] == "prompt:p1"
    assert "<!channel>" not in post.text


def test_an_answer_cut_by_its_token_limit_says_so() -> None:
    assert "cut at the most tokens you allowed" in shown(
        answer_post(a_prompt(finish="length"), a_job("ready"), "Hello", "Hi")
    )


def test_an_endless_answer_is_shown_as_far_as_slack_goes() -> None:
    post = answer_post(a_prompt(), a_job("ready"), "Hello", "ab " * 5_000)
    assert "The answer goes on; Slack shows no more of it." in shown(post)
    assert shown(post).count("ab") > 2_900


def test_an_empty_answer_is_said_to_be_one() -> None:
    assert "The model answered with nothing." in shown(answer_post(a_prompt(), a_job("ready"), "Hello", " \n"))


def test_a_prompt_without_an_answer_says_why() -> None:
    post = prompt_failed_post(a_prompt("failed", refusal=REFUSED), a_job("ready"), "Hello", "")
    assert shown(post) == (
        "&gt; Hello\n"
        "m42 did not answer. Row 88 was refused by moderation.\n"
        "Delete it and drop the file again.\n"
        "[Try again]"
    )


def test_progress_without_steps_is_just_training() -> None:
    assert "*Training*." in shown(job_card(a_job("training", progress=Progress(status="running")), NOW_MS))


def test_a_failure_quotes_what_the_provider_said() -> None:
    post = failed_post(a_job("failed", refusal=REFUSED), "row 88 <!channel> was refused")
    assert "&gt; row 88 &lt;!channel&gt; was refused" in shown(post)
    assert "<!channel>" not in shown(post)
