"""A person at the workspace, and what they can do."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.failures import NotAnsweredError
from sandbox.shown import Message, View, find

if TYPE_CHECKING:
    from sandbox.client import Workspace

Json = dict[str, Any]
Target = Message | View

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Response:
    """How a submission went: `errors` by block id, `closed`, or the `view` now shown instead."""

    acked: bool
    closed: bool = False
    errors: dict[str, str] = field(default_factory=dict[str, str])
    view: View | None = None
    problem: str = ""


class Person:
    """Someone at the workspace. What the app must acknowledge raises NotAnsweredError when it does not in time."""

    def __init__(self, workspace: "Workspace", user_id: str) -> None:
        self.workspace = workspace
        self.id = user_id

    @property
    def name(self) -> str:
        """Their name."""
        return self.workspace.names[self.id]

    def say(self, channel: str, text: str, thread_ts: str | None = None) -> Message:
        """Post a message; `@tuneroom` mentions the bot."""
        body = {"channel": self.workspace.channel_id(channel), "text": text, "thread_ts": thread_ts}
        return Message(self._do("messages", body)["message"], self.workspace.names)

    def drop(self, channel: str, filename: str, data: bytes, thread_ts: str | None = None, text: str = "") -> Message:
        """Drop a file in a channel or a thread; returns the message that shows it."""
        asked = {"user": self.id, "channel": self.workspace.channel_id(channel), "name": filename, "text": text}
        if thread_ts:
            asked["thread_ts"] = thread_ts
        return Message(self.workspace.upload(asked, data)["message"], self.workspace.names)

    def command(self, command: str, text: str = "", channel: str = "#tuning") -> None:
        """Run a slash command."""
        body = {"command": command, "text": text, "channel": self.workspace.channel_id(channel)}
        self._acked(self._do("commands", body), command)

    def click(self, target: Target, what: str, value: Any = None) -> None:
        """Press a button, or choose an option, named by its text, its value or its action id.

        A menu that is named by its action id takes the option as `value`.
        """
        element = find(target.blocks, what)
        chosen = value if value is not None else element.option
        body = {"action_id": element.action_id, "block_id": element.block_id, "value": chosen, **self._name(target)}
        self._acked(self._do("clicks", body), what)

    def submit(self, view: View, values: dict[str, Any] | None = None) -> Response:
        """Submit a modal with values by label, action id, or {block_id: {action_id: value}}; the rest stays as filled.

        A choice is given by its option's text or value, several as a list.
        """
        body = self._do("submissions", {"view_id": view.id, "values": view.given(values or {})})
        shown = View(body["view"], self.id, self.workspace.names) if body.get("view") else None
        return Response(
            acked=body["acked"], closed=body.get("closed", False), errors=body.get("errors", {}), view=shown,
            problem=" ".join([body.get("problem", ""), *body.get("reasons", [])]).strip(),
        )  # fmt: skip

    def close(self, view: View) -> None:
        """Close a modal without submitting it."""
        self._do("closings", {"view_id": view.id})

    def shortcut(self, message: Message, callback_id: str) -> None:
        """Run a message shortcut."""
        self._acked(self._do("shortcuts", {**self._name(message), "callback_id": callback_id}), callback_id)

    def react(self, message: Message, name: str) -> None:
        """Add a reaction, or take it back."""
        self._do("reactions", {**self._name(message), "name": name})

    def open_home(self) -> None:
        """Open the app's Home."""
        self._do("home", {})

    def invite_bot(self, channel: str) -> None:
        """Bring the bot into a channel."""
        self._do("members", {"channel": self.workspace.channel_id(channel)})

    def view(self, text: str = "", timeout_s: float = TIMEOUT_S) -> View:
        """Wait for the person's visible modal to show `text`, and return it."""

        def look(workspace: "Workspace") -> View | None:
            shown = workspace.views(self.id)
            return shown[-1] if shown and text in shown[-1].text else None

        return self.workspace.wait_for(look, timeout_s)

    def ephemeral(self, text: str = "", timeout_s: float = TIMEOUT_S) -> Message:
        """Wait for a message that only this person sees and that shows `text`; returns the latest."""

        def look(workspace: "Workspace") -> Message | None:
            found = [message for message in workspace.ephemerals(self.id) if text in message.text]
            return found[-1] if found else None

        return self.workspace.wait_for(look, timeout_s)

    def home(self, text: str = "", timeout_s: float = TIMEOUT_S) -> View:
        """Wait for the person's Home to show `text`, and return it."""

        def look(workspace: "Workspace") -> View | None:
            shown = workspace.home(self.id)
            return shown if shown and text in shown.text else None

        return self.workspace.wait_for(look, timeout_s)

    def _do(self, deed: str, body: Json) -> Json:
        return self.workspace.do(deed, {"user": self.id, **body})

    def _acked(self, body: Json, what: str) -> None:
        if not body["acked"]:
            raise NotAnsweredError(f"{what}: the app did not acknowledge it ({body['outcome']})")

    def _name(self, target: Target) -> Json:
        if isinstance(target, Message):
            return {"channel": target.channel, "ts": target.ts}
        return {"home": True} if target.raw["type"] == "home" else {"view_id": target.id}
