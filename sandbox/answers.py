"""What the app says through a `response_url`, or with the acknowledgement of a command."""

from typing import Any

from sandbox.blockkit.surfaces import checked_blocks
from sandbox.messages import Messages, key
from sandbox.people import TEAM_ID
from sandbox.refusals import SlackError
from sandbox.triggers import ResponseContext, ResponseUrls
from sandbox.workspace import Workspace

Json = dict[str, Any]

CONTENT = ("text", "blocks", "metadata", "attachments")


class Answers:
    """Turns the app's answers to an interaction into messages, replacements and deletions."""

    def __init__(self, workspace: Workspace, messages: Messages, urls: ResponseUrls) -> None:
        self._workspace = workspace
        self._store = workspace.store
        self._messages = messages
        self._urls = urls

    def address(self, kind: str, context: ResponseContext) -> str:
        """Return a new response address; `kind` is `commands`, `actions` or `app`, as in Slack's own."""
        return f"{self._workspace.base_url}/{kind}/{TEAM_ID}/{self._urls.issue(context)}"

    def receive(self, token: str, body: Json) -> None:
        """Do what was posted to a response address; raises SlackError."""
        self.post(self._urls.use(token), body)

    def post(self, context: ResponseContext, body: Json) -> None:
        """Post, replace or delete as `body` asks."""
        if body.get("delete_original"):
            self._delete(context)
            return
        content = {name: body[name] for name in CONTENT if body.get(name)}
        if "blocks" in content:
            content["blocks"] = checked_blocks(content["blocks"])
        if not content:
            raise SlackError("no_text", status=400)
        # A person's click on a message is answered in its place unless the app says otherwise for a new one.
        if body.get("replace_original") and context.message_ts:
            self._replace(context, content)
            return
        self._say(context, content, body)

    def notice(self, context: ResponseContext, text: str) -> None:
        """Show a person a notice of the workspace's own, such as a command's failure."""
        ts = self._workspace.clock.ts()
        message = {"type": "message", "ts": ts, "channel": context.channel_id, "user": "USLACKBOT", "text": text}
        self._store.put(
            "ephemeral", key(context.channel_id, ts), {**message, "is_ephemeral": True, "to": context.user_id}
        )

    def _say(self, context: ResponseContext, content: Json, body: Json) -> None:
        channel = self._workspace.channel(context.channel_id)
        if channel is None:
            raise SlackError("channel_not_found", status=404)
        thread_ts = body.get("thread_ts")
        content = {**content, "text": content.get("text", ""), **({"thread_ts": thread_ts} if thread_ts else {})}
        if body.get("response_type") == "in_channel":
            self._messages.post_as_bot(channel, content)
        else:
            self._messages.whisper(channel, context.user_id, content)

    def _replace(self, context: ResponseContext, content: Json) -> None:
        name = key(context.channel_id, context.message_ts or "")
        changes: Json = {"blocks": [], **content}
        if context.is_ephemeral:
            if message := self._store.get("ephemeral", name):
                self._store.put("ephemeral", name, {**message, **changes})
        elif message := self._store.get("message", name):
            self._messages.update(message, changes, edited=True)

    def _delete(self, context: ResponseContext) -> None:
        name = key(context.channel_id, context.message_ts or "")
        if context.is_ephemeral:
            self._store.delete("ephemeral", name)
        elif message := self._store.get("message", name):
            self._messages.delete(message)
