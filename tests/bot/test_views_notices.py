"""What is said to one person: help, near misses, lists, refusals."""

from __future__ import annotations

import pytest

from bot.views import LISTED, asked, cancel_outcome, words
from bot.views.notices import (
    help_message,
    job_details,
    jobs_list,
    near_miss,
    not_training_data,
    refusal,
    something_failed,
    welcome,
)
from finetune.errors import UserError
from tests.bot.cards import NOON_MS, a_dataset, a_job, a_training_job, buttons, shown


def test_help_names_every_verb_and_the_drop() -> None:
    text = shown(help_message())
    assert "*Drop a dataset*" in text
    for verb in ("train d12", "list", "show j42", "cancel j42", "try m42 your prompt", "help"):
        assert f"`/tune {verb}`: " in text


@pytest.mark.parametrize(
    ("word", "meant"),
    [("shw", "`/tune show j42`"), ("CANCLE", "`/tune cancel j42`"), ("lists", "`/tune list`")],
)
def test_a_near_miss_is_guessed(word: str, meant: str) -> None:
    assert f"I don't know `{word}`. Did you mean {meant}?" in shown(near_miss(word))


def test_a_word_like_nothing_gets_the_way_to_help() -> None:
    assert shown(near_miss("<!here>")) == "I don't know `&lt;!here&gt;`.\n`/tune help` shows everything I understand."


def test_a_handle_alone_is_shown() -> None:
    assert shown(near_miss("D7")) == "I don't know `D7`. Did you mean `/tune show d7`?"


def test_a_check_is_told_where_it_happens() -> None:
    assert shown(near_miss("check")).startswith("To check a dataset, drop it here: I answer in its thread.")


@pytest.mark.parametrize(
    ("state", "outcome", "said"),
    [
        ("training", "flagged", "Cancelling *j42*. Its card says when it has stopped."),
        ("training", "already", "*j42* is being cancelled already."),
        ("ready", "too-late", "It is trained already: there is nothing to cancel."),
        ("failed", "too-late", "It has failed already: there is nothing to cancel."),
    ],
)
def test_a_cancellation_is_answered_by_what_came_of_it(state: str, outcome: str, said: str) -> None:
    assert shown(cancel_outcome(a_job(state), outcome)) == said


def test_a_prompt_is_acknowledged() -> None:
    assert shown(asked(a_job("ready"))) == "Asked *m42*. The answer comes in its thread."


def test_the_list_has_a_line_each() -> None:
    message = jobs_list([a_training_job(), a_job("ready", cost_usd=3.52)], [a_dataset("accepted", rows_seen=1204)])
    assert shown(message) == (
        "*j42* support-bot · training 37% · <@UMINA> · about $3.71, at most $5\n"
        "*j42* support-bot · ready · <@UMINA> · cost $3.52\n"
        "*d12* tickets.csv · ready · 1,204 rows\n"
        "`/tune show j42` says more."
    )
    assert message.text == "2 jobs, 1 dataset."


def test_a_list_names_what_is_in_it_and_says_when_there_is_more() -> None:
    rejected = a_dataset("rejected", rows_seen=3)
    assert shown(jobs_list([], [rejected])) == "*d12* tickets.csv · has errors · 3 rows\n`/tune show d12` says more."
    assert "cannot be read" in shown(jobs_list([], [a_dataset("unreadable")]))
    assert "These are the newest; older ones can be named, too." in shown(jobs_list([], [rejected] * LISTED))


def test_an_empty_list_says_how_to_begin() -> None:
    assert shown(jobs_list([], [])) == "Nothing here yet. Drop a dataset in this channel, and I check it."


def test_details_for_one_person_carry_the_buttons_that_fit() -> None:
    assert list(buttons(job_details(a_training_job(), [], NOON_MS))) == ["cancel_job"]
    assert list(buttons(job_details(a_job("ready"), [], NOON_MS))) == ["try_model"]
    assert buttons(job_details(a_job("failed"), [], NOON_MS)) == {}


def test_a_refusal_says_what_to_do() -> None:
    error = UserError("not-yours", "Only the person who started this job can do that.", "Ask them to do it.")
    assert shown(refusal(error)) == "Only the person who started this job can do that.\nAsk them to do it."
    assert refusal(error).text == "Only the person who started this job can do that. Ask them to do it."


def test_our_own_failure_has_a_reference() -> None:
    assert "Something failed on our side (ref `a1b2`)." in shown(something_failed("a1b2"))


def test_the_welcome_says_what_to_drop_and_that_nothing_costs_by_itself() -> None:
    text = shown(welcome())
    assert "as chat `messages` or as `prompt` and `completion`" in text
    assert "Nothing costs money before you have seen the price and confirmed it." in text
    assert "[Try a sample]" in text


def test_a_file_that_is_no_dataset_is_left_alone() -> None:
    assert shown(not_training_data("notes.pdf")).startswith(
        "*notes.pdf* does not look like training data, so I left it alone."
    )


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (0, "free"),
        (3.714, "$3.71"),
        (1234.5, "$1,234.50"),
        (0.01, "$0.01"),
        (0.000_2, "$0.0002"),
        (0.000_234_9, "$0.00023"),
        (0.009_99, "$0.01"),
        (1e-12, "under $0.00000001"),
    ],
)
def test_money_is_said_as_people_say_it(usd: float, said: str) -> None:
    assert words.money(usd) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, 0, "free"),
        (3.714, 3.714, "about $3.71"),
        (3.4, 3.9, "$3.40–3.90"),  # noqa: RUF001 - a range takes an en dash
        (0.0009, 0.0012, "under $0.01"),
        (0.0093, 0.012, "up to $0.01"),
    ],
)
def test_prices_are_said_to_the_cent(low: float, high: float, said: str) -> None:
    assert words.price(low, high) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(980, "980"), (3_400, "3.4k"), (9_960, "10k"), (412_345, "412k"), (999_600, "1M"), (1_204_000, "1.2M")],
)
def test_counts_at_a_glance(count: int, said: str) -> None:
    assert words.short_count(count) == said


@pytest.mark.parametrize(
    ("ms", "said"),
    [(45_000, "45 s"), (14 * 60_000, "14 min"), (92 * 60_000, "1 h 32 min"), (51 * 3_600_000, "2 d 3 h")],
)
def test_durations(ms: int, said: str) -> None:
    assert words.duration(ms) == said
