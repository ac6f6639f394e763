"""What a setting may be, so that a slip of the pen is told in words, by the variable's name, before anything starts."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from finetune.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuneroom.settings import Settings

ABOVE_ZERO: Final = (
    "max_file_mb", "upload_part_mb", "lease_s", "create_deadline_s", "retry_base_s", "retry_max_s", "poll_min_s",
    "poll_max_s", "provider_calls_per_min",
)  # fmt: skip
FROM_ZERO: Final = (
    "evaluation_rows", "hosting_idle_min", "lookup_grace_s", "retries_max", "list_from_runs", "report_silence_s",
)  # fmt: skip
PART_MOST_MB: Final = 64
PORT_MOST: Final = 65_535
HEALTH_PORT_MOST: Final = PORT_MOST - 2  # the worker's and the follower's come after it
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
CHANNEL: Final = re.compile(r"[CDG][A-Z0-9]+")
REDIS_SCHEMES: Final = ("redis", "rediss", "unix")


def refuse(settings: Settings, variable: Callable[[str], str]) -> None:
    """Raise a UserError that names the first setting that cannot be meant; `variable` names a field's variable.

    No value is quoted that may hold a secret: addresses may hold a password.
    """
    _numbers(settings, variable)
    for name in (field for field in settings.__slots__ if field.endswith(("_base_url", "api_url"))):
        if (url := str(getattr(settings, name))) and not _is_address(url):
            raise _unfit(f"{variable(name)} is no address.", "Begin it with https:// (or http://), then the host.")
    _redis_url(settings.redis_url)
    if settings.log_level.upper() not in LEVELS:
        raise _unfit(f"TUNEROOM_LOG_LEVEL is {settings.log_level!r}.", f"It takes {', '.join(LEVELS)}.")
    for channel in settings.channel_ids:
        if not CHANNEL.fullmatch(channel):
            hint = "Name channels by id, such as C0123ABCD: it stands at the foot of a channel's details in Slack."
            raise _unfit(f"TUNEROOM_CHANNELS names {channel!r}, which is no channel's id.", hint)
    names = [account.name for account in settings.accounts]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise _unfit(f"TUNEROOM_PROVIDER names {twice} twice.", "Take one out.")


def _numbers(settings: Settings, variable: Callable[[str], str]) -> None:
    for name in (*ABOVE_ZERO, *FROM_ZERO):
        value = float(getattr(settings, name))
        if not math.isfinite(value) or value < 0 or (value == 0 and name in ABOVE_ZERO):
            least = "a number above 0" if name in ABOVE_ZERO else "0 or more"
            raise _unfit(f"{variable(name)} is {value:g}.", f"Set it to {least}.")
    if settings.upload_part_mb > PART_MOST_MB:
        raise _unfit("TUNEROOM_UPLOAD_PART_MB is above 64.", "Providers take parts of 64 MB at most.")
    for name, most in (("http_port", PORT_MOST), ("health_port", HEALTH_PORT_MOST)):
        if not 0 <= getattr(settings, name) <= most:
            raise _unfit(f"{variable(name)} is {getattr(settings, name)}, which is no port.", f"{most} is the last.")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _redis_url(url: str) -> None:
    """Refuse what redis-py would refuse later, quoting a piece of a password."""
    try:
        parts = urlsplit(url)
        is_whole = parts.port is None or parts.port > 0
    except ValueError:
        hint = "In a password, write # as %23, / as %2F, : as %3A and @ as %40."
        raise _unfit("REDIS_URL cannot be read.", hint) from None
    place = parts.path if parts.scheme == "unix" else parts.hostname
    if not is_whole or not place or parts.scheme not in REDIS_SCHEMES:
        hint = "It is redis://:PASSWORD@HOST:6379/0, rediss://… with TLS, or unix:///PATH."
        raise _unfit("REDIS_URL is no address of a Redis.", hint)


def _unfit(message: str, hint: str) -> UserError:
    return UserError("settings-invalid", message, hint)
