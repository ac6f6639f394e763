"""A person at the workspace, for plays and tests: drop a file, press a button, fill a modal, wait for an answer.

with Workspace("http://127.0.0.1:3999") as workspace:
    mina = workspace.as_user("mina")
    dropped = mina.drop("#tuning", "tickets.jsonl", data)
    report = workspace.wait_for_message("#tuning", "Ready to train", thread_ts=dropped.ts)
    mina.click(report, "Train…")
    modal = mina.view("Train")
    assert mina.submit(modal, {"Epochs": "3"}).closed
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from sandbox.replica import Replica
from sandbox.shown import Message, View, find, pressable

Json = dict[str, Any]
Value = TypeVar("Value")
Target = Message | View

TIMEOUT_S = 15.0


class WaitedInVainError(AssertionError):
    """What was waited for did not happen; the message holds what did."""


class RefusedError(AssertionError):
    """The workspace would not do what the person asked; the message says why."""


class NotAnsweredError(AssertionError):
    """The app did not acknowledge an interaction within three seconds."""


@dataclass(frozen=True, slots=True)
class Response:
    """How a submission went: `errors` by block id, `closed`, or the `view` now shown instead."""

    acked: bool
    closed: bool = False
    errors: dict[str, str] = field(default_factory=dict[str, str])
    view: View | None = None
    problem: str = ""


class Workspace:
    """The workspace as seen from outside, kept up to date by its live stream."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx2.Client(base_url=self.base_url, trust_env=False, timeout=60.0)
        self._replica = Replica(self.base_url)
        self._replica.catch_up(0)

    def __enter__(self) -> Self:
        """Use the workspace in a `with` statement."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._replica.close()
        self._http.close()

    # Who is here

    def as_user(self, name: str) -> "Person":
        """Return a person by name: mina (member), jun (admin), gil (guest), ext (of another organisation)."""
        return Person(self, self.user_id(name))

    def user_id(self, name: str) -> str:
        """Return the id of a person, or of the bot, by name or id."""
        users = self._replica.table("user")
        found = next((u["id"] for u in users.values() if name in (u["id"], u["name"])), None)
        if found is None:
            raise LookupError(f"no user {name!r}; there are {', '.join(u['name'] for u in users.values())}")
        return str(found)

    def channel_id(self, name: str) -> str:
        """Return the id of a channel by `#name` or id; a person's name means their direct message with the bot."""
        channels = self._replica.table("channel")
        bare = name.removeprefix("#")
        for channel in channels.values():
            if bare in (channel["id"], channel.get("name")):
                return str(channel["id"])
        return "D" + self.user_id(name.removeprefix("@"))[1:]

    @property
    def names(self) -> dict[str, str]:
        """The names of people and channels by id."""
        users = {u["id"]: u["name"] for u in self._replica.table("user").values()}
        return users | {c["id"]: c["name"] for c in self._replica.table("channel").values() if "name" in c}

    # What is here

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """Return a channel's roots, or a thread (its root first), oldest first."""
        where, names = self.channel_id(channel), self.names
        found = [Message(raw, names) for raw in self._replica.table("message").values() if raw["channel"] == where]
        found.sort(key=lambda message: message.ts)
        if thread_ts is None:
            return [m for m in found if m.thread_ts in (None, m.ts) or m.raw.get("subtype") == "thread_broadcast"]
        return [m for m in found if thread_ts in (m.ts, m.thread_ts)]

    def message(self, message: Message) -> Message | None:
        """Return a message as it is now, None once it is deleted."""
        name = f"{message.channel}:{message.ts}"
        raw = self._replica.get("message", name) or self._replica.get("ephemeral", name)
        return Message(raw, self.names) if raw else None

    def ephemerals(self, user: str) -> list[Message]:
        """Return what only this person sees, oldest first."""
        to, names = self.user_id(user), self.names
        found = [Message(raw, names) for raw in self._replica.table("ephemeral").values() if raw["to"] == to]
        return sorted(found, key=lambda message: message.ts)

    def views(self, user: str) -> list[View]:
        """Return a person's open modals, the visible one last."""
        who, names = self.user_id(user), self.names
        return [View(r["view"], who, names) for r in self._replica.table("view").values() if r["user"] == who]

    def home(self, user: str) -> View | None:
        """Return a person's Home, None before the app published one."""
        who = self.user_id(user)
        record = self._replica.get("home", who)
        return View(record["view"], who, self.names) if record else None

    def mentions(self, user: str) -> list[Message]:
        """Return every message that notifies a person by name or by @channel."""
        who, names = self.user_id(user), self.names
        found = [Message(raw, names) for raw in self._replica.table("message").values()]
        return [message for message in found if message.mentions(who)]

    def deliveries(self, what: str | None = None) -> list[Json]:
        """Return what the app was told and how each acknowledgement went, oldest first."""
        return [d for d in self._replica.table("delivery").values() if what in (None, d["what"])]

    def calls(self, method: str | None = None) -> list[Json]:
        """Return the last calls of the Web API: method, ok, error."""
        return [call for call in self._replica.table("call").values() if method in (None, call["method"])]

    def file_content(self, file_id: str) -> bytes:
        """Return a file's bytes."""
        answer = self._http.get(f"/sandbox/files/{file_id}")
        answer.raise_for_status()
        return answer.content

    def transcript(self, channel: str) -> str:
        """Return a channel as readable text, threads indented, with what single people saw."""
        where, names = self.channel_id(channel), self.names
        table = [*self._replica.table("message").values(), *self._replica.table("ephemeral").values()]
        mine = sorted((Message(raw, names) for raw in table if raw["channel"] == where), key=reading_order)
        return "\n".join(entry(message) for message in mine)

    # What happens

    def wait_for(self, predicate: Callable[["Workspace"], Value | None], timeout_s: float = TIMEOUT_S) -> Value:
        """Wait until `predicate(workspace)` is true and return what it returned; it is asked after every change."""
        found = self._replica.wait_for(lambda: predicate(self), timeout_s)
        if not found:
            raise WaitedInVainError(f"not seen within {timeout_s:g} s.\n{self._what_is_seen()}")
        return found

    def wait_for_message(
        self,
        channel: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
        where: Callable[[Message], object] = bool,
        timeout_s: float = TIMEOUT_S,
    ) -> Message:
        """Wait for a message of the bot's that shows `text` and satisfies `where`; returns the latest such."""

        def look(workspace: "Workspace") -> Message | None:
            found = [m for m in workspace.messages(channel, thread_ts) if m.is_bot and text in m.text and where(m)]
            return found[-1] if found else None

        return self.wait_for(look, timeout_s)

    def wait_for_app(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until the app is connected (Socket Mode) or has answered its challenge (HTTP)."""
        self.wait_for(lambda w: (w.connection() or {}).get("connections"), timeout_s)

    def wait_for_quiet(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until no delivery is under way."""
        self.wait_for(lambda w: all(d["outcome"] != "waiting" for d in w.deliveries()), timeout_s)

    def connection(self) -> Json | None:
        """Return how the app is connected: {mode, connections}."""
        return self._replica.get("connection", "app")

    def switch(self, **changes: Any) -> Json:
        """Turn faults on or off, such as `redeliver=3` or `login_page=True`; see `sandbox.switches`."""
        return self.do("switches", changes)["switches"]

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send the app's Socket Mode connections away; `abrupt` cuts them."""
        self.do("disconnect", {"reason": reason})

    def do(self, deed: str, body: Json) -> Json:
        """Do something through the person's API, and see its effects before returning."""
        return self._answer(self._http.post(f"/sandbox/{deed}", json=body))

    def upload(self, asked: dict[str, str], data: bytes) -> Json:
        """Drop a file through the person's API."""
        return self._answer(self._http.post("/sandbox/files", params=asked, content=data))

    def _answer(self, response: httpx2.Response) -> Json:
        body: Json = response.json()
        if response.status_code >= 400:
            reasons = ", ".join(body.get("response_metadata", {}).get("messages", []))
            raise RefusedError(f"{body['error']}: {reasons}")
        self._replica.catch_up(body["seq"])
        return body

    def _what_is_seen(self) -> str:
        channels = [c["id"] for c in self._replica.table("channel").values()]
        parts = [f"== {self.names.get(c, c)}\n{self.transcript(c)}" for c in channels if self.transcript(c)]
        parts += [f"== open modal of {self.names.get(r['user'])}\n{View(r['view'], r['user'], self.names).text}"
                  for r in self._replica.table("view").values()]  # fmt: skip
        told = [f"{d['what']} #{d['retry_num']} {d['outcome']} {d['took_ms']} ms" for d in self.deliveries()[-12:]]
        return "\n".join([*parts, "== last deliveries", *told])


class Person:
    """Someone at the workspace. What the app must acknowledge raises NotAnsweredError when it does not in time."""

    def __init__(self, workspace: Workspace, user_id: str) -> None:
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

        def look(workspace: Workspace) -> View | None:
            shown = workspace.views(self.id)
            return shown[-1] if shown and text in shown[-1].text else None

        return self.workspace.wait_for(look, timeout_s)

    def ephemeral(self, text: str = "", timeout_s: float = TIMEOUT_S) -> Message:
        """Wait for a message that only this person sees and that shows `text`; returns the latest."""

        def look(workspace: Workspace) -> Message | None:
            found = [message for message in workspace.ephemerals(self.id) if text in message.text]
            return found[-1] if found else None

        return self.workspace.wait_for(look, timeout_s)

    def home(self, text: str = "", timeout_s: float = TIMEOUT_S) -> View:
        """Wait for the person's Home to show `text`, and return it."""

        def look(workspace: Workspace) -> View | None:
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


def reading_order(message: Message) -> tuple[str, str]:
    """Order messages by thread, then by time."""
    return (message.thread_ts or message.ts, message.ts)


def entry(message: Message) -> str:
    """Write one message of a transcript."""
    reply = message.thread_ts not in (None, message.ts)
    seen = " (only visible to one person)" if message.raw.get("is_ephemeral") else ""
    body = message.text.replace("\n", "\n    ")
    return f"{'  ↳ ' if reply else ''}{message.author}{seen}: {body}"


__all__ = ["Message", "NotAnsweredError", "Person", "RefusedError", "Response", "View", "WaitedInVainError",
           "Workspace", "pressable"]  # fmt: skip
