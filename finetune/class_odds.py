"""From the likeliest tokens of an answer to the probability of each class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class TokenOdds:
    """One token of an answer: its bytes, and the likeliest tokens at its place with their log-probabilities in nats.

    The token itself is among them.
    """

    token: bytes
    likeliest: tuple[tuple[bytes, float], ...]


def class_odds(tokens: Sequence[TokenOdds], labels: Sequence[str]) -> dict[str, float] | None:
    """Return the probability of each class given that the answer is one of them; None where the tokens do not tell.

    The answer is followed token by token. A token beside the path counts for the one class that it leads to, weighed
    with the path up to there; what leads to none, or to several, counts for none. White space before a class is
    ignored.
    """
    spelled = {label: label.encode() for label in labels}
    mass = dict.fromkeys(labels, 0.0)
    path, weight = b"", 1.0
    for place in tokens:
        here = 0.0
        for token, logprob in place.likeliest:
            if token == place.token:
                here = math.exp(logprob)
            elif only := _only(path + token, spelled):
                mass[only] += weight * math.exp(logprob)
        path, weight = path + place.token, weight * here
        if only := _only(path, spelled):
            mass[only] += weight
            break
    else:  # "no" of the classes "no" and "none": it ended there
        if only := next((label for label, text in spelled.items() if text == path.strip()), ""):
            mass[only] += weight
    total = sum(mass.values())
    return {label: share / total for label, share in mass.items()} if total > 0 else None


def _only(path: bytes, spelled: dict[str, bytes]) -> str:
    """Return the one class that what was said so far may become, "" for none or several."""
    said = path.lstrip()
    if not said:
        return ""
    found = [label for label, text in spelled.items() if text.startswith(said) or said.rstrip() == text]
    return found[0] if len(found) == 1 else ""
