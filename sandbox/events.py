"""Events: what happened, in the words of Slack's Events API."""

from typing import Any

from sandbox.clock import new_id, now_s
from sandbox.delivery import Deliveries
from sandbox.people import APP_ID, BOT_USER_ID, OTHER_TEAM_ID, TEAM_ID
from sandbox.workspace import Workspace, channel_type

Json = dict[str, Any]


class Events:
    """Tells the app what happens in the channels it is in, if it subscribes to such events."""

    def __init__(self, workspace: Workspace, deliveries: Deliveries) -> None:
        self._workspace = workspace
        self._deliveries = deliveries

    def emit(self, event: Json, channel: Json | None) -> None:
        """Deliver one event; `channel` is where it happened, None for the app's own surfaces."""
        if event["type"] not in self._workspace.config.events:
            return
        if channel is not None and not self._workspace.bot_is_in(channel):
            return
        shared = bool(channel and channel["is_ext_shared"])
        self._deliveries.tell(
            {
                "token": "local",
                "team_id": TEAM_ID,
                "context_team_id": TEAM_ID,
                "context_enterprise_id": None,
                "api_app_id": APP_ID,
                "event": {"event_ts": self._workspace.clock.ts(), **event},
                "type": "event_callback",
                "event_id": new_id("Ev"),
                "event_time": now_s(),
                "authorizations": [
                    {
                        "enterprise_id": None,
                        "team_id": TEAM_ID,
                        "user_id": BOT_USER_ID,
                        "is_bot": True,
                        "is_enterprise_install": False,
                    }
                ],
                "is_ext_shared_channel": shared,
                "event_context": "4-local",
            }
        )

    def message_posted(self, message: Json, channel: Json) -> None:
        """A message appeared; a mention of the bot is told a second time, as `app_mention`."""
        where = {"channel": channel["id"], "event_ts": message["ts"]}
        self.emit({**message, **where, "channel_type": channel_type(channel)}, channel)
        if f"<@{BOT_USER_ID}>" in message.get("text", "") and not channel["is_im"] and not message.get("bot_id"):
            mention = {key: value for key, value in message.items() if key != "subtype"}
            self.emit({**mention, **where, "type": "app_mention"}, channel)

    def message_changed(self, message: Json, previous: Json, channel: Json) -> None:
        """A message was edited."""
        self._hidden_change("message_changed", channel, message=message, previous_message=previous)

    def message_deleted(self, previous: Json, channel: Json) -> None:
        """A message was deleted."""
        self._hidden_change("message_deleted", channel, previous_message=previous, deleted_ts=previous["ts"])

    def file_shared(self, file: Json, channel: Json) -> None:
        """A file appeared in a channel; this event names it only."""
        self.emit(
            {
                "type": "file_shared",
                "channel_id": channel["id"],
                "file_id": file["id"],
                "user_id": file["user"],
                "file": {"id": file["id"]},
            },
            channel,
        )

    def member_joined(self, user_id: str, channel: Json, inviter: str | None) -> None:
        """A person, or the bot itself, joined a channel."""
        self._membership("member_joined_channel", user_id, channel, inviter)

    def member_left(self, user_id: str, channel: Json) -> None:
        """A person left a channel."""
        self._membership("member_left_channel", user_id, channel, None)

    def home_opened(self, user_id: str, view: Json | None, tab: str) -> None:
        """A person opened the app's Home or its messages."""
        event: Json = {"type": "app_home_opened", "user": user_id, "channel": f"D{user_id[1:]}", "tab": tab}
        self.emit({**event, "view": view} if view else event, None)

    def reaction(self, kind: str, user_id: str, name: str, message: Json, channel: Json) -> None:
        """A reaction was added or removed; `kind` is the event's type."""
        item = {"type": "message", "channel": channel["id"], "ts": message["ts"]}
        event = {"type": kind, "user": user_id, "reaction": name, "item": item, "item_user": message["user"]}
        self.emit(event, channel)

    def _membership(self, kind: str, user_id: str, channel: Json, inviter: str | None) -> None:
        user = self._workspace.user(user_id) or {}
        event: Json = {
            "type": kind,
            "user": user_id,
            "channel": channel["id"],
            "channel_type": "C",
            "team": OTHER_TEAM_ID if user.get("is_stranger") else TEAM_ID,
        }
        self.emit({**event, "inviter": inviter} if inviter else event, channel)

    def _hidden_change(self, subtype: str, channel: Json, **parts: Any) -> None:
        self.emit(
            {
                "type": "message",
                "subtype": subtype,
                "hidden": True,
                "channel": channel["id"],
                "ts": self._workspace.clock.ts(),
                "channel_type": channel_type(channel),
                **parts,
            },
            channel,
        )
