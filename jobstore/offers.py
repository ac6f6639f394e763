"""What providers offered when they were last asked: when models stop, and the fine-tunes that an account has; ids only.

One value a provider, since a key is one account, whichever team asks. It is a cache: what is lost is asked for anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec

from jobstore.keys import prefix, runs_hash
from jobstore.scripts import Scripts

if TYPE_CHECKING:
    from jobstore.connections import Redis

KEPT_S: Final = 7 * 86_400
"""A provider that is not asked any more is forgotten after a week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """A fine-tuned model of the account, by the provider's ids; times in ms since 1970, 0 where they are not told."""

    model: str
    base: str
    run: str
    created_ms: int = 0
    finished_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a provider told at `at_ms`: `stops` of the models that have a day, the newest `tuned` ones first."""

    at_ms: int
    stops: dict[str, date] = field(default_factory=dict[str, date])
    tuned: tuple[Tuned, ...] = ()


class Offers:
    """The listings, and whose turn it is to ask for them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._run = Scripts(redis)

    def listing(self, provider: str) -> Listing | None:
        """Return what a provider last told, None where it told nothing lately, or this process cannot read it."""
        kept = self._redis.hget(_key(provider), "listing")
        try:
            return msgspec.json.decode(kept, type=Listing) if kept else None
        except msgspec.ValidationError:
            return None

    def own_runs(self, team: str, provider: str) -> frozenset[str]:
        """Return the provider's ids of the runs that jobs of a team started, as far back as they are remembered."""
        return frozenset(self._redis.hgetall(prefix(team) + runs_hash(provider)))

    def now_ms(self) -> int:
        """The one clock: Redis's."""
        seconds, micros = self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def take_turn(self, provider: str, within_ms: int) -> bool:
        """Whether it is this process's turn to ask; nobody else's is it within the time given, or until `keep`."""
        return self._run("take_turn", _key(provider), within_ms, KEPT_S) == 1

    def keep(self, provider: str, listing: Listing | None, *, again_in_ms: int) -> None:
        """Remember what a provider told, None where it told nothing, and let nobody ask before the time is up."""
        told = msgspec.json.encode(listing).decode() if listing else ""
        self._run("keep_offer", _key(provider), told, again_in_ms, KEPT_S)


def _key(provider: str) -> str:
    return f"tuneroom:offer:{provider}"
