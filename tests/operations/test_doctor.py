"""`tuneroom doctor` against real servers: what is right is called right, and each fault by its name."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot import manifest
from bot.standing import Standing
from finetune.catalogue import Catalogue
from tests.support.azure_server import BASE, V1, Azure
from tests.support.recorded_server import KEY
from tests.support.stack import KEYS
from tests.support.waiting import wait_for
from tests.support.wire import served
from tuneroom.doctor import command, machine, money, provider, record, slack, storage
from tuneroom.doctor.verdict import Level
from tuneroom.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.stack import Stack
    from tests.support.valkey import Server
    from tuneroom.doctor.verdict import Verdict

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stack(orderly_stack: Stack) -> Stack:
    return orderly_stack


@pytest.fixture
def settings(stack: Stack) -> Settings:
    return Settings.read(stack.environment)


def of(verdicts: list[Verdict], subject: str) -> Verdict:
    found = [verdict for verdict in verdicts if verdict.subject == subject]
    assert len(found) == 1, [verdict.subject for verdict in verdicts]
    return found[0]


def run(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-P", "-m", "tuneroom", "doctor", *options]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, env=environment, check=False)


def test_the_environment_of_running_processes_is_found_right(stack: Stack) -> None:
    done = run(stack.environment, "--json")
    told = json.loads(done.stdout)
    wrong = [verdict for verdict in told["verdicts"] if verdict["level"] == "wrong"]
    assert (done.returncode, told["ok"], wrong) == (0, True, [])
    seen = {verdict["subject"]: verdict["level"] for verdict in told["verdicts"]}
    right = {
        "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "scopes", "Redis", "Redis writes", "Redis persistence", "Redis eviction",
        "provider", "may train", "model toy-gpt", "blob store", "clock of Redis", "clock of Slack", "caps",
    }  # fmt: skip
    assert {subject: seen[subject] for subject in right} == dict.fromkeys(right, "ok")
    assert {"Redis memory", "prices", "fonts", "disk of the blobs"} <= set(seen)


def test_no_secret_is_printed_whatever_is_wrong(stack: Stack) -> None:
    environment = stack.environment | {
        "REDIS_URL": "redis://:the-password@127.0.0.1:1/0",
        "TUNEROOM_BLOB_URL": "s3://the-password@nowhere/x",
        "OPENAI_API_KEY": "sk-the-wrong-key",
        "SLACK_BOT_TOKEN": "xoxb-the-wrong-token",
    }
    for options in ([], ["--json"]):
        done = run(environment, *options)
        assert done.returncode == 1
        for secret in ("the-password", "the-wrong-key", "the-wrong-token", *KEYS.values()):
            assert secret not in done.stdout + done.stderr


def test_with_nothing_set_it_says_what_to_set_first(stack: Stack, tmp_path: Path) -> None:
    names = {name: value for name, value in stack.environment.items() if name in {"PATH", "PYTHONPATH", "HOME"}}
    done = run(names | {"TUNEROOM_BLOB_URL": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"})
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("wrong    SLACK_BOT_TOKEN")
    assert "manifest --link" in lines[0]
    assert lines[-1].endswith("Begin with SLACK_BOT_TOKEN.")
    assert all(line.split()[0] in {"ok", "warning", "wrong"} for line in lines[:-2])
    assert all("→" in line for line in lines if line.startswith("wrong"))


@pytest.mark.parametrize(
    ("changes", "subject", "words"),
    [
        ({"slack_bot_token": "xapp-1-the-wrong-kind"}, "SLACK_BOT_TOKEN", "it is an app-level token"),
        ({"slack_bot_token": "gibberish"}, "SLACK_BOT_TOKEN", "no token of Slack's"),
        ({"slack_bot_token": "xoxb-not-known"}, "SLACK_BOT_TOKEN", "Slack says invalid_auth"),
        ({"slack_api_url": "http://127.0.0.1:1/api/"}, "SLACK_BOT_TOKEN", "Slack says unreachable"),
        ({"slack_app_token": "xoxb-1"}, "SLACK_APP_TOKEN", "it is a bot token"),
        ({"slack_app_token": "xapp-not-known"}, "SLACK_APP_TOKEN", "no socket"),
        ({"slack_app_token": ""}, "way in", "Slack cannot reach the bot"),
    ],
)
def test_a_token_that_is_no_good_is_called_wrong(
    settings: Settings, changes: dict[str, str], subject: str, words: str
) -> None:
    verdict = of(slack.examine(dataclasses.replace(settings, **changes)).verdicts, subject)
    assert verdict.level is Level.WRONG
    assert words in verdict.found
    assert verdict.mend


def test_a_signing_secret_can_only_be_looked_at(settings: Settings) -> None:
    by_http = dataclasses.replace(settings, slack_app_token="", slack_signing_secret="0" * 32)
    assert of(slack.examine(by_http).verdicts, "SLACK_SIGNING_SECRET").level is Level.OK
    odd = dataclasses.replace(by_http, slack_signing_secret="xoxb-mistaken")
    assert of(slack.examine(odd).verdicts, "SLACK_SIGNING_SECRET").level is Level.WARNING


def test_redis_that_forgets_is_called_wrong(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    here = Settings(redis_url=server.url)
    with server.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert of(record.examine(here).verdicts, "Redis eviction").level is Level.WRONG
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("appendfsync", "everysec")
        assert of(record.examine(here).verdicts, "Redis persistence").level is Level.WARNING
        client.config_set("appendonly", "no")
        assert of(record.examine(here).verdicts, "Redis persistence").level is Level.WRONG
        client.config_set("appendonly", "yes")
        client.config_set("appendfsync", "always")
        wait_for(lambda: of(record.examine(here).verdicts, "Redis persistence").level is Level.OK)


def test_redis_that_is_nearly_full_is_called_wrong(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    with server.client() as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory", int(used * 1.3))
    assert of(record.examine(Settings(redis_url=server.url)).verdicts, "Redis memory").level is Level.WRONG


def test_a_server_that_does_not_tell_its_settings_is_still_examined(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    with server.client() as client:
        client.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], commands=["-config"], keys=["*"])
        verdicts = record.examine(Settings(redis_url=server.url)).verdicts
    assert of(verdicts, "Redis persistence").level is Level.WARNING
    assert of(verdicts, "Redis eviction").level is Level.OK


def test_a_replica_is_called_wrong(private_valkey: Callable[[], Server]) -> None:
    server = private_valkey()
    with server.client() as client:
        client.config_set("replica-read-only", "no")
        client.replicaof("127.0.0.1", "1")
        verdicts = record.examine(Settings(redis_url=server.url)).verdicts
    assert any(verdict.level is Level.WRONG and "replica" in verdict.found for verdict in verdicts)


def test_a_key_the_provider_refuses_is_called_wrong(settings: Settings) -> None:
    refused = dataclasses.replace(settings, openai_api_key="sk-no")
    assert of(provider.examine(refused, Catalogue.load()), "provider").level is Level.WRONG


def test_a_model_that_the_provider_does_not_list_is_called_wrong(settings: Settings) -> None:
    other = dataclasses.replace(settings, models="gpt-4o-mini", provider="openai")
    found = provider.examine(other, Catalogue.load())
    assert of(found, "model gpt-4o-mini-2024-07-18").level is Level.WRONG


def a_table(**changes: Any) -> Catalogue:
    change = {"name": "toy-gpt", **changes}
    return Catalogue.load(json.dumps({"models": [change]}).encode())


@pytest.mark.parametrize(
    ("changes", "level"),
    [({"shutdown": "2020-01-01"}, Level.WRONG), ({"last_job": "2020-01-01"}, Level.WRONG),
     ({"shutdown": "2999-01-01"}, Level.OK), ({}, Level.OK)],
)  # fmt: skip
def test_a_model_is_judged_by_its_last_day(settings: Settings, changes: dict[str, str], level: Level) -> None:
    found = provider.examine(dataclasses.replace(settings, models="toy-gpt"), a_table(**changes))
    assert of(found, "model toy-gpt").level is level


def test_provider_of_another_kind_is_looked_at_by_its_own_names() -> None:
    azure = Azure()
    change = {"name": f"azure/{BASE}", "provider": "azure", "context": 65536, "methods": ["supervised"],
              "formats": ["chat"], "training_usd_per_million": 1}  # fmt: skip
    table = Catalogue.load(json.dumps({"models": [change]}).encode())
    with served(azure) as url:
        at = dataclasses.replace(
            Settings(), provider="azure", openai_api_key=KEY, openai_base_url=f"{url}{V1}/", models=f"azure/{BASE}"
        )
        found = provider.examine(at, table)
        assert [of(found, subject).level for subject in ("provider", f"model azure/{BASE}")] == [Level.OK, Level.OK]
        azure.trained["capabilities"] = {"fine_tune": False}
        verdict = of(provider.examine(at, table), f"model azure/{BASE}")
    assert (verdict.level, "does not train this model" in verdict.found) == (Level.WRONG, True)


def test_whether_an_account_may_train_is_not_claimed_to_be_known(settings: Settings) -> None:
    verdict = of(provider.examine(dataclasses.replace(settings, provider="openai"), Catalogue.load()), "may train")
    assert (verdict.level, verdict.found.split(":")[0]) == (Level.WARNING, "not known")


def test_a_blob_store_that_others_do_not_use_is_found_out(stack: Stack, settings: Settings, tmp_path: Path) -> None:
    mina = stack.workspace.as_user("mina")
    mina.drop("#tuning", "seen.jsonl", b'{"prompt": "a", "completion": "b"}\n' * 12)
    found = record.examine(settings)
    wait_for(lambda: any("shared" in v.subject for v in storage.examine(settings, found.redis)), timeout_s=45)
    assert of(storage.examine(settings, found.redis), "blob store, shared").level is Level.OK
    elsewhere = dataclasses.replace(settings, blob_url=str(tmp_path / "elsewhere"))
    assert of(storage.examine(elsewhere, found.redis), "blob store, shared").level is Level.WRONG


def test_a_blob_store_that_cannot_be_written_is_called_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    verdicts = storage.examine(Settings(blob_url=str(tmp_path / "file" / "blobs")), None)
    assert of(verdicts, "blob store").level is Level.WRONG


def test_a_relative_blob_store_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert of(storage.examine(Settings(), None), "blob store, place").level is Level.WARNING


@pytest.mark.parametrize(
    ("apart_s", "level"), [(0.4, Level.OK), (-9, Level.OK), (30, Level.WARNING), (-100, Level.WRONG)]
)
def test_clocks_are_judged_by_how_far_they_are_apart(apart_s: float, level: Level) -> None:
    found = machine.examine(redis_ahead_s=0.0, slack_ahead_s=apart_s)
    assert of(found, "clock of Slack").level is of(found, "clocks of Redis and Slack").level is level


def test_caps_and_prices_are_judged(tmp_path: Path) -> None:
    fresh = Catalogue.load()
    assert of(money.examine(Settings(), fresh, None), "caps").level is Level.OK
    assert of(money.examine(Settings(cap_run_usd=900), fresh, None), "caps").level is Level.WARNING
    old = Catalogue.load(b'{"as_of": "2020-01-01"}')
    assert of(money.examine(Settings(), old, None), "prices").level is Level.WARNING


def test_an_examination_that_breaks_is_one_line_itself() -> None:
    verdict = of(command._guarded("money", lambda: [1 / 0]), "money")  # type: ignore[list-item]
    assert (verdict.level, "ZeroDivisionError at test_doctor.py" in verdict.found) == (Level.WRONG, True)


def test_scopes_that_were_not_granted_are_named_with_what_they_are_for(settings: Settings) -> None:
    found = slack.examine(settings)
    assert of(found.verdicts, "scopes").level is Level.OK
    fewer = Standing(
        team="T1", team_name="x", user_name="x", is_bot=True, ahead_s=None,
        scopes=frozenset(manifest.scope_names()) - {"files:read"},
    )  # fmt: skip
    verdict = slack._scopes(fewer)[0]
    assert (verdict.level, "files:read (the bytes of a dropped dataset" in verdict.found) == (Level.WRONG, True)
    more = dataclasses.replace(fewer, scopes=frozenset([*manifest.scope_names(), "admin"]))
    assert (slack._scopes(more)[0].level, "admin" in slack._scopes(more)[0].found) == (Level.WARNING, True)
