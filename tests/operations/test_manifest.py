"""The Slack app asks for what the bot uses, and for nothing else."""

from __future__ import annotations

import ast
import functools
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from slack_sdk import WebClient

from bot import manifest
from tuneroom import cli

ROOT = Path(__file__).parents[2]
CLIENT_METHODS = {
    name
    for name in vars(WebClient)
    if re.fullmatch(r"[a-z]+(_[a-zA-Z]+)+", name) and callable(getattr(WebClient, name))
} - {"api_call"}
EVENT_OF_MESSAGE = {"message.channels", "message.groups", "message.im"}


@functools.cache
def nodes() -> tuple[ast.AST, ...]:
    """All that stands in the bot's modules."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "bot").rglob("*.py")]
    return tuple(node for tree in trees for node in ast.walk(tree))


@functools.cache
def called() -> frozenset[str]:
    """Every Web API method that the bot names, as Slack calls it; `api_call("x.y")` too."""
    found: set[str] = set()
    for node in nodes():
        if isinstance(node, ast.Attribute) and node.attr in CLIENT_METHODS:
            found.add(node.attr.replace("_", "."))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "api_call":
            found.update(str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant))
    return frozenset(found)


def registered(kind: str) -> set[str]:
    """The names that listeners are registered under by `app.<kind>(…)`."""
    found: set[str] = set()
    for node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == kind:
            given = node.args[0] if node.args else None
            if isinstance(given, ast.Constant):
                found.add(str(given.value))
            if isinstance(given, ast.Dict):
                keys = [key.value for key in given.keys if isinstance(key, ast.Constant)]
                values = dict(zip(keys, given.values, strict=True))
                if isinstance(type_ := values.get("type"), ast.Constant):
                    found.add(str(type_.value))
    return found


def test_the_scan_sees_the_calls_it_is_there_for() -> None:
    assert {"chat.postMessage", "files.getUploadURLExternal", "users.info", "views.open", "auth.test"} <= called()


def test_every_method_the_bot_calls_has_its_scope() -> None:
    assert called() - manifest.served(called()) == set()


def test_no_scope_is_asked_for_that_nothing_uses() -> None:
    for scope in manifest.SCOPES:
        serves = called() & set(scope.methods) or set(scope.events) or scope.name == "commands"
        assert serves, f"{scope.name} serves nothing any more"
        assert set(scope.methods) <= called(), f"{scope.name} names a method that the bot no longer calls"
        assert scope.reason


def test_every_event_listened_to_is_subscribed_to_or_said_not_to_be() -> None:
    heard = registered("event") - set(manifest.UNSUBSCRIBED)
    subscribed = {"message" if event in EVENT_OF_MESSAGE else event for event in manifest.events()}
    assert heard == subscribed


def test_commands_and_shortcuts_are_those_of_the_bot() -> None:
    features = manifest.manifest()["features"]
    assert {command["command"] for command in features["slash_commands"]} == registered("command")
    assert {shortcut["callback_id"] for shortcut in features["shortcuts"]} == registered("shortcut")


def test_the_file_is_what_the_table_makes() -> None:
    assert (ROOT / "manifest.json").read_text() == manifest.as_text(manifest.manifest()), (
        "make it anew: ./run tuneroom manifest > manifest.json"
    )


def test_http_names_the_three_places_where_slack_calls() -> None:
    made = manifest.manifest("https://tuneroom.example.com/")
    url = "https://tuneroom.example.com/slack/events"
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["settings"]["interactivity"]["request_url"] == url
    assert [command["url"] for command in made["features"]["slash_commands"]] == [url]
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["oauth_config"] == manifest.manifest()["oauth_config"]


def test_the_link_carries_the_whole_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["manifest", "--link"]) == 0
    parts = urlsplit(capsys.readouterr().out.strip())
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path, query["new_app"]) == ("https", "api.slack.com", "/apps", ["1"])
    assert json.loads(query["manifest_json"][0]) == manifest.manifest()


@pytest.mark.parametrize("address", ["http://example.com", "example.com"])
def test_an_address_that_slack_will_not_call_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["manifest", "--http", address]) == cli.USAGE
    assert "https://" in capsys.readouterr().err
