"""This machine: its clock, as others see it, and its fonts."""

from __future__ import annotations

from typing import Final

from tuneroom.doctor.verdict import Verdict, ok, warning, wrong
from workers.fonts import font_for

OFF_S: Final = 10.0
FAR_OFF_S: Final = 60.0
# from here on an uncertain post is looked for where it does not stand (bot/posting.py), and signed HTTP is refused
# at five minutes
MEND_CLOCK: Final = "Let every machine keep time by NTP."


def examine(*, redis_ahead_s: float | None, slack_ahead_s: float | None) -> list[Verdict]:
    """Look at the clocks and the fonts."""
    return [*_clocks(redis_ahead_s, slack_ahead_s), _fonts()]


def _clocks(redis_ahead_s: float | None, slack_ahead_s: float | None) -> list[Verdict]:
    ahead = {"Redis": redis_ahead_s, "Slack": slack_ahead_s}
    verdicts = [_clock(f"clock of {name}", ahead_s) for name, ahead_s in ahead.items() if ahead_s is not None]
    if redis_ahead_s is not None and slack_ahead_s is not None:
        verdicts.append(_clock("clocks of Redis and Slack", slack_ahead_s - redis_ahead_s))
    return verdicts


def _clock(subject: str, apart_s: float) -> Verdict:
    by = "within a second" if abs(apart_s) < 1 else f"{abs(apart_s):,.0f} s apart"
    against = "" if subject.startswith("clocks") else ", against this machine's"
    if abs(apart_s) > FAR_OFF_S:
        return wrong(subject, f"{by}{against}.", MEND_CLOCK)
    if abs(apart_s) > OFF_S:
        return warning(subject, f"{by}{against}.", MEND_CLOCK)
    return ok(subject, f"{by}{against}.")


def _fonts() -> Verdict:
    found = font_for("한ひ漢")
    if found:
        return ok("fonts", f"{found} draws Korean and Japanese.")
    mend = "Install one on every worker: apt-get install fonts-noto-cjk; macOS brings its own."
    return warning("fonts", "none draws Korean or Japanese; a chart's title holds neither yet.", mend)
