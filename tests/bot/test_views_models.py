"""Models and when they stop, and the quote elsewhere, as people read them; within Slack's limits whatever they hold."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest

from bot.replacing import AccountModel, Choice, Elsewhere, OwnModel, Subject
from bot.views.home import Spend, home
from bot.views.models import models_list, quote_message, quote_modal, stop_words
from finetune.report import PriceRange
from jobstore.records import Ref
from jobstore.states import Kind
from sandbox.blockkit.surfaces import view_problems
from tests.bot.block_limits import problems_of_message, problems_of_modal
from tests.bot.cards import NOON_MS, a_job, shown

TODAY = date(2026, 11, 21)
END = date(2027, 1, 14)
DAY_MS = 86_400_000
NASTY = "<!channel> *_~` & <@U666> " * 40


def own(number: int = 42, stops: date | None = END, **changes: Any) -> OwnModel:
    fields: dict[str, Any] = {"model": f"ft:{number}", "ready_ms": NOON_MS - 12 * DAY_MS}
    job = a_job("ready", **fields | changes)
    return OwnModel(dataclasses.replace(job, ref=Ref("T1", Kind.JOB, f"j{number}")), stops)


def foreign(name: str = "ft:gpt-4o-mini-2024-07-18:acme:bot:Ab1", **changes: Any) -> AccountModel:
    given: dict[str, Any] = {"base": "gpt-4o-mini-2024-07-18", "provider": "openai", "made_ms": NOON_MS - 200 * DAY_MS}
    return AccountModel(name=name, stops=END, **given | changes)


def listed(*models: OwnModel, account: list[AccountModel] | None = None, **changes: Any) -> Any:
    given: dict[str, Any] = {"now_ms": NOON_MS, "today": TODAY, "told_ms": NOON_MS - DAY_MS}
    return models_list(list(models), account or [], **given | changes)


def a_choice(model: str, usd: float | None = 3.71, **changes: Any) -> Choice:
    given: dict[str, Any] = {
        "model": model, "provider": "OpenAI", "price": None if usd is None else PriceRange(usd, usd),
        "usd_per_hour": None, "ends": "", "outlives": True, "is_here": True,
    }  # fmt: skip
    return Choice(**given | changes)


def a_quote(*choices: Choice, **changes: Any) -> Elsewhere:
    subject = Subject(
        member="job:j42", handle="m42", title="support-bot", base="gpt-4o-mini-2024-07-18", stops=END
    )  # fmt: skip
    given: dict[str, Any] = {
        "subject": subject, "rows": 1204, "format": "chat", "epochs": 3, "prices_as_of": "2026-11-15",
    }  # fmt: skip
    return Elsewhere(choices=choices, **given | changes)


def test_models_say_their_base_age_and_last_day_and_offer_a_quote() -> None:
    said = listed(own(), own(43, None, title="lasting"))
    text = shown(said)
    assert text.startswith(
        "*2 models* in this channel; 1 stops within 90 days.\n"
        "*m42* support-bot\ngpt-4o-mini · Mina · 12 days old · stops on 2027-01-14 (in 54 days)\n"
    )
    assert "*m43* lasting\ngpt-4o-mini · Mina · 12 days old\n" in text
    acts = [block["accessory"] for block in said.blocks if "accessory" in block]
    assert [(act["action_id"], act["value"]) for act in acts] == [("quote_elsewhere", "job:j42")]


def test_the_accounts_others_are_ids_and_say_how_to_save_them() -> None:
    text = shown(listed(account=[foreign(), foreign("ft:2")]))
    assert "*2 other fine-tunes in the account*" in text
    assert "`ft:gpt-4o-mini-2024-07-18:acme:bot:Ab1` · gpt-4o-mini · 200 days old · stops on 2027-01-14" in text
    assert "`tuneroom rescue --out FOLDER` saves their files and figures, and quotes them elsewhere." in text


def test_who_sees_fewer_is_told_how_many_there_are() -> None:
    assert "Admins also see 3 other fine-tunes of the account here." in shown(listed(own(), hidden=3))
    assert "Admins also see 1 other fine-tune of the account here." in shown(listed(own(), hidden=1))
    assert "Admins" not in shown(listed(own()))


def test_a_provider_that_told_nothing_is_said() -> None:
    assert "the provider has not told me any lately" in shown(listed(own(), told_ms=0))


def test_a_channel_without_models_is_told_how_to_get_one() -> None:
    assert shown(listed()).startswith("This channel has no model yet. Drop a dataset here to train one.")


@pytest.mark.parametrize(
    ("days", "said"),
    [(54, "stops on 2027-01-14 (in 54 days)"), (1, "stops on 2026-11-22 (tomorrow)"),
     (0, "stopped on 2026-11-21 (today)"), (-5, "stopped on 2026-11-16 (5 days ago)")],
)  # fmt: skip
def test_days_are_said_from_today(days: int, said: str) -> None:
    assert stop_words(TODAY + timedelta(days=days), TODAY) == said


def test_a_quote_names_price_last_day_and_where_and_opens_the_form() -> None:
    said = quote_message(
        a_quote(
            a_choice("open-8b", 1.2, provider="Together", hosting_usd_per_hour=2.4),
            a_choice("open-70b", 30.0, is_here=False),
            a_choice("gpt-4.1-2025-04-14", 30.9, outlives=False, ends="takes no new jobs from 2027-01-06"),
        ),
        TODAY,
    )
    text = shown(said)
    assert text.startswith(
        "*support-bot* (m42) is a gpt-4o-mini; it stops on 2027-01-14 (in 54 days).\n"
        "The same rows elsewhere, 1,204 rows of chat, 3 epochs:\n"
        "*open-8b* at Together · about $1.20 · then $2.40 an hour while it is hosted\n"
    )
    assert "*open-70b* at OpenAI · about $30.00 · not set up here\n" in text
    assert "These stop as soon, or sooner:\n*gpt-4.1* at OpenAI · about $30.90 · takes no new jobs from" in text
    buttons = [block["accessory"] for block in said.blocks if "accessory" in block]
    assert [(one["action_id"], one["value"]) for one in buttons] == [
        ("train_on", "job:j42 open-8b"), ("train_on", "job:j42 gpt-4.1-2025-04-14"),
    ]  # fmt: skip


def test_rows_that_nothing_takes_say_who_can_help() -> None:
    text = shown(quote_message(a_quote(), TODAY))
    assert text == (
        "*support-bot* (m42) is a gpt-4o-mini; it stops on 2027-01-14 (in 54 days).\n"
        "No other model that takes new jobs takes these rows. Whoever runs me can add a provider (TUNEROOM_PROVIDER) or"
        " a price (TUNEROOM_PRICE_TABLE)."
    )


def test_a_dataset_is_quoted_without_an_old_model() -> None:
    subject = Subject(member="dataset:d12", handle="d12", title="tickets.csv")
    text = shown(quote_message(a_quote(a_choice("open-8b", None, usd_per_hour=100.0), subject=subject), TODAY))
    assert "Train… opens the form; nothing starts before you confirm." in text
    assert text.startswith("*tickets.csv* (d12).\n1,204 rows of chat, 3 epochs:\n*open-8b* at OpenAI · $100.00 an hour")


def test_a_quote_of_nothing_that_is_here_says_who_can_help() -> None:
    text = shown(quote_message(a_quote(a_choice("open-8b", is_here=False)), TODAY))
    assert "ask whoever runs me to set that provider up (TUNEROOM_PROVIDER)" in text
    assert "Train…" not in text


def test_a_home_begins_with_what_stops_soon() -> None:
    view = home([own().job], Spend(mine_usd=0, all_usd=0, cap_usd=1), [own()], TODAY)
    text = shown(view)
    assert "*support-bot* (m42) stops on 2027-01-14 (in 54 days).\n" in text
    assert view["blocks"][2]["accessory"]["action_id"] == "quote_elsewhere"


def test_everything_is_within_slacks_limits_whatever_it_holds() -> None:
    models = [own(number, title=NASTY) for number in range(1, 80)]
    account = [foreign(f"ft:{number}:{NASTY}", base=NASTY) for number in range(200)]
    said = listed(*models, account=account, hidden=10**9)
    assert problems_of_message(said) == []
    assert "<!channel>" not in shown(said)
    choices = [a_choice(f"model-{number}", 1e9, provider=NASTY, ends=NASTY) for number in range(60)]
    choices += [a_choice(f"gone-{number}", outlives=False) for number in range(60)]
    quote = a_quote(*choices, rows=10**12, format=NASTY, prices_as_of=NASTY)
    assert problems_of_message(quote_message(quote, TODAY)) == []
    assert problems_of_modal(quote_modal(quote, TODAY)) == []
    view = home([one.job for one in models], Spend(mine_usd=0, all_usd=0, cap_usd=1), models, TODAY)
    assert view_problems(view, "home") == []
