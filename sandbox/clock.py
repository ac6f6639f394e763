"""Time and identifiers as Slack gives them out."""

import secrets
import time

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


class Clock:
    """Gives out message timestamps: seconds with six decimals, each unique and later than the one before."""

    def __init__(self, last_ts: str = "0.000000") -> None:
        seconds, _, micros = last_ts.partition(".")
        self._last_us = int(seconds) * 1_000_000 + int(micros or 0)

    def ts(self) -> str:
        """Return the next timestamp, such as `1763700000.000100`."""
        self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
        return f"{self._last_us // 1_000_000}.{self._last_us % 1_000_000:06d}"


def now_s() -> int:
    """Return the time in whole seconds since 1970."""
    return int(time.time())


def new_id(prefix: str) -> str:
    """Return a Slack-like identifier: the prefix and ten random characters."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(10))
