"""Slack: the tokens and their kinds, the workspace, the scopes, the way in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot import manifest
from bot.standing import SlackSaysNoError, Standing, open_socket, standing
from tuneroom.doctor.verdict import Verdict, ok, warning, wrong

if TYPE_CHECKING:
    from tuneroom.settings import Settings

KINDS: Final = {"xoxb-": "a bot token", "xoxp-": "a person's token", "xapp-": "an app-level token"}
MAKE_APP: Final = "`tuneroom manifest --link` opens Slack's form filled in; install the app, then"
HOW_TO_MEND: Final = {
    "unreachable": "Look at SLACK_API_URL, the network and the proxy; Slack's own state is at slack-status.com.",
    "invalid_auth": "Copy the token again: OAuth & Permissions for xoxb-, Basic Information for xapp-.",
    "account_inactive": "The app was taken out of the workspace: install it again, and copy the new token.",
    "token_revoked": "Install the app again, and copy the new token.",
    "missing_scope": "Give the app-level token connections:write (Basic Information, App-Level Tokens).",
}
WORD: Final = re.compile(r"\w+")
"""How Slack says no; anything longer is what the SDK says of an answer that is not Slack's."""


@dataclass(frozen=True, slots=True)
class SlackFindings:
    """The verdicts, and how far Slack's clock is ahead of this machine's, None where it was not told."""

    verdicts: list[Verdict]
    ahead_s: float | None = None


def examine(settings: Settings) -> SlackFindings:
    """Look at everything that Slack must agree to."""
    token = _kind("SLACK_BOT_TOKEN", settings.slack_bot_token, "xoxb-")
    if token is not None:
        return SlackFindings([token, *_way_in(settings)])
    try:
        found = standing(settings.slack_bot_token, settings.slack_api_url)
    except SlackSaysNoError as error:
        if WORD.fullmatch(error.reason) is None:
            return SlackFindings([_no_slack()])
        refused = wrong("SLACK_BOT_TOKEN", f"Slack says {error.reason}.", _mend(error.reason))
        return SlackFindings([refused, *_way_in(settings)])
    name = found.user_name or "the bot"
    who = ok("SLACK_BOT_TOKEN", f"{name} in {found.team_name or found.team} ({found.team}).")
    return SlackFindings([who, *_scopes(found), *_way_in(settings)], found.ahead_s)


def _no_slack() -> Verdict:
    mend = "Leave it empty for Slack's own, which is https://slack.com/api/; of another server, write /api/, too."
    return wrong("SLACK_API_URL", "what answers there is not Slack's Web API.", mend)


def _kind(name: str, token: str, prefix: str) -> Verdict | None:
    """What is wrong with a token by its looks alone."""
    if not token:
        return wrong(name, "not set.", f"{MAKE_APP} set {name} to {KINDS[prefix]} ({prefix}…).")
    if not token.startswith(prefix):
        is_kind = next((kind for start, kind in KINDS.items() if token.startswith(start)), "no token of Slack's")
        return wrong(name, f"it is {is_kind}.", f"Set it to {KINDS[prefix]} ({prefix}…).")
    return None


def _scopes(found: Standing) -> list[Verdict]:
    if not found.scopes:
        return [warning("scopes", "Slack did not tell which scopes the token has.")]
    missing = set(manifest.scope_names()) - found.scopes
    if missing:
        reasons = {scope.name: scope.reason for scope in manifest.SCOPES}
        needed = "; ".join(f"{name} ({reasons[name]})" for name in sorted(missing))
        return [
            wrong("scopes", f"missing: {needed}.", "Add them under OAuth & Permissions, and install the app again.")
        ]
    if spare := sorted(found.scopes - set(manifest.scope_names())):
        mend = "Take them out: what a token may not do cannot be misused."
        return [warning("scopes", f"all there, and {len(spare)} that nothing uses: {', '.join(spare)}.", mend)]
    return [ok("scopes", f"all {len(manifest.SCOPES)} there, and no other.")]


def _way_in(settings: Settings) -> list[Verdict]:
    """Socket Mode where an app token is set, else signed HTTP: the same choice as `tuneroom bot` makes."""
    if settings.slack_app_token:
        return [_socket(settings), *_webhooks(settings)]
    if settings.slack_signing_secret:
        return [_signed(settings), *_webhooks(settings)]
    mend = "Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for signed HTTP."
    return [wrong("way in", "Slack cannot reach the bot: neither an app token nor a signing secret is set.", mend)]


def _webhooks(settings: Settings) -> list[Verdict]:
    """The provider's webhooks come by the bot's own HTTP, and are signed with a secret of a known shape."""
    secret, subject = settings.provider_webhook_secret, "provider's webhooks"
    if not secret:
        return []
    if settings.slack_app_token:
        mend = "Take TUNEROOM_PROVIDER_WEBHOOK_SECRET out; runs are followed without it."
        return [warning(subject, "in Socket Mode nothing listens for them.", mend)]
    if not secret.startswith("whsec_"):
        mend = "Copy it from where the webhook was made at the provider: whsec_…"
        return [warning(subject, "TUNEROOM_PROVIDER_WEBHOOK_SECRET does not look like a secret for webhooks.", mend)]
    return [ok(subject, "they are taken at /provider/events; only the provider can tell whether the secret is right.")]


def _socket(settings: Settings) -> Verdict:
    if (verdict := _kind("SLACK_APP_TOKEN", settings.slack_app_token, "xapp-")) is not None:
        return verdict
    try:
        open_socket(settings.slack_app_token, settings.slack_api_url)
    except SlackSaysNoError as error:
        if WORD.fullmatch(error.reason) is None:
            return _no_slack()
        return wrong("SLACK_APP_TOKEN", f"no socket: Slack says {error.reason}.", _mend(error.reason))
    return ok("SLACK_APP_TOKEN", "Slack opens a socket for it (Socket Mode).")


def _signed(settings: Settings) -> Verdict:
    if not re.fullmatch(r"[0-9a-f]{32}", settings.slack_signing_secret):
        mend = "Copy it from Basic Information, Signing Secret; it is neither the client secret nor a token."
        return warning("SLACK_SIGNING_SECRET", "it does not look like one (32 characters of 0-9 and a-f).", mend)
    place = f"http://{settings.http_host}:{settings.http_port}{manifest.EVENTS_PATH}"
    return ok("SLACK_SIGNING_SECRET", f"set; only Slack can tell whether it is right. The bot will listen on {place}.")


def _mend(reason: str) -> str:
    return HOW_TO_MEND.get(reason, "Look the word up in Slack's list of errors; copying the token again often helps.")
