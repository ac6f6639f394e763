"""Settings come from the environment by documented names, or are refused in words."""

from __future__ import annotations

import dataclasses
import math

import pytest

from finetune.errors import UserError
from tuneroom.settings import OUTSIDE_NAMES, Settings, environment, variable, withhold


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.read({}) == Settings()


def test_outside_names_are_taken_as_they_are_and_ours_have_a_prefix() -> None:
    settings = Settings.read({"OPENAI_API_KEY": "k", "TUNEROOM_CAP_RUN_USD": "7.5", "TUNEROOM_CHANNELS": "C1, C2"})
    assert (settings.openai_api_key, settings.cap_run_usd) == ("k", 7.5)
    assert settings.channel_ids == {"C1", "C2"}
    assert variable("openai_api_key") == "OPENAI_API_KEY"
    assert variable("cap_run_usd") == "TUNEROOM_CAP_RUN_USD"


def test_the_first_provider_has_the_key_that_everybody_has() -> None:
    (only,) = Settings.read({"OPENAI_API_KEY": "k"}).accounts
    assert (only.name, only.api_key, only.base_url) == ("openai", "k", "")


def test_further_providers_have_keys_and_addresses_of_their_own() -> None:
    given = {"OPENAI_API_KEY": "k", "TUNEROOM_PROVIDER": "openai, trainer,together", "TUNEROOM_TOGETHER_API_KEY": "t"}
    first, trainer, together = Settings.read(given).accounts
    assert (first.name, trainer.name, together.name) == ("openai", "trainer", "together")
    assert (first.api_key, trainer.api_key, together.api_key) == ("k", "", "t")
    assert together.base_url == Settings().together_base_url
    assert "t" in Settings.read(given).secrets


def test_a_provider_that_can_have_no_key_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="TUNEROOM_PROVIDER names acme"):
        Settings.read({"TUNEROOM_PROVIDER": "openai,acme"})


def test_an_empty_variable_is_an_unset_one() -> None:
    assert Settings.read({"TUNEROOM_HTTP_PORT": ""}).http_port == Settings().http_port


def test_what_is_no_number_is_refused_by_name() -> None:
    with pytest.raises(UserError, match="TUNEROOM_CAP_RUN_USD is 'much'"):
        Settings.read({"TUNEROOM_CAP_RUN_USD": "much"})


@pytest.mark.parametrize(
    "name", ["CAP_RUN_USD", "CAP_MONTH_USD", "CAP_PERSON_USD", "CAP_CHANNEL_USD", "EVALUATION_USD"]
)
@pytest.mark.parametrize("text", ["nan", "-1", "-inf", "inf"])
def test_a_cap_that_would_hold_nothing_back_is_refused_by_name(name: str, text: str) -> None:
    if text == "inf" and name in {"CAP_PERSON_USD", "CAP_CHANNEL_USD"}:
        assert Settings.read({f"TUNEROOM_{name}": text}).cap_person_usd == math.inf
        return
    with pytest.raises(UserError, match=f"TUNEROOM_{name} is {text}"):
        Settings.read({f"TUNEROOM_{name}": text})


def test_the_paid_request_must_end_before_its_lease_does() -> None:
    with pytest.raises(UserError, match="TUNEROOM_CREATE_DEADLINE_S must be shorter"):
        Settings.read({"TUNEROOM_CREATE_DEADLINE_S": "60", "TUNEROOM_LEASE_S": "60"})


def test_what_is_withheld_no_library_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACKER", "stays")
    withhold("SLACK_")
    assert {name: value for name, value in environment().items() if name.startswith("SLACK")} == {"SLACKER": "stays"}


def test_every_setting_is_documented() -> None:
    documented = Settings.__doc__ or ""
    for field in dataclasses.fields(Settings):
        assert field.name in documented, field.name
    assert {field.name for field in dataclasses.fields(Settings)} >= OUTSIDE_NAMES
