"""How keys and look-ups are named, where more than one module must agree on it."""

from __future__ import annotations


def prefix(team: str) -> str:
    """Everything of a team hangs below this; the braces keep it in one slot."""
    return f"tuneroom:{{{team}}}:"


def seen_hash(channel: str) -> str:
    """The look-up of datasets by the hash of their bytes, a channel's own: others do not learn what it has seen."""
    return f"seen-bytes:{channel}"


def runs_hash(provider: str) -> str:
    """The look-up of jobs by their provider's id of the run."""
    return f"runs:{provider}"
