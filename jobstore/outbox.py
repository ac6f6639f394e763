"""The sender's side of the outbox: one leased queue a channel, attempts recorded before they are made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from jobstore.deliveries import Rank, Shape, as_json
from jobstore.keys import prefix
from jobstore.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobstore.connections import Redis
    from jobstore.deliveries import Delivery

LEASE_S: Final = 30.0
"""How long a channel is held unless the front door says otherwise."""


class Outcome(StrEnum):
    """How an attempt ended. UNSURE: it may have got through, so the next attempt looks it up first.

    AGAIN and LATER: it was surely not made. LATER is for what is wrong with this one delivery: it counts as an attempt,
    and waits by itself, while others of its channel go on.
    """

    SENT = "sent"
    AGAIN = "again"
    LATER = "later"
    UNSURE = "unsure"
    DEAD = "dead"


class Side(StrEnum):
    """What Slack counts apart: edits of cards that stand already, and everything that is new in a channel."""

    EDITS = "edits"
    POSTS = "posts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Tokens that all senders share: `rate_per_min` come back a minute, at most `burst` are saved up.

    `reserve`: tokens that whoever asks must leave for more urgent ones. Raises ValueError where nothing would ever be
    let through.
    """

    name: str
    rate_per_min: float
    burst: float
    reserve: float = 0

    def __post_init__(self) -> None:
        if self.reserve + 1 > self.burst:
            msg = (
                f"bucket {self.name}: a reserve of {self.reserve} out of {self.burst} would never let anything through"
            )
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The lease on one channel's queue; a smaller token's writes are refused."""

    team: str
    channel: str
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A delivery about to be made. `ts` is set on cards that stand already; `was_unsure`: look it up first.

    `waiting_ms`: since when it has waited (ms since 1970), of a card the oldest version that is not shown. `sent_ms`:
    when the attempt before this one was about to be sent, 0 where none was.
    """

    id: str
    channel: str
    kind: Shape
    view: str
    ref: str
    args: dict[str, Any]
    rank: Rank
    thread_ts: str
    ts: str
    file: str
    wanted: int
    attempts: int
    put_ms: int
    waiting_ms: int
    was_unsure: bool
    sent_ms: int = 0

    @property
    def side(self) -> Side:
        """What it counts as at Slack."""
        return Side.EDITS if self.ts else Side.POSTS


class Outbox:
    """Hands deliveries to senders, one channel to one sender at a time.

    `lease_s`: how long a channel is held without a sign of life; longer than one call to Slack may take.
    """

    def __init__(self, redis: Redis, *, lease_s: float = LEASE_S) -> None:
        self._lease_ms = int(lease_s * 1000)
        self._redis = redis
        self._run = Scripts(redis)

    def put(self, team: str, delivery: Delivery) -> None:
        """Put a delivery that belongs to no record, once for its id."""
        self._run("put", prefix(team), as_json([delivery]))

    def take(self, team: str) -> Turn | None:
        """Take a channel that has something due, or None."""
        answer = self._run("take_channel", prefix(team), self._lease_ms)
        return Turn(team=team, channel=answer[0], token=int(answer[1])) if answer else None

    def leave(self, turn: Turn, *, due_in_ms: int = 0) -> bool:
        """Give a channel back; what is left in it is due again in `due_in_ms`."""
        return self._run("leave_channel", prefix(turn.team), turn.channel, turn.token, due_in_ms) == 1

    def begin(self, turn: Turn, *, without: Side | None = None) -> Attempt | None:
        """Record the next attempt of a channel and return it; None where nothing is left or the lease was lost.

        `without` leaves out what has no token just now.
        """
        left_out = without.value if without else ""
        answer = self._run("begin_delivery", prefix(turn.team), turn.channel, turn.token, self._lease_ms, left_out)
        if not answer:
            return None
        fields = dict(zip(answer[2::2], answer[3::2], strict=True))
        return Attempt(
            id=fields["id"],
            channel=fields["channel"],
            kind=Shape(fields["kind"]),
            view=fields["view"],
            ref=fields["ref"],
            args=json.loads(fields["args"]) or {},
            rank=Rank(int(fields["rank"])),
            thread_ts=answer[1] or fields["thread_ts"],
            ts=fields["ts"],
            file=fields["file"],
            wanted=int(fields["wanted"]),
            attempts=int(fields["attempts"]),
            put_ms=int(fields["put_ms"]),
            waiting_ms=int(fields.get("waiting_ms") or fields["put_ms"]),
            was_unsure=answer[0] == "1",
            sent_ms=int(fields.get("sent_ms") or 0),
        )

    def end(
        self, turn: Turn, attempt: Attempt, outcome: Outcome, *, ts: str = "", reason: str = "", later_in_ms: int = 0
    ) -> bool:
        """Record how an attempt ended; False where the lease was lost meanwhile.

        What may have got through once stays unsure until it is sent or dead: AGAIN speaks of this attempt only.
        `later_in_ms` puts off what is LATER or UNSURE, for itself alone.
        """
        was_unsure = "1" if attempt.was_unsure else ""
        args = (turn.channel, turn.token, attempt.id, outcome.value, ts, attempt.wanted, reason, was_unsure)
        return self._run("end_delivery", prefix(turn.team), *args, later_in_ms) == 1

    def hold_channel(self, turn: Turn, attempt: Attempt) -> bool:
        """Hold a channel longer, to send; False where the lease was lost: then do nothing that Slack would show."""
        args = (turn.channel, turn.token, self._lease_ms, attempt.id)
        return self._run("hold_channel", prefix(turn.team), *args) == 1

    def note_file(self, turn: Turn, attempt: Attempt, file: str) -> bool:
        """Remember Slack's id of a file before its upload is completed."""
        return self._run("note_file", prefix(turn.team), turn.channel, turn.token, attempt.id, file) == 1

    def ts(self, team: str, delivery: str) -> str:
        """Return the ts of a delivery's message, "" where it is not posted (yet)."""
        return self._redis.hget(f"{prefix(team)}delivery:{delivery}", "ts") or ""

    def pending(self, team: str) -> int:
        """Return how many deliveries wait, over all channels that have any."""
        channels = self._redis.zrange(f"{prefix(team)}channels", 0, -1)
        return sum(self._redis.zcard(f"{prefix(team)}outbox:{channel}") for channel in channels)

    def dead_letters(self, team: str) -> list[dict[str, str]]:
        """Return what Slack refused for good: delivery and reason, oldest first."""
        return [fields for _, fields in self._redis.xrange(f"{prefix(team)}dead-letters")]

    def take_token(self, team: str, bucket: str, *, rate_per_min: float, burst: float, reserve: float = 0) -> int:
        """Take from a bucket that all share, whoever else waits for it: 0, or the ms to wait."""
        one = Bucket(name=bucket, rate_per_min=rate_per_min, burst=burst, reserve=reserve)
        return self._take(team, "", 0, 0, [one])

    def admit(self, team: str, attempt: Attempt, buckets: Sequence[Bucket]) -> int:
        """Take a token of each bucket that an attempt counts against, or of none: 0, or the ms to wait.

        First come, first served, rank by rank: the channel keeps its place in the line of the bucket that refused it,
        if it is back in time.
        """
        return self._take(team, attempt.channel, attempt.rank.value, attempt.waiting_ms, buckets)

    def _take(self, team: str, who: str, rank: int, since_ms: int, buckets: Sequence[Bucket]) -> int:
        asked = [value for b in buckets for value in (b.name, b.rate_per_min, b.burst, b.reserve)]
        return int(self._run("take_token", f"{prefix(team)}bucket:", who, rank, since_ms, *asked))

    def hold(self, team: str, bucket: str, ms: int) -> None:
        """Close a bucket for everybody: the other side said "too many"."""
        self._run("hold_bucket", f"{prefix(team)}bucket:{bucket}", ms)
