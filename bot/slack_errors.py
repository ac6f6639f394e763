"""What Slack's refusals mean for a delivery: try again, look it up first, or give up on it for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from slack_sdk.errors import SlackApiError, SlackClientError

from jobstore.outbox import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    if isinstance(error, SlackApiError):
        return _of_answer(error)
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return Failure(outcome=Outcome.AGAIN, reason="unreachable", wait_ms=2_000)
    if isinstance(error, (SlackClientError, OSError)):
        return Failure(outcome=Outcome.UNSURE, reason=type(error).__name__, wait_ms=1_000)
    raise error


def _of_answer(error: SlackApiError) -> Failure:
    response = error.response
    reason = str(response.get("error") or "unknown")
    status = response.status_code
    if status == 429 or reason in RATE_LIMITED:
        wait_ms = _retry_after_ms(response.headers)
        return Failure(outcome=Outcome.AGAIN, reason="ratelimited", wait_ms=wait_ms, is_rate_limit=True)
    if reason in MISCONFIGURED:
        return Failure(outcome=Outcome.AGAIN, reason=reason, wait_ms=15_000)
    if status >= 500 or reason in BROKEN:
        return Failure(outcome=Outcome.UNSURE, reason=reason, wait_ms=2_000)
    messages = (response.get("response_metadata") or {}).get("messages") or []
    return Failure(outcome=Outcome.DEAD, reason=f"{reason}: {'; '.join(map(str, messages))}"[:500])


def _retry_after_ms(headers: Mapping[str, str]) -> int:
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    try:
        return int(float(found) * 1000)
    except ValueError:
        return 1_000
