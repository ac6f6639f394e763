"""What the workspace tells the app, how long each acknowledgement took, and what is told again."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from sandbox.clock import new_id, now_s
from sandbox.config import SandboxConfig
from sandbox.store import Store
from sandbox.switches import Switches

Json = dict[str, Any]
Kind = Literal["events_api", "interactive", "slash_commands"]
Outcome = Literal["acked", "timeout", "closed", "not_connected", "http_error"]

KEPT_DELIVERIES = 300
COPY_GAP_S = 0.02
# What can be told again: enough to hold a whole story, and events and submissions only. Slack repeats the first; of
# the second a person's double click, or a proxy on the way, makes two. A press would open its modal anew.
KEPT_ENVELOPES = 20
REPEATABLE = frozenset({"view_submission"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """One thing to tell the app; a retry carries its number and Slack's reason."""

    kind: Kind
    payload: Json
    retry_num: int = 0
    retry_reason: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """How the app answered one envelope; `payload` is what it said along with the acknowledgement."""

    outcome: Outcome
    payload: Json | None = None
    no_retry: bool = False

    @property
    def ok(self) -> bool:
        """Whether the app acknowledged in time."""
        return self.outcome == "acked"


class Line(Protocol):
    """A way to reach the app: Socket Mode or signed HTTP."""

    async def ready(self, timeout_s: float) -> bool:
        """Wait until the app can be reached; False when it could not be in time."""
        ...

    async def send(self, envelope: Envelope, timeout_s: float) -> Ack:
        """Deliver once and wait for the acknowledgement."""
        ...


class Deliveries:
    """Delivers events with Slack's retries, and interactions once, and keeps a record of each attempt."""

    def __init__(self, line: Line, store: Store, switches: Switches, config: SandboxConfig) -> None:
        self._line = line
        self._store = store
        self._switches = switches
        self._config = config
        self._tasks: set[asyncio.Task[Any]] = set()
        self._told: deque[Envelope] = deque(maxlen=KEPT_ENVELOPES)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run work in the background until the server stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def tell(self, payload: Json) -> None:
        """Deliver an event in the background, again and again until it is acknowledged or Slack would give up."""
        envelope = Envelope("events_api", payload)
        self._told.append(envelope)
        self.start(self._deliver_event(envelope))

    def tell_again(self, times: int) -> int:
        """Deliver the last events and submissions again, each so many times; returns how many those are."""
        for envelope in self._told:
            self.start(self._repeat(envelope, times))
        return len(self._told)

    async def ask(self, kind: Kind, payload: Json) -> Ack:
        """Deliver an interaction or a command once, as Slack does: a person sees at once that it failed."""
        envelope = Envelope(kind, payload)
        if payload.get("type") in REPEATABLE:
            self._told.append(envelope)
        ack = await self._attempt(envelope)
        copies: int = self._switches.now["redeliver_interactions"]
        if copies > 1:
            self.start(self._repeat(envelope, copies - 1))
        return ack

    async def close(self) -> None:
        """Give up what is still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver_event(self, envelope: Envelope) -> None:
        copies: int = self._switches.now["redeliver"]
        delays = self._config.retry_delays_s
        for attempt in range(max(copies, 1 + len(delays))):
            await self._line.ready(self._config.reconnect_grace_s)
            ack = await self._attempt(envelope)
            more_copies = attempt + 1 < copies
            if not more_copies and (ack.ok or ack.no_retry):
                return
            await asyncio.sleep(COPY_GAP_S if more_copies else delays[min(attempt, len(delays) - 1)])
            reason = "http_error" if ack.outcome == "http_error" else "timeout"
            envelope = replace(envelope, retry_num=attempt + 1, retry_reason=reason)

    async def _repeat(self, envelope: Envelope, copies: int) -> None:
        for number in range(1, copies + 1):
            await asyncio.sleep(COPY_GAP_S)
            await self._line.ready(self._config.reconnect_grace_s)
            await self._attempt(replace(envelope, retry_num=number, retry_reason="timeout"))

    async def _attempt(self, envelope: Envelope) -> Ack:
        loop = asyncio.get_running_loop()
        record = self._open_record(envelope)
        started = loop.time()
        ack = await self._line.send(envelope, self._config.ack_timeout_s)
        took_ms = round((loop.time() - started) * 1000, 1)
        self._store.put("delivery", record["id"], {**record, "outcome": ack.outcome, "took_ms": took_ms})
        return ack

    def _open_record(self, envelope: Envelope) -> Json:
        record: Json = {
            "id": new_id("Dl"),
            "at": now_s(),
            "kind": envelope.kind,
            "what": name_of(envelope),
            "retry_num": envelope.retry_num,
            "retry_reason": envelope.retry_reason,
            "event_id": envelope.payload.get("event_id"),
            "outcome": "waiting",
            "took_ms": None,
        }
        self._store.put("delivery", record["id"], record)
        kept = list(self._store.table("delivery"))
        for key in kept[: max(0, len(kept) - KEPT_DELIVERIES)]:
            self._store.delete("delivery", key)
        return record


def name_of(envelope: Envelope) -> str:
    """Say what an envelope carries, such as `message.file_share`, `block_actions` or `/tune`."""
    payload = envelope.payload
    if envelope.kind == "slash_commands":
        return str(payload["command"])
    if envelope.kind == "interactive":
        return str(payload["type"])
    event = payload["event"]
    return ".".join(part for part in (event["type"], event.get("subtype")) if part)
