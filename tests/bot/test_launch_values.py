"""What a launch begins with, and the same request made again: by a real record, for a provider that can do it all."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.choosing import OF_REINFORCEMENT
from bot.form_values import first_values, of_another_model, of_chosen_model, of_line, values_of
from bot.launch_form import launch_view
from bot.launching import Memo, held_micros, launch_of, reserved_micros
from bot.said import FieldError
from finetune.catalogue import Catalogue
from finetune.launch import parse_suffix
from jobstore.offers import Listing, Offers
from tests.bot.cards import fields, shown
from tests.bot.offers import MODELS, SERVICES, an_offer

if TYPE_CHECKING:
    from jobstore.connections import Redis
    from jobstore.store import Store


@pytest.mark.parametrize(
    ("task", "epochs", "lr"),
    [(None, "auto", "auto"), ("chat", "auto", "auto"), ("classification", "auto", "auto"),
     ("conditional-generation", "2", "x0.5"), ("open-ended", "2", "x0.5"), ("extraction", "2", "x0.5")],
)  # fmt: skip
def test_writing_begins_with_few_epochs_at_a_low_rate(store: Store, task: str | None, epochs: str, lr: str) -> None:
    values = first_values(an_offer(store, task=task))
    assert (values["epochs"], values["lr"]) == (epochs, lr)
    assert launch_of(an_offer(store, task=task), values).request.model == "base-1"


def test_rate_is_left_to_a_provider_that_takes_no_multiplier(store: Store) -> None:
    values = first_values(an_offer(store, provider="rates", task="open-ended"))
    assert values["lr"] == "auto"
    request = launch_of(an_offer(store, provider="rates"), values | {"lr": "2e-5"}).request
    assert (request.learning_rate, request.learning_rate_multiplier) == (2e-5, None)


def test_what_the_task_wants_is_proposed_for_the_model_that_is_named(store: Store) -> None:
    """A line that names a model of another provider than the first says nothing of a rate, and is not refused one."""
    offer = an_offer(store, further="beta", task="open-ended")
    values = first_values(offer, model="other-1")
    assert [values[name] for name in ("model", "epochs", "lr")] == ["other-1", "2", "auto"]
    assert launch_of(offer, values).request.provider == "beta"
    assert first_values(offer, model="gone-1")["model"] == "base-1", "what is wrong with it is said by the launch"


def test_what_was_proposed_is_proposed_anew_for_a_model_that_is_chosen(store: Store) -> None:
    offer = an_offer(store, further="scratch", task="open-ended")
    first = first_values(offer)
    assert [first[name] for name in ("model", "epochs", "lr")] == ["base-1", "2", "x0.5"]
    toy = of_chosen_model(offer, first | {"model": "toy-1"})
    assert [toy[name] for name in ("epochs", "lr")] == ["auto", "auto"], "too little for one that begins from nothing"
    back = of_chosen_model(offer, toy | {"model": "base-1"})
    assert back == first | {"wandb": ""}
    typed = first | {"model": "toy-1", "epochs": "7", "lr": "x0.3"}
    assert of_chosen_model(offer, typed) == typed | {"wandb": ""}


def test_the_model_chosen_is_the_provider_chosen(store: Store) -> None:
    offer = an_offer(store, further="beta", task="open-ended")
    values = first_values(offer)
    before, after = launch_view(offer, values), launch_view(offer, values | {"model": "other-1", "lr": "2e-5"})
    (model,) = (block for block in before["blocks"] if block.get("block_id") == "model")
    assert [group["label"]["text"] for group in model["element"]["option_groups"]] == ["acme", "Beta Corp"]
    assert "Your rows go to acme." in shown(before)
    assert "Your rows go to Beta Corp (EU)." in shown(after)
    assert "$0.60" in shown(before)
    assert "$0.20" in shown(after)
    request = launch_of(offer, values | {"model": "other-1", "lr": "2e-5"}).request
    assert (request.provider, request.learning_rate) == ("beta", 2e-5)


def test_no_more_epochs_are_offered_than_the_provider_trains(store: Store) -> None:
    offer = an_offer(store, further="beta", epochs=25)
    values = first_values(offer) | {"model": "other-1"}
    assert launch_of(offer, values).request.epochs == 20
    assert "1 to 20, or auto" in json.dumps(launch_view(offer, values))
    with pytest.raises(FieldError, match="from 1 to 20"):
        launch_of(offer, values | {"epochs": "21"})


def test_what_asking_afterwards_may_cost_is_said_where_it_is_asked_and_costs(store: Store) -> None:
    offer = an_offer(store, further="beta", task="extraction")
    asked = "it is asked about 200 of these rows at most, for $0.50 at most"
    launch = launch_of(offer, first_values(offer))
    seen = Memo.of_text(launch_view(offer, first_values(offer))["private_metadata"]).shown_micros
    assert seen == held_micros(launch) == reserved_micros(launch.request) + 500_000, "what is shown is what is held"
    assert asked in shown(launch_view(offer, first_values(offer)))
    assert asked not in shown(launch_view(offer, first_values(offer) | {"holdout": "0"}))
    assert asked not in shown(launch_view(offer, first_values(offer) | {"model": "other-1"}))
    written = an_offer(store, task="open-ended")
    assert asked not in shown(launch_view(written, first_values(written)))


def test_what_only_the_first_provider_takes_is_taken_back_with_another_model(store: Store) -> None:
    offer = an_offer(store, further="beta", task="open-ended")
    chosen = first_values(offer) | {"model": "other-1", "wandb": "team/tickets"}
    assert chosen["lr"] == "x0.5"
    values = of_another_model(offer, chosen)
    assert (values["lr"], values["wandb"]) == ("auto", "")
    assert of_another_model(offer, chosen | {"lr": "2e-5"})["lr"] == "2e-5"
    assert of_another_model(offer, chosen | {"model": "base-1"}) == chosen | {"model": "base-1"}


@pytest.mark.parametrize(
    ("model", "provider", "said"),
    [("base-1", "beta", "base-1 is trained by acme, not by beta."), ("base-1", "gamma", "Providers here: acme, beta.")],
)
def test_a_line_cannot_name_a_provider_that_does_not_train_the_model(
    store: Store, model: str, provider: str, said: str
) -> None:
    offer = an_offer(store, further="beta")
    with pytest.raises(FieldError) as refused:
        launch_of(offer, first_values(offer) | {"model": model, "provider": provider})
    assert refused.value.message == said


def test_a_line_that_names_a_provider_alone_gets_its_first_model(store: Store) -> None:
    offer = an_offer(store, further="beta")
    assert first_values(offer, "Beta")["model"] == "other-1"
    assert first_values(offer, "gamma")["model"] == "base-1"


def test_what_cannot_be_had_is_said_with_the_reason(store: Store) -> None:
    offer = an_offer(store)
    said = shown(launch_view(offer, first_values(offer), folded=False))
    assert "gone-1 stopped on 2001-01-01" in said
    hourly = shown(launch_view(offer, first_values(offer) | {"model": "hourly-1"}))
    assert "is paid by the hour ($100.00)" in hourly
    with pytest.raises(FieldError) as refused:
        launch_of(offer, first_values(offer) | {"model": "gone-1"})
    assert "stopped on 2001-01-01" in refused.value.message


def test_folded_fields_travel_with_the_form(store: Store) -> None:
    offer = an_offer(store)
    values = first_values(offer) | {"lr": "x0.25", "wandb": "team/tickets", "cap": "5"}
    view = launch_view(offer, values)
    memo = Memo.of_text(view["private_metadata"])
    whole = memo.values(fields(view))
    assert "lr" not in fields(view)
    assert launch_of(offer, whole).request == launch_of(offer, values).request


numbers = st.integers(1, 50).map(str) | st.just("auto")
choices = st.fixed_dictionaries(
    {},
    optional={
        "epochs": numbers,
        "batch": numbers,
        "lr": st.sampled_from(["auto", "x0.5", "2", "x0.001", "0.25"]),
        "seed": st.integers(0, 2**31 - 1).map(str),
        "holdout": st.integers(0, 50).map(str),
        "suffix": st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
        "wandb": st.sampled_from(["", "p", "t/p", "t/p/n #a #b"]),
        "beta": st.sampled_from(["auto", "0.1", "2"]),
        "grader": st.sampled_from(["exact:answer", "similar:label"]),
        "effort": st.sampled_from(["auto", "low", "high"]),
        "compute": st.sampled_from(["auto", "0.5"]),
        "eval_every": numbers,
        "cap": st.sampled_from(["", "$1,000"]),
    },
)


@given(choices, st.sampled_from(["chat", "preference", "reinforcement"]))
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_request_made_again_from_its_own_values_has_the_same_digest(
    store: Store, chosen: dict[str, str], format_name: str
) -> None:
    offer = an_offer(store, format=format_name)
    beta = {} if format_name == "preference" else {"beta": ""}
    values = first_values(offer) | {"grader": "exact:a"} | chosen | beta
    if format_name != "reinforcement":
        values = {name: value for name, value in values.items() if name not in OF_REINFORCEMENT}
    elif values["holdout"] == "0":
        values["holdout"] = "10"
    first = launch_of(offer, values)
    again = launch_of(offer, values_of(first.request, first.grader))
    assert again == first
    assert again.request.digest() == first.request.digest()


@pytest.mark.parametrize(("said", "values"), [
    ({"valid": "10%"}, {"valid": "split", "holdout": "10"}),
    ({"valid": "none"}, {"valid": "split", "holdout": "0"}),
    ({"valid": "d13"}, {"valid": "d13"}),
    ({}, {}),
])  # fmt: skip
def test_validation_of_a_line_is_the_forms(said: dict[str, str], values: dict[str, str]) -> None:
    assert of_line(said) == values


def test_first_suffix_is_one_that_is_taken(store: Store) -> None:
    values = first_values(an_offer(store))
    assert parse_suffix(values["suffix"]) == values["suffix"]


def test_form_says_when_the_chosen_model_will_end(store: Store) -> None:
    """By the price table, and sooner by what the provider told; nothing where the end is out of sight."""
    day = datetime.fromtimestamp(store.now_ms() / 1000, UTC).date() + timedelta(days=40)
    ends: dict[str, Any] = {"last_job": (day - timedelta(days=8)).isoformat(), "shutdown": day.isoformat()}
    table = {"models": [{**MODELS[0], **ends}, *MODELS[1:]], "services": SERVICES}
    offer = an_offer(store)
    ending = dataclasses.replace(offer.desk, catalogue=Catalogue.load(json.dumps(table).encode()))
    text = shown(launch_view(dataclasses.replace(offer, desk=ending), first_values(offer)))
    assert f"base-1 takes no new jobs from {ends['last_job']} and stops on {day}." in text
    assert "stops on" not in shown(launch_view(offer, first_values(offer)))


def test_form_believes_the_provider_before_the_price_table(store: Store, connection: Redis) -> None:
    day = datetime.fromtimestamp(store.now_ms() / 1000, UTC).date() + timedelta(days=9)
    offers = Offers(connection)
    offers.keep("acme", Listing(at_ms=1, stops={"base-1": day}), again_in_ms=1)
    offer = an_offer(store)
    told = dataclasses.replace(offer, desk=dataclasses.replace(offer.desk, offers=offers))
    assert f"base-1 stops on {day}." in shown(launch_view(told, first_values(told)))
