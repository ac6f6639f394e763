"""Reading the record: what stands there now, by name, by channel, by month, by who is due to act."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from jobstore.keys import prefix
from jobstore.money import EVERYBODY, MICROS
from jobstore.records import Record, Ref, read
from jobstore.states import Actor, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobstore.connections import Redis

LETTERS: Final = {Kind.DATASET: "d", Kind.JOB: "j", Kind.PROMPT: "p", Kind.COMPARISON: "c"}


def _stamped(fields: Mapping[str, str], name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(fields[name])
    return {**value, "at_ms": int(fields["at_ms"])}


class Reader:
    """Reads records, and what is kept beside them; changes nothing. `redis` decodes its answers and does not retry."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def teams(self) -> list[str]:
        """Return the teams that have records."""
        return sorted(self._redis.smembers("tuneroom:teams"))

    def get(self, ref: Ref) -> Record[Any] | None:
        """Return a record, or None where there is none (any more)."""
        fields = self._redis.hgetall(prefix(ref.team) + ref.member)
        return read(ref, fields) if fields else None

    def listed(self, team: str, kind: Kind, channel: str, limit: int = 20) -> list[Record[Any]]:
        """Return a channel's newest records of a kind, newest first."""
        index = f"{prefix(team)}index:{kind.value}:{channel}"
        found: list[Record[Any]] = []
        for name in self._redis.zrevrange(index, 0, limit - 1):
            record = self.get(Ref(team, kind, name))
            if record is None:
                self._redis.zrem(index, name)
            else:
                found.append(record)
        return found

    def newest(self, team: str, kind: Kind, limit: int = 200) -> list[Record[Any]]:
        """Return a workspace's newest records of a kind, whatever their channel, newest first."""
        last = int(self._redis.get(f"{prefix(team)}next:{kind.value}") or 0)
        numbers = range(last, max(0, last - limit), -1)
        found = (self.get(Ref(team, kind, f"{LETTERS[kind]}{number}")) for number in numbers)
        return [record for record in found if record is not None]

    def marked(self, team: str, hash_name: str, field: str) -> str | None:
        """Return what a `Mark` set."""
        return self._redis.hget(prefix(team) + hash_name, field)

    def marks(self, team: str, hash_name: str) -> list[str]:
        """Return every value that `Mark`s of one hash have set."""
        return list(self._redis.hgetall(prefix(team) + hash_name).values())

    def events(self, ref: Ref) -> list[dict[str, Any]]:
        """Return a record's events, oldest first, each with `at_ms`."""
        entries = self._redis.xrange(f"{prefix(ref.team)}{ref.member}:events")
        return [_stamped(fields, "event") for _, fields in entries]

    def audit(self, team: str) -> list[dict[str, Any]]:
        """Return who did what, oldest first."""
        entries = self._redis.xrange(f"{prefix(team)}audit")
        return [_stamped(fields, "entry") for _, fields in entries]

    def spend(self, team: str, month: str, account: str = EVERYBODY) -> tuple[float, float]:
        """Return what a month ("2026-11") has reserved and spent in an account, in US dollars."""
        below = f":{account}" if account else ""
        fields = self._redis.hgetall(f"{prefix(team)}spend:{month}{below}")
        return int(fields.get("reserved_micros", 0)) / MICROS, int(fields.get("spent_micros", 0)) / MICROS

    def now_ms(self) -> int:
        """The one clock: Redis's."""
        seconds, micros = self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def due(self, team: str, actor: Actor, limit: int = 100) -> list[Ref]:
        """Return records on which `actor` is due to act now, the longest due first."""
        key = f"{prefix(team)}due:{actor.value}"
        members = self._redis.zrangebyscore(key, "-inf", self.now_ms(), 0, limit)
        return [Ref.of_member(team, member) for member in members]

    def next_due_ms(self, team: str, actor: Actor) -> int | None:
        """Return how many ms until `actor` is next due, None where nothing is waiting."""
        key = f"{prefix(team)}due:{actor.value}"
        for member in self._redis.zrange(key, 0, 0):
            return max(0, int(self._redis.zscore(key, member) or 0) - self.now_ms())
        return None
