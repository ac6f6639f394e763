"""Every method the workspace knows, with the scope it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.api import chat, conversations, directory, file_methods, reactions, view_methods
from sandbox.api.arguments import Arguments
from sandbox.machine import Machine


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what runs it, the scope it needs ("" for none), and whether it takes the app-level token."""

    run: Callable[[Machine, Arguments], dict[str, Any]]
    scope: str = ""
    app_level: bool = False


METHODS: dict[str, Method] = {
    "apps.connections.open": Method(directory.open_connection, "connections:write", app_level=True),
    "auth.test": Method(directory.auth_test),
    "bots.info": Method(directory.bot_info, "users:read"),
    "chat.delete": Method(chat.delete, "chat:write"),
    "chat.getPermalink": Method(chat.get_permalink),
    "chat.postEphemeral": Method(chat.post_ephemeral, "chat:write"),
    "chat.postMessage": Method(chat.post_message, "chat:write"),
    "chat.update": Method(chat.update, "chat:write"),
    "conversations.history": Method(conversations.history, "channels:history"),
    "conversations.info": Method(conversations.info, "channels:read"),
    "conversations.join": Method(conversations.join, "channels:join"),
    "conversations.list": Method(conversations.list_channels, "channels:read"),
    "conversations.members": Method(conversations.members, "channels:read"),
    "conversations.open": Method(conversations.open_direct, "im:write"),
    "conversations.replies": Method(conversations.replies, "channels:history"),
    "files.completeUploadExternal": Method(file_methods.complete_upload, "files:write"),
    "files.delete": Method(file_methods.delete, "files:write"),
    "files.getUploadURLExternal": Method(file_methods.get_upload_url, "files:write"),
    "files.info": Method(file_methods.info, "files:read"),
    "reactions.add": Method(reactions.add, "reactions:write"),
    "reactions.remove": Method(reactions.remove, "reactions:write"),
    "team.info": Method(directory.team_info, "team:read"),
    "users.info": Method(directory.user_info, "users:read"),
    "users.list": Method(directory.list_users, "users:read"),
    "views.open": Method(view_methods.open_view),
    "views.publish": Method(view_methods.publish),
    "views.push": Method(view_methods.push),
    "views.update": Method(view_methods.update),
}
SCOPES = tuple(
    sorted({m.scope for m in METHODS.values() if m.scope and not m.app_level} | {"commands", "app_mentions:read"})
)
