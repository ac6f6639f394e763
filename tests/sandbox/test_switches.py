"""Faults on demand: a lagging history, scopes by name, older blocks, things told again, controls of outside."""

from __future__ import annotations

import dataclasses
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from slack_sdk.errors import SlackApiError

from sandbox.client import RefusedError, Workspace
from sandbox.config import Control, SandboxConfig
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from slack_bolt import App
    from slack_sdk import WebClient

    from sandbox.client import Person

    Json = dict[str, Any]


def test_a_lagging_history_shows_a_message_only_later(slack: WebClient, mina: Person, workspace: Workspace) -> None:
    root = mina.say("#tuning", "long ago")
    workspace.switch(history_lag_s=60)
    channel = workspace.channel_id("#tuning")

    def seen(method: Callable[..., Any], **more: Any) -> list[str]:
        return [message["text"] for message in method(channel=channel, **more)["messages"]]

    slack.chat_postMessage(channel=channel, text="reply", thread_ts=root.ts)
    assert seen(slack.conversations_history) == []
    assert seen(slack.conversations_replies, ts=root.ts) == ["long ago"]
    workspace.switch(history_lag_s=0)
    assert seen(slack.conversations_history) == ["long ago"]
    assert seen(slack.conversations_replies, ts=root.ts) == ["long ago", "reply"]


def test_a_missing_scope_takes_all_its_methods_and_its_downloads(
    slack: WebClient, mina: Person, workspace: Workspace
) -> None:
    dropped = mina.drop("#tuning", "a.jsonl", b"{}\n")
    workspace.switch(missing_scope=["files:read"])
    with pytest.raises(SlackApiError) as refused:
        slack.files_info(file=dropped.files[0]["id"])
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "files:read"
    address = dropped.files[0]["url_private_download"]
    page = httpx2.get(address, headers={"Authorization": f"Bearer {slack.token}"}, trust_env=False)
    assert page.text.startswith("<!DOCTYPE html>")
    slack.chat_postMessage(channel="#tuning", text="other scopes are there")


def test_an_older_slack_refuses_newer_blocks_in_messages_and_views(slack: WebClient, workspace: Workspace) -> None:
    blocks: list[Json] = [{"type": "divider"}, {"type": "markdown", "text": "**new**"}]
    slack.chat_postMessage(channel="#tuning", text="x", blocks=blocks)
    workspace.switch(older_blocks=True)
    with pytest.raises(SlackApiError, match=r"unsupported type: markdown .*/blocks/1/type") as refused:
        slack.chat_postMessage(channel="#tuning", text="x", blocks=blocks)
    assert refused.value.response["error"] == "invalid_blocks"
    slack.chat_postMessage(channel="#tuning", text="x", blocks=blocks[:1])


def test_what_the_app_was_told_is_told_again(
    app: App, connect: Callable[[App], Any], mina: Person, workspace: Workspace
) -> None:
    heard: list[str] = []

    @app.event("message")
    def hear(event: Json) -> None:
        heard.append(event["text"])

    connect(app)
    mina.say("#tuning", "one")
    mina.say("#tuning", "two")
    workspace.wait_for_quiet()
    assert workspace.do("redeliver", {"times": 3})["told"] == 2
    workspace.wait_for(lambda w: len(w.deliveries("message")) == 8 or None)
    workspace.wait_for_quiet()
    assert sorted(heard) == ["one"] * 4 + ["two"] * 4


@pytest.fixture
def outside() -> Generator[str]:
    """Whoever started the workspace."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say({"figures": [["Runs", "1"]], "busy": True, "said": "now"})

        def do_POST(self) -> None:
            self.say({"said": f"did {self.path}"})

        def say(self, body: Json) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_controls_are_used_by_their_place_and_their_addresses_stay_secret(config: SandboxConfig, outside: str) -> None:
    controls = (
        Control(label="Kill it", url=f"{outside}/secret/kill"),
        Control(label="Gone", url="http://127.0.0.1:9/x"),
    )
    with (
        running(dataclasses.replace(config, controls=controls, figures_url=f"{outside}/secret/figures")) as url,
        Workspace(url) as workspace,
    ):
        assert workspace.do("controls", {"control": 0})["said"] == "did /secret/kill"
        with pytest.raises(RefusedError, match="control_failed: Gone"):
            workspace.do("controls", {"control": 1})
        with pytest.raises(RefusedError, match="no_such_control"):
            workspace.do("controls", {"control": 2})
        assert httpx2.get(f"{url}/sandbox/figures", trust_env=False).json()["figures"] == [["Runs", "1"]]
        state = httpx2.get(f"{url}/sandbox/state", trust_env=False).text
    assert "Kill it" in state
    assert "secret/" not in state
