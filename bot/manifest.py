"""The Slack app as Slack's form takes it, made from one table: each scope, why it is asked for, and what it serves.

`manifest.json` is `tuneroom manifest`, and tests hold the table to what `bot/` calls and listens to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

CREATE_APP: Final = "https://api.slack.com/apps?new_app=1&manifest_json="
EVENTS_PATH: Final = "/slack/events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One permission of the bot token; `methods` of the Web API and `events` are what would fail without it."""

    name: str
    reason: str
    methods: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


SCOPES: Final = (
    Scope(
        name="app_mentions:read",
        reason="a mention in a job's thread asks its model",
        events=("app_mention",),
    ),
    Scope(
        name="channels:history",
        reason="files dropped in public channels; looking up there whether an uncertain post had got through",
        methods=("conversations.history", "conversations.replies"),
        events=("message.channels",),
    ),
    Scope(
        name="channels:read",
        reason="whether another organisation reads a public channel; being invited to one",
        methods=("conversations.info",),
        events=("member_joined_channel",),
    ),
    Scope(
        name="chat:write",
        reason="reports, cards and their edits, answers that only the asker sees",
        methods=("chat.postMessage", "chat.update", "chat.postEphemeral"),
    ),
    Scope(name="commands", reason="/tune, and the message shortcut Check dataset"),
    Scope(
        name="files:read",
        reason="the bytes of a dropped dataset; whether an uncertain upload had got through",
        methods=("files.info",),
    ),
    Scope(
        name="files:write",
        reason="the picture of a run's loss",
        methods=("files.getUploadURLExternal", "files.completeUploadExternal"),
    ),
    Scope(
        name="groups:history",
        reason="the same as channels:history, in private channels",
        methods=("conversations.history", "conversations.replies"),
        events=("message.groups",),
    ),
    Scope(
        name="groups:read",
        reason="the same as channels:read, in private channels",
        methods=("conversations.info",),
        events=("member_joined_channel",),
    ),
    Scope(
        name="im:history",
        reason="the same as channels:history, in direct messages with the bot",
        methods=("conversations.history", "conversations.replies"),
        events=("message.im",),
    ),
    Scope(
        name="im:read",
        reason="the same as channels:read, in direct messages with the bot",
        methods=("conversations.info",),
    ),
    Scope(
        name="reactions:write",
        reason="the eyes on a dropped file, at once",
        methods=("reactions.add",),
    ),
    Scope(
        name="users:read",
        reason="whether somebody is a guest, a stranger or an admin, before anything is done for them",
        methods=("users.info",),
    ),
)
APP_SCOPE: Final = Scope(
    name="connections:write",
    reason="Socket Mode: on the app-level token, which Slack makes apart from the manifest",
    methods=("apps.connections.open",),
)
WITHOUT_SCOPE: Final = frozenset({"auth.test", "views.open", "views.push", "views.update", "views.publish"})
"""Methods that Slack lets every bot token call."""
EVENTS_WITHOUT_SCOPE: Final = {"app_home_opened": "the Home tab: one's jobs, models and spend, shown when it is opened"}
"""Events that Slack sends to an app that asks for no scope, and why they are subscribed to."""
UNSUBSCRIBED: Final = {
    "file_shared": "carries ids only, and the message with the file comes anyway; acknowledged unread"
}
"""Events that the bot knows what to do with and does not ask for."""


def scope_names() -> list[str]:
    """Return the bot token's scopes, in order."""
    return sorted(scope.name for scope in SCOPES)


def events() -> list[str]:
    """Return the events to subscribe to, in order."""
    return sorted({event for scope in SCOPES for event in scope.events} | set(EVENTS_WITHOUT_SCOPE))


def served(methods: Iterable[str]) -> set[str]:
    """Return those of some Web API methods that the scopes asked for allow."""
    allowed = {method for scope in (*SCOPES, APP_SCOPE) for method in scope.methods} | WITHOUT_SCOPE
    return {method for method in methods if method in allowed}


def manifest(address: str = "") -> dict[str, Any]:
    """Return the manifest: Socket Mode, or signed HTTP at `address` ("https://tuneroom.example.com")."""
    url = address.rstrip("/") + EVENTS_PATH if address else ""
    request_url = {"request_url": url} if url else {}
    command = {
        "command": "/tune",
        "description": "Train, list, show, cancel and try",
        "usage_hint": "help",
        "should_escape": False,
    }
    return {
        "display_information": {
            "name": "Tuneroom",
            "description": "Checks datasets, quotes the price, fine-tunes once, reports, and lets you try the model.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "tuneroom", "always_online": True},
            "shortcuts": [
                {
                    "name": "Check dataset",
                    "type": "message",
                    "callback_id": "check_dataset",
                    "description": "Check the dataset in this message",
                }
            ],
            "slash_commands": [{**command, "url": url} if url else command],
        },
        "oauth_config": {"scopes": {"bot": scope_names()}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": events()},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


def as_text(made: dict[str, Any]) -> str:
    """Return a manifest as its file holds it."""
    return json.dumps(made, indent=2) + "\n"


def link(made: dict[str, Any]) -> str:
    """Return the address that opens Slack's form, filled in."""
    return CREATE_APP + quote(json.dumps(made, separators=(",", ":")), safe="")
