"""What was looked at, what was found, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """WRONG: it will not work, or not keep its promises. WARNING: somebody should know."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line: `subject` is what was looked at, `found` what was found there, `mend` what to do about it."""

    level: Level
    subject: str
    found: str
    mend: str = ""


def ok(subject: str, found: str) -> Verdict:
    """It is right."""
    return Verdict(Level.OK, subject, found)


def warning(subject: str, found: str, mend: str = "") -> Verdict:
    """It works, and somebody should know."""
    return Verdict(Level.WARNING, subject, found, mend)


def wrong(subject: str, found: str, mend: str) -> Verdict:
    """It will not work, or not keep its promises."""
    return Verdict(Level.WRONG, subject, found, mend)
