"""Messages: posted, edited, deleted, reacted to, read back."""

from typing import Any

from sandbox.clock import new_id
from sandbox.events import Events
from sandbox.people import APP_ID, BOT_ID, BOT_USER_ID, TEAM_ID
from sandbox.refusals import SlackError
from sandbox.rich_text import rich_text_of
from sandbox.workspace import Workspace

Json = dict[str, Any]

THREAD_FIELDS = ("thread_ts", "reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked")


class Messages:
    """The messages of every channel, keyed by channel and timestamp."""

    def __init__(self, workspace: Workspace, events: Events) -> None:
        self._workspace = workspace
        self._store = workspace.store
        self._events = events

    def get(self, channel_id: str, ts: str) -> Json | None:
        """Return one message, or None."""
        return self._store.get("message", key(channel_id, ts))

    def in_channel(self, channel_id: str) -> list[Json]:
        """Return a channel's messages and replies, oldest first."""
        found = [m for m in self._store.table("message").values() if m["channel"] == channel_id]
        return sorted(found, key=lambda message: message["ts"])

    def post_as_bot(self, channel: Json, content: Json) -> Json:
        """Post what the app sent: `text`, `blocks`, `metadata`, `thread_ts`, …"""
        return self._post(channel, {**content, **self.bot_identity()})

    def post_as_person(self, channel: Json, user: Json, typed: str, content: Json) -> Json:
        """Post what a person typed, with the rich text Slack's own client sends along."""
        text = self._workspace.mark_up(typed)
        body: Json = {"user": user["id"], "text": text, "team": user["team_id"], **content}
        if text:
            body["blocks"] = [{"type": "rich_text", "block_id": new_id("b"), "elements": [rich_text_of(text)]}]
        if channel["is_ext_shared"]:
            body |= {"user_team": user["team_id"], "source_team": user["team_id"]}
        return self._post(channel, body)

    def bot_identity(self) -> Json:
        """Return the fields that mark a message as the bot's."""
        name = self._workspace.config.bot_name
        profile = {"id": BOT_ID, "app_id": APP_ID, "name": name, "deleted": False, "team_id": TEAM_ID}
        return {"user": BOT_USER_ID, "bot_id": BOT_ID, "app_id": APP_ID, "team": TEAM_ID, "bot_profile": profile}

    def update(self, message: Json, changes: Json, *, edited: bool) -> Json:
        """Change a message; `edited` shows that it was."""
        channel = self._channel(message)
        changed = {**message, **changes}
        if edited:
            changed["edited"] = {"user": message["user"], "ts": self._workspace.clock.ts()}
        self._store.put("message", key(channel["id"], message["ts"]), changed)
        self._events.message_changed(public(changed), public(message), channel)
        return changed

    def delete(self, message: Json) -> None:
        """Delete a message; a root with replies leaves a tombstone, as in Slack."""
        channel = self._channel(message)
        name = key(channel["id"], message["ts"])
        if message.get("reply_count"):
            kept = {field: message[field] for field in (*THREAD_FIELDS, "ts", "type", "channel") if field in message}
            stone = {**kept, "user": "USLACKBOT", "subtype": "tombstone", "text": "This message was deleted."}
            self._store.put("message", name, stone)
        else:
            self._store.delete("message", name)
            self._forget_reply(message)
        self._events.message_deleted(public(message), channel)

    def react(self, message: Json, user_id: str, name: str) -> None:
        """Add a reaction; raises `already_reacted`."""
        reactions: list[Json] = [dict(r) for r in message.get("reactions", [])]
        mine = next((r for r in reactions if r["name"] == name), None)
        if mine and user_id in mine["users"]:
            raise SlackError("already_reacted")
        if mine:
            mine["users"] = [*mine["users"], user_id]
            mine["count"] += 1
        else:
            reactions.append({"name": name, "users": [user_id], "count": 1})
        self._set_reactions(message, reactions)
        self._events.reaction("reaction_added", user_id, name, message, self._channel(message))

    def unreact(self, message: Json, user_id: str, name: str) -> None:
        """Remove a reaction; raises `no_reaction`."""
        if not any(r["name"] == name and user_id in r["users"] for r in message.get("reactions", [])):
            raise SlackError("no_reaction")
        reactions: list[Json] = []
        for reaction in message["reactions"]:
            users = [u for u in reaction["users"] if reaction["name"] != name or u != user_id]
            if users:
                reactions.append({**reaction, "users": users, "count": len(users)})
        self._set_reactions(message, reactions)
        self._events.reaction("reaction_removed", user_id, name, message, self._channel(message))

    def whisper(self, channel: Json, user_id: str, content: Json) -> Json:
        """Show a message to one person only; it lives until the server stops."""
        ts = self._workspace.clock.ts()
        message = {"type": "message", "ts": ts, "channel": channel["id"], **content, **self.bot_identity()}
        return self._store.put("ephemeral", key(channel["id"], ts), {**message, "is_ephemeral": True, "to": user_id})

    def _post(self, channel: Json, body: Json) -> Json:
        message: Json = {"type": "message", "ts": self._workspace.clock.ts(), "channel": channel["id"], **body}
        root = None
        if thread_ts := message.get("thread_ts"):
            root = self.get(channel["id"], thread_ts)
            if root is None:
                raise SlackError("thread_not_found")
            if root.get("thread_ts", root["ts"]) != root["ts"]:
                message["thread_ts"] = root["thread_ts"]
                root = self.get(channel["id"], root["thread_ts"])
            message["parent_user_id"] = root["user"] if root else message["user"]
        self._store.put("message", key(channel["id"], message["ts"]), message)
        if root is not None:
            self._count_reply(root, message)
        self._events.message_posted(public(message), channel)
        return message

    def _count_reply(self, root: Json, reply: Json) -> None:
        users = list(dict.fromkeys([*root.get("reply_users", []), reply["user"]]))
        counted = {
            "thread_ts": root["ts"],
            "reply_count": root.get("reply_count", 0) + 1,
            "reply_users": users,
            "reply_users_count": len(users),
            "latest_reply": reply["ts"],
            "is_locked": False,
        }
        self._store.put("message", key(root["channel"], root["ts"]), {**root, **counted})

    def _forget_reply(self, reply: Json) -> None:
        root = self.get(reply["channel"], reply.get("thread_ts", ""))
        if root is None:
            return
        left = [m for m in self.in_channel(reply["channel"]) if is_reply(m) and m["thread_ts"] == root["ts"]]
        bare = {field: value for field, value in root.items() if field not in THREAD_FIELDS}
        self._store.put("message", key(root["channel"], root["ts"]), bare)
        for message in left:
            self._count_reply(self.get(root["channel"], root["ts"]) or bare, message)

    def _set_reactions(self, message: Json, reactions: list[Json]) -> None:
        bare = {field: value for field, value in message.items() if field != "reactions"}
        changed = {**bare, "reactions": reactions} if reactions else bare
        self._store.put("message", key(message["channel"], message["ts"]), changed)

    def _channel(self, message: Json) -> Json:
        channel = self._workspace.channel(message["channel"])
        if channel is None:
            raise SlackError("channel_not_found")
        return channel


def key(channel_id: str, ts: str) -> str:
    """Return the key of a message in the store."""
    return f"{channel_id}:{ts}"


def is_reply(message: Json) -> bool:
    """Say whether a message stands in a thread below its root."""
    return message.get("thread_ts", message["ts"]) != message["ts"]


def public(message: Json, *, with_metadata: bool = True) -> Json:
    """Return a message as the app sees it."""
    hidden = {"channel"} if with_metadata else {"channel", "metadata"}
    return {field: value for field, value in message.items() if field not in hidden}
