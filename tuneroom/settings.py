"""Every setting, with its default: the one module that reads the environment.

The seven names that the outside world gave are taken as they are (`SLACK_BOT_TOKEN`, `OPENAI_API_KEY`, ...); every
other field of `Settings` is read from `TUNEROOM_` and its name in capitals, such as `TUNEROOM_CAP_MONTH_USD`.
"""

from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from finetune.errors import UserError
from tuneroom import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTSIDE_NAMES: Final = frozenset(
    {
        "slack_bot_token",
        "slack_app_token",
        "slack_signing_secret",
        "slack_api_url",
        "redis_url",
        "openai_api_key",
        "openai_base_url",
    }
)

AMOUNTS: Final = ("cap_run_usd", "cap_month_usd", "evaluation_usd")
CAPS_OF_THEIR_OWN: Final = ("cap_person_usd", "cap_channel_usd")
"""Of these there need be none, which is `inf`. What is no number holds nothing back: no price is more than `nan`."""

FURTHER_PROVIDERS: Final = ("azure", "nebius", "together", "trainer")
"""Providers that can have a key and an address of their own, beside the one behind OPENAI_API_KEY."""


@dataclass(frozen=True, slots=True)
class Account:
    """A provider's account. `base_url` is "" where the adapter knows the address."""

    name: str
    api_key: str
    base_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator can set. Seconds end in `_s`, minutes in `_min`, US dollars in `_usd`.

    Slack
        slack_bot_token       xoxb-…, the bot's token
        slack_app_token       xapp-…, for Socket Mode
        slack_signing_secret  for signed HTTP, used where no app token is set
        slack_api_url         another Slack-speaking server
        http_host, http_port  where signed HTTP listens
        channels              ids of the channels the bot works in, separated by commas; empty: all it was invited to
        max_file_mb           larger files are refused before they are fetched

    State
        redis_url             the Redis-protocol server that holds the record and RQ's queues
        blob_url              where bytes are kept: a directory, or an fsspec URL such as s3://bucket/path
        home                  where `tuneroom sandbox` keeps everything

    Providers and money
        provider              names of the providers, separated by commas; the first is meant where none is named
        openai_api_key, openai_base_url        of the first
        azure_api_key, azure_base_url          of a further one: OpenAI's protocol, but for Together, which has its own
        nebius_api_key, nebius_base_url
        together_api_key, together_base_url
        trainer_api_key, trainer_base_url
        provider_webhook_secret whsec_…, where the provider tells of its runs at /provider/events; for signed HTTP only
        models                base models on offer, separated by commas; empty: those of the price table still open
        price_table           a JSON file that adds to or changes the price table
        cap_run_usd           no run may be expected to cost more
        cap_month_usd         nor all runs of a calendar month (UTC) together
        cap_person_usd        nor those that one person started in it; inf: no cap of their own
        cap_channel_usd       nor those of one channel
        upload_part_mb        files larger than this are uploaded in parts of it; providers take 64 at most
        evaluation_rows       a tuned classifier is asked about so many held-out rows; 0: about none
        evaluation_usd        and asking may cost so much
        hosting_idle_min      a model that is hosted by the hour is put to sleep so many minutes after its last question

    Timings
        lease_s               how long a task owns a record without renewing
        create_deadline_s     how long the one paid request may take; shorter than the lease
        lookup_grace_s        how long after that a look-up that finds nothing is not believed
        retry_base_s, retry_max_s, retries_max  the doubling wait between tries
        poll_min_s, poll_max_s                  how often a run is looked at, by its age
        provider_calls_per_min how often all followers together ask one provider in a minute
        list_from_runs        from so many live runs on, statuses are read from the provider's list; 0: never
        report_silence_s      how long a check may take before it says how far it is

    Other
        log_level
        health_port           where /healthz and /metrics answer: the bot on this port, the worker on the next, the
                              follower on the one after that; 0: nowhere
        health_host           and on which address
        fault_folder          tests only: a file in it named like a fault point kills whoever reaches that point, once
    """

    slack_bot_token: str = ""
    slack_app_token: str = ""
    slack_signing_secret: str = ""
    slack_api_url: str = "https://slack.com/api/"
    http_host: str = "127.0.0.1"
    http_port: int = 3000
    channels: str = ""
    max_file_mb: int = 512
    redis_url: str = "redis://127.0.0.1:6379/0"
    blob_url: str = ".tuneroom/blobs"
    home: str = ".tuneroom"
    openai_api_key: str = ""
    openai_base_url: str = ""
    azure_api_key: str = ""
    azure_base_url: str = ""
    nebius_api_key: str = ""
    nebius_base_url: str = "https://api.tokenfactory.nebius.com/v1"
    together_api_key: str = ""
    together_base_url: str = "https://api.together.ai/v1"
    trainer_api_key: str = ""
    trainer_base_url: str = ""
    provider_webhook_secret: str = ""
    provider: str = "openai"
    models: str = ""
    price_table: str = ""
    cap_run_usd: float = 50.0
    cap_month_usd: float = 500.0
    cap_person_usd: float = math.inf
    cap_channel_usd: float = math.inf
    upload_part_mb: float = 64.0
    evaluation_rows: int = 200
    evaluation_usd: float = 0.5
    hosting_idle_min: float = 15.0
    lease_s: float = 20.0
    create_deadline_s: float = 12.0
    lookup_grace_s: float = 30.0
    retry_base_s: float = 2.0
    retry_max_s: float = 300.0
    retries_max: int = 8
    poll_min_s: float = 2.0
    poll_max_s: float = 60.0
    provider_calls_per_min: float = 6000.0
    list_from_runs: int = 50
    report_silence_s: float = 3.0
    log_level: str = "INFO"
    health_port: int = 0
    health_host: str = "127.0.0.1"
    fault_folder: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings that an environment gives; UserError names what does not fit."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            name = variable(field.name)
            if text := environment.get(name, "").strip():
                values[field.name] = _value(name, text, str(field.type))
        settings = cls(**values)
        if settings.create_deadline_s >= settings.lease_s:
            raise UserError(
                "settings-invalid",
                "TUNEROOM_CREATE_DEADLINE_S must be shorter than TUNEROOM_LEASE_S.",
                "Otherwise a second worker could take a job up while the first one's paid request is still out.",
            )
        for name in (*AMOUNTS, *CAPS_OF_THEIR_OWN):
            _insist_on_amount(name, getattr(settings, name))
        for name in _words(settings.provider)[1:]:
            if name not in FURTHER_PROVIDERS:
                raise UserError(
                    "settings-invalid",
                    f"TUNEROOM_PROVIDER names {name}, which can have no key of its own.",
                    f"After the first, it takes {', '.join(FURTHER_PROVIDERS)}.",
                )
        limits.refuse(settings, variable)
        return settings

    @classmethod
    def from_environment(cls) -> Settings:
        """Return the settings of this process."""
        return cls.read(os.environ)

    @property
    def secrets(self) -> frozenset[str]:
        """What must never be printed or logged."""
        password = urlsplit(self.redis_url).password or ""
        given = {self.slack_bot_token, self.slack_app_token, self.slack_signing_secret, self.openai_api_key}
        given |= {self.provider_webhook_secret, *(getattr(self, f"{name}_api_key") for name in FURTHER_PROVIDERS)}
        return frozenset(secret for secret in given | {password, unquote(password)} if secret)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts at the providers, the one that is meant where none is named first; never empty."""
        first, *further = _words(self.provider) or ["openai"]
        own = self._account(first)
        shared = Account(first, self.openai_api_key, self.openai_base_url or own.base_url)
        return (own if own.api_key else shared, *(self._account(name) for name in further))

    def _account(self, name: str) -> Account:
        """What is set for a provider alone; nothing for one that only OPENAI_API_KEY can be the key of."""
        if name not in FURTHER_PROVIDERS:
            return Account(name, "", "")
        return Account(name, getattr(self, f"{name}_api_key"), getattr(self, f"{name}_base_url"))

    @property
    def channel_ids(self) -> frozenset[str]:
        """The channels allowed; empty for all."""
        return frozenset(_words(self.channels))

    @property
    def model_names(self) -> tuple[str, ...]:
        """The models named by the operator; empty for the price table's."""
        return tuple(_words(self.models))


def variable(field: str) -> str:
    """Return the environment variable of a field of `Settings`."""
    return field.upper() if field in OUTSIDE_NAMES else f"TUNEROOM_{field.upper()}"


def environment() -> dict[str, str]:
    """Return a copy of this process's environment, for a child's."""
    return dict(os.environ)


def withhold(prefix: str) -> None:
    """Take the variables that begin so out of this process's environment, once they are read.

    Libraries read some of them by themselves: Bolt takes a token, and a client's id for an OAuth flow.
    """
    for name in [name for name in os.environ if name.startswith(prefix)]:
        del os.environ[name]


def _insist_on_amount(name: str, usd: float) -> None:
    if usd >= 0 and (math.isfinite(usd) or (usd == math.inf and name in CAPS_OF_THEIR_OWN)):
        return
    raise UserError(
        "settings-invalid",
        f"{variable(name)} is {usd}, which is no amount of US dollars.",
        "Set it to 0 or more" + ("; inf for no cap." if name in CAPS_OF_THEIR_OWN else "."),
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _value(name: str, text: str, kind: str) -> Any:
    try:
        return msgspec.convert(text, type={"str": str, "int": int, "float": float}[kind], strict=False)
    except msgspec.ValidationError as error:
        said = "which is no whole number" if kind == "int" else "which is no number"
        hint = "Write digits alone, without a comma or a sign of money: 1000" + ("." if kind == "int" else ", or 0.5.")
        raise UserError("settings-invalid", f"{name} is {text!r}, {said}.", hint) from error
