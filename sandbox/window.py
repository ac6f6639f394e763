"""The workspace as it can be seen: messages, modals, deliveries, transcripts."""

from typing import Any

from sandbox.replica import Replica
from sandbox.shown import Message, View

Json = dict[str, Any]


class Window:
    """Reads the live copy of the workspace's state."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._names: dict[str, str] = {}
        self._shown: dict[str, Message] = {}
        replica.catch_up(0)

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
        names = users | {c["id"]: c["name"] for c in self._replica.table("channel").values() if "name" in c}
        if names != self._names:
            self._names = names
        return self._names

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """Return a channel's roots, or a thread (its root first), oldest first."""
        where, names = self.channel_id(channel), self.names
        table = self._replica.table("message")
        mine = [name for name, raw in table.items() if raw["channel"] == where and stands_in(raw, thread_ts)]
        return sorted((self._message(name, table[name], names) for name in mine), key=lambda message: message.ts)

    def everything(self) -> list[Message]:
        """Return every message of every channel, threads included."""
        names = self.names
        return [self._message(name, raw, names) for name, raw in self._replica.table("message").items()]

    def message(self, message: Message) -> Message | None:
        """Return a message as it is now, None once it is deleted."""
        name = f"{message.channel}:{message.ts}"
        raw = self._replica.get("message", name) or self._replica.get("ephemeral", name)
        return Message(raw, self.names) if raw else None

    def _message(self, name: str, raw: Json, names: dict[str, str]) -> Message:
        """The same object for as long as the message stays as it is: its text is put together once."""
        kept = self._shown.get(name)
        if kept is None or kept.raw is not raw or kept.names is not names:
            kept = self._shown[name] = Message(raw, names)
        return kept

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

    def transcript(self, channel: str) -> str:
        """Return a channel as readable text, threads indented, with what single people saw."""
        where, names = self.channel_id(channel), self.names
        table = [*self._replica.table("message").values(), *self._replica.table("ephemeral").values()]
        mine = sorted((Message(raw, names) for raw in table if raw["channel"] == where), key=reading_order)
        return "\n".join(entry(message) for message in mine)

    def connection(self) -> Json | None:
        """Return how the app is connected: {mode, connections}."""
        return self._replica.get("connection", "app")

    def overview(self) -> str:
        """Return every transcript, the open modals and the last deliveries: what to read when a test fails."""
        channels = [c["id"] for c in self._replica.table("channel").values()]
        parts = [f"== {self.names.get(c, c)}\n{self.transcript(c)}" for c in channels if self.transcript(c)]
        parts += [f"== open modal of {self.names.get(r['user'])}\n{View(r['view'], r['user'], self.names).text}"
                  for r in self._replica.table("view").values()]  # fmt: skip
        told = [f"{d['what']} #{d['retry_num']} {d['outcome']} {d['took_ms']} ms" for d in self.deliveries()[-12:]]
        return "\n".join([*parts, "== last deliveries", *told])


def stands_in(raw: Json, thread_ts: str | None) -> bool:
    """Say whether a message belongs to a thread; None: whether it stands in the channel itself."""
    thread = raw.get("thread_ts")
    if thread_ts is None:
        return thread in (None, raw["ts"]) or raw.get("subtype") == "thread_broadcast"
    return thread_ts in (raw["ts"], thread)


def reading_order(message: Message) -> tuple[str, str]:
    """Order messages by thread, then by time."""
    return (message.thread_ts or message.ts, message.ts)


def entry(message: Message) -> str:
    """Write one message of a transcript."""
    reply = message.thread_ts not in (None, message.ts)
    seen = " (only visible to one person)" if message.raw.get("is_ephemeral") else ""
    body = message.text.replace("\n", "\n    ")
    return f"{'  ↳ ' if reply else ''}{message.author}{seen}: {body}"
