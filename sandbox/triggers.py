"""What an interaction lets the app do next: open a view once within seconds, answer five times in half an hour."""

import secrets
import time
from dataclasses import dataclass, replace

from sandbox.refusals import SlackError

RESPONSE_USES, RESPONSE_TTL_S = 5, 1800.0


@dataclass(frozen=True, slots=True)
class Trigger:
    """A person's permission to open a view; `view_id` is set when it came from inside a view."""

    user_id: str
    view_id: str | None
    born_s: float
    used: bool = False


class Triggers:
    """The trigger ids given out. Each works once, within its time to live."""

    def __init__(self, ttl_s: float) -> None:
        self._ttl_s = ttl_s
        self._given: dict[str, Trigger] = {}

    def issue(self, user_id: str, view_id: str | None = None) -> str:
        """Return a new trigger id."""
        trigger_id = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._given[trigger_id] = Trigger(user_id, view_id, time.monotonic())
        return trigger_id

    def redeem(self, trigger_id: str) -> Trigger:
        """Use a trigger id; raises `invalid_trigger_id`, `expired_trigger_id` or `exchanged_trigger_id`."""
        trigger = self._given.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() - trigger.born_s > self._ttl_s:
            raise SlackError("expired_trigger_id")
        self._given[trigger_id] = replace(trigger, used=True)
        return trigger


@dataclass(frozen=True, slots=True)
class ResponseContext:
    """Where a `response_url` answers to: the person, the place, and the message that was acted on, if any."""

    user_id: str
    channel_id: str
    message_ts: str | None = None
    is_ephemeral: bool = False


class ResponseUrls:
    """The response addresses given out, by their secret last part."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[ResponseContext, float, int]] = {}

    def issue(self, context: ResponseContext) -> str:
        """Return the secret part of a new address."""
        token = secrets.token_urlsafe(18)
        self._given[token] = (context, time.monotonic(), 0)
        return token

    def use(self, token: str) -> ResponseContext:
        """Use an address once; raises `expired_url` or `used_url` when it is spent."""
        if token not in self._given:
            raise SlackError("expired_url", status=404)
        context, born_s, uses = self._given[token]
        if time.monotonic() - born_s > RESPONSE_TTL_S:
            raise SlackError("expired_url", status=404)
        if uses >= RESPONSE_USES:
            raise SlackError("used_url", status=404)
        self._given[token] = (context, born_s, uses + 1)
        return context
