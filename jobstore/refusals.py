"""Why something ended badly, as it is remembered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something ended badly: a stable code, what is wrong, what to do next. Plain words of ours, unescaped.

    What a provider said of it may quote a row, so it is a blob: `said` is its hash.
    """

    code: str
    message: str
    hint: str
    said: str = ""
