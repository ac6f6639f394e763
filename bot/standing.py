"""What Slack says about our tokens: whose they are, what they may do, and what time it is there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, cast

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.payloads import text

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 8


class SlackSaysNoError(Exception):
    """Slack refused a token, or could not be asked; `reason` is its own word, or "unreachable"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The bot in its workspace. `ahead_s`: how far Slack's clock is ahead of ours, to the second; None: not told."""

    team: str
    team_name: str
    user_name: str
    is_bot: bool
    scopes: frozenset[str]
    ahead_s: float | None


def standing(token: str, api_url: str) -> Standing:
    """Ask Slack who a bot token is. Raises SlackSaysNoError."""
    answer = _ask(WebClient(token=token, base_url=api_url, timeout=TIMEOUT_S, retry_handlers=[]), "auth.test")
    headers = {name.lower(): value for name, value in cast("Mapping[str, str]", answer.headers).items()}
    scopes = headers.get("x-oauth-scopes", "")
    return Standing(
        team=text(answer, "team_id"),
        team_name=text(answer, "team"),
        user_name=text(answer, "user"),
        is_bot=bool(text(answer, "bot_id")),
        scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
        ahead_s=_ahead_s(headers.get("date", "")),
    )


def open_socket(app_token: str, api_url: str) -> None:
    """Ask for a socket's address and throw it away. Raises SlackSaysNoError where the app token may not have one."""
    _ask(WebClient(token=app_token, base_url=api_url, timeout=TIMEOUT_S, retry_handlers=[]), "apps.connections.open")


def _ask(client: WebClient, method: str) -> Any:
    try:
        return (
            client.auth_test() if method == "auth.test" else client.apps_connections_open(app_token=client.token or "")
        )
    except SlackApiError as error:
        raise SlackSaysNoError(text(cast("Any", error.response), "error") or "unknown") from error
    except (SlackClientError, OSError, ValueError) as error:
        raise SlackSaysNoError("unreachable") from error


def _ahead_s(date: str) -> float | None:
    try:
        # the header has whole seconds: half of one on average
        return parsedate_to_datetime(date).timestamp() + 0.5 - time.time()
    except ValueError:
        return None
