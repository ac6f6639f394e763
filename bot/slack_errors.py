"""What Slack's refusals mean for a delivery: try again, look it up first, or give up on it for good."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.payloads import text
from finetune.errors import OperationalError
from jobstore.outbox import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)

RATE_LIMITED: Final = frozenset({"ratelimited", "rate_limited"})
# our side is set up wrongly: nothing was sent, and somebody will mend it
MISCONFIGURED: Final = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
    }
)
# Slack's side broke: it may have been sent
BROKEN: Final = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How an attempt failed, and how many ms to stay away from the method."""

    outcome: Outcome
    reason: str
    wait_ms: int = 0
    is_rate_limit: bool = False


def classify(error: Exception) -> Failure:
    """Return what a failed call means; anything unknown may have been sent."""
    if isinstance(error, OperationalError):  # our side, before anything was sent: a record that a newer bot wrote
        log.error("delivery.ours", exc_info=error)
        return Failure(outcome=Outcome.AGAIN, reason="ours", wait_ms=15_000)
    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return Failure(outcome=Outcome.AGAIN, reason="unreachable", wait_ms=2_000)
    if isinstance(error, (SlackClientError, OSError)):
        return Failure(outcome=Outcome.UNSURE, reason=type(error).__name__, wait_ms=1_000)
    log.error("delivery.broken", exc_info=error)
    return Failure(outcome=Outcome.UNSURE, reason=type(error).__name__, wait_ms=1_000)


def missing_scope(needed: str) -> str:
    """Say what mends a missing scope, which Slack's answer names as "needed"."""
    return f"Ask whoever runs me to give the app the {needed} scope and to install it again."


def _of_answer(error: SlackApiError) -> Failure:
    response: Any = error.response  # SlackResponse, which the SDK leaves untyped here
    reason = text(response, "error") or "unknown"
    status = int(response.status_code or 0)
    if status == 429 or reason in RATE_LIMITED:
        wait_ms = _retry_after_ms(response.headers)
        return Failure(outcome=Outcome.AGAIN, reason="ratelimited", wait_ms=wait_ms, is_rate_limit=True)
    if reason in MISCONFIGURED:
        return Failure(outcome=Outcome.AGAIN, reason=reason, wait_ms=15_000)
    if status >= 500 or reason in BROKEN:
        return Failure(outcome=Outcome.UNSURE, reason=reason, wait_ms=2_000)
    why = text(response, "response_metadata", "messages")
    return Failure(outcome=Outcome.DEAD, reason=f"{reason} {why}".strip()[:500])


def _retry_after_ms(headers: Mapping[str, str]) -> int:
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    try:
        return int(float(found) * 1000)
    except ValueError:
        return 1_000
