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


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("TUNEROOM_CAP_RUN_USD", "$50", "without a comma or a sign of money"),
        ("TUNEROOM_CAP_MONTH_USD", "1,000", "without a comma or a sign of money"),
        ("TUNEROOM_RETRIES_MAX", "2.5", "no whole number"),
        ("TUNEROOM_RETRIES_MAX", "-1", "Set it to 0 or more"),
        ("TUNEROOM_LEASE_S", "inf", "a number above 0"),
        ("TUNEROOM_POLL_MIN_S", "nan", "a number above 0"),
        ("TUNEROOM_MAX_FILE_MB", "0", "a number above 0"),
        ("TUNEROOM_UPLOAD_PART_MB", "65", "64 MB at most"),
        ("TUNEROOM_HTTP_PORT", "99999", "no port"),
        ("TUNEROOM_HEALTH_PORT", "65534", "65533 is the last"),
        ("TUNEROOM_LOG_LEVEL", "LOUD", "It takes DEBUG"),
        ("TUNEROOM_CHANNELS", "C0TUNING00,#tuning", "Name channels by id"),
        ("TUNEROOM_PROVIDER", "openai,together,together", "names together twice"),
        ("OPENAI_BASE_URL", "api.openai.com/v1", "Begin it with https://"),
        ("TUNEROOM_TRAINER_BASE_URL", "http://", "Begin it with https://"),
        ("SLACK_API_URL", "slack.com/api/", "Begin it with https://"),
        ("REDIS_URL", "localhost:6379", "redis://:PASSWORD@HOST:6379/0"),
        ("REDIS_URL", "redis://:secret#word@redis:6379/0", "write # as %23"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_write(name: str, text: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        Settings.read({name: text})
    assert name in refused.value.message
    assert words in f"{refused.value.message} {refused.value.hint}"
    assert "secret" not in f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize(
    "url", ["redis://r", "rediss://:p%23w@r:6380/1", "unix:///run/redis.sock", "unix://:p@/r.sock"]
)
def test_every_way_to_a_redis_is_taken(url: str) -> None:
    assert Settings.read({"REDIS_URL": url}).redis_url == url


def test_space_around_a_value_is_no_part_of_it() -> None:
    settings = Settings.read({"SLACK_BOT_TOKEN": " xoxb-1\n", "OPENAI_API_KEY": "  "})
    assert (settings.slack_bot_token, settings.openai_api_key) == ("xoxb-1", "")


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
