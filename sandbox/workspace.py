"""The team: who is in it, which channels it has, and who is in them."""

import re
from dataclasses import asdict
from typing import Any

from sandbox.clock import Clock
from sandbox.config import SandboxConfig
from sandbox.people import BOT_USER_ID, TEAM_ID, direct_message_id, first_channels, first_users
from sandbox.store import Store

Json = dict[str, Any]


class Workspace:
    """Looks people and channels up, and keeps memberships."""

    def __init__(self, store: Store, clock: Clock, config: SandboxConfig) -> None:
        self.store = store
        self.clock = clock
        self.config = config
        store.put("about", "workspace", about(config))
        if not store.table("user"):
            for user in first_users(config.bot_name):
                store.put("user", user["id"], user)
            for channel in first_channels():
                store.put("channel", channel["id"], channel)

    @property
    def base_url(self) -> str:
        """The server's own address, without a slash at its end."""
        host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host
        return f"http://{host}:{self.config.port}"

    def user(self, who: str) -> Json | None:
        """Find a person by id, or by name with or without `@`."""
        if found := self.store.get("user", who):
            return found
        name = who.removeprefix("@").lower()
        return next((user for user in self.store.table("user").values() if user["name"] == name), None)

    def channel(self, where: str) -> Json | None:
        """Find a channel by id, by name with or without `#`, or the bot's direct message by a person's id."""
        if found := self.store.get("channel", where) or self.store.get("channel", direct_message_id(where or "-")):
            return found
        name = where.removeprefix("#").lower()
        return next((c for c in self.store.table("channel").values() if c.get("name") == name), None)

    def is_member(self, channel: Json, user_id: str) -> bool:
        """Say whether a person is in a channel."""
        return user_id in channel["members"]

    def bot_is_in(self, channel: Json) -> bool:
        """Say whether the bot is in a channel."""
        return self.is_member(channel, BOT_USER_ID)

    def join(self, channel: Json, user_id: str) -> Json:
        """Add a person to a channel; nothing happens when they are in it."""
        if self.is_member(channel, user_id):
            return channel
        return self.store.put("channel", channel["id"], {**channel, "members": [*channel["members"], user_id]})

    def leave(self, channel: Json, user_id: str) -> Json:
        """Take a person out of a channel."""
        members = [member for member in channel["members"] if member != user_id]
        return self.store.put("channel", channel["id"], {**channel, "members": members})

    def mark_up(self, typed: str) -> str:
        """Turn what a person typed into message text: escaped, with known @names and #channels as references."""
        escaped = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return re.sub(r"(?<![\w&])([@#])([\w-]+)", self._reference, escaped)

    def _reference(self, match: re.Match[str]) -> str:
        mark, name = match.groups()
        if mark == "@" and name in {"channel", "here", "everyone"}:
            return f"<!{name}>"
        if mark == "@" and (user := self.user(name)):
            return f"<@{user['id']}>"
        if mark == "#" and (channel := self.channel(name)):
            return f"<#{channel['id']}|{channel['name']}>"
        return match.group(0)


def about(config: SandboxConfig) -> Json:
    """Return what the page needs to know of the app. The controls' addresses are secrets, and stay here."""
    return {
        "team": TEAM_ID,
        "bot_user": BOT_USER_ID,
        "commands": list(config.commands),
        "hints": [asdict(hint) for hint in config.hints],
        "badges": [asdict(badge) for badge in config.badges],
        "shortcuts": [asdict(shortcut) for shortcut in config.shortcuts],
        "controls": [control.label for control in config.controls],
        "figures": bool(config.figures_url),
    }


def channel_type(channel: Json) -> str:
    """Return Slack's word for the kind of a channel in events."""
    return "im" if channel["is_im"] else "channel"


def public_channel(channel: Json, *, bot_id: str = BOT_USER_ID) -> Json:
    """Return a channel as the app sees it."""
    shown = {key: value for key, value in channel.items() if key != "members"}
    if channel["is_im"]:
        return shown
    return {**shown, "is_member": bot_id in channel["members"], "num_members": len(channel["members"])}
