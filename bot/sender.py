"""The only one who posts: takes a channel's lease, makes its deliveries in order, records how each ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from bot.posting import deliver, find
from bot.rendering import NothingToSayError, render
from bot.slack_errors import classify
from bot.sweeper import Sweeper
from finetune.errors import OperationalError
from jobstore.connections import UNAVAILABLE
from jobstore.deliveries import Rank, Shape
from jobstore.faults import reach
from jobstore.outbox import Bucket, Outcome, Side
from jobstore.trace import about

if TYPE_CHECKING:
    from bot.rendering import Upload
    from bot.views import Message
    from jobstore.outbox import Attempt, Outbox, Turn

log = logging.getLogger(__name__)

ATTEMPTS_MAX: Final = 10
"""So often it is tried at once, with its channel waiting; after that by itself, for as long as Slack may be ill."""
UNSURE_AGAIN_MS: Final = 60_000
UNSURE_MAX_MS: Final = 24 * 3_600_000
RENDERINGS_MAX: Final = 20
RENDER_AGAIN_MAX_MS: Final = 60_000  # 1, 2, 4 ... 60 s: a quarter of an hour in all, for a blob store to come back
ATTEMPT_S: Final = 120.0  # a look-up of ten pages and the call itself, every one of them slow
HISTORY_LAG_MS: Final = 3_000
"""How long what was posted may be missing from a channel's history: a look-up that finds nothing counts after that."""
# Slack's published rates: posts about 1/s a channel with short bursts, several hundred a minute a workspace; edits 50 a
# minute a workspace. What fits into any one minute is the rate and the burst together.
POSTS_A_MIN, POSTS_BURST = 56.0, 4.0
ALL_POSTS_A_MIN, ALL_POSTS_BURST = 280.0, 20.0
EDITS_A_MIN, EDITS_BURST = 44.0, 6.0
EDITS_KEPT_FOR_NEWS: Final = 4.0
POSTS_KEPT_FOR_NEWS: Final = 8.0


class Sender(Sweeper):
    """Sends what the outbox holds for one team."""

    wake = "sender"

    def sweep(self) -> None:
        """Make every delivery that is due and whose channel nobody else has."""
        while not self.is_stopping and (turn := self.desk.outbox.take(self.team)) is not None:
            self.desk.outbox.leave(turn, due_in_ms=self._serve(turn))

    def _serve(self, turn: Turn) -> int:
        """Send a channel's deliveries; return in how many ms what is left is due."""
        waits_ms: dict[Side, int] = {}  # those that were refused a token; the other side goes on
        while not self.is_stopping and len(waits_ms) < len(Side):
            attempt = self.desk.outbox.begin(turn, without=next(iter(waits_ms), None))
            if attempt is None:
                break
            self.busy(within_s=ATTEMPT_S)
            if (wait_ms := self.desk.outbox.admit(self.team, attempt, _buckets(attempt))) > 0:
                self.desk.outbox.end(turn, attempt, Outcome.AGAIN)
                waits_ms[attempt.side] = wait_ms
                continue
            with about(self.team, attempt.ref, delivery=attempt.id):
                wait_ms = self._attempt(turn, attempt)
            if wait_ms > 0:
                return wait_ms
        return min(waits_ms.values(), default=0)

    def _attempt(self, turn: Turn, attempt: Attempt) -> int:
        """Make one delivery; return how many ms to stay away from the channel."""
        reach("delivery.begun")
        try:
            if attempt.was_unsure and not attempt.ts and (ts := find(self.client, attempt)) is not None:
                self._found(turn, attempt, ts)
                return 0
            content = self._content(attempt)
            ts = deliver(self.client, attempt, content, _Hold(self.desk.outbox, turn, attempt))
        except NothingToSayError as error:
            self.desk.outbox.end(turn, attempt, Outcome.DEAD, reason=f"gone: {error}")
            return 0
        except _LeaseLostError:
            log.info("delivery.lease_lost", extra={"delivery": attempt.id})
            return 0
        except UNAVAILABLE:
            raise
        except _NotMadeError as error:
            self._put_off(turn, attempt, error)
            return 0
        except Exception as error:  # noqa: BLE001 - whatever it was, it must not block the channel for good
            return self._failed(turn, attempt, error)
        reach("delivery.sent")
        self.desk.outbox.end(turn, attempt, Outcome.SENT, ts=ts)
        log.info("delivery.sent", extra={"delivery": attempt.id, "channel": attempt.channel, "ts": ts})
        return 0

    def _content(self, attempt: Attempt) -> Message | Upload:
        """Make the message; what goes wrong here is known not to be at Slack."""
        try:
            return render(self.desk, self.team, attempt)
        except (NothingToSayError, OperationalError, *UNAVAILABLE):
            raise
        except Exception as error:
            raise _NotMadeError(type(error).__name__) from error

    def _put_off(self, turn: Turn, attempt: Attempt, error: _NotMadeError) -> None:
        """Try one delivery again later, and give it up in the end; the rest of its channel does not wait for it."""
        is_last = attempt.attempts >= RENDERINGS_MAX
        wait_ms = min(RENDER_AGAIN_MAX_MS, 1_000 * 2 ** (attempt.attempts - 1))
        outcome = Outcome.DEAD if is_last else Outcome.LATER
        log.error(
            "delivery.not_made",
            exc_info=error.__cause__,
            extra={"delivery": attempt.id, "reason": str(error), "outcome": outcome.value},
        )
        self.desk.outbox.end(turn, attempt, outcome, reason=f"not made: {error}", later_in_ms=wait_ms)

    def _found(self, turn: Turn, attempt: Attempt, ts: str) -> None:
        """The earlier attempt had got through; what version a card shows is unknown, so it is edited once more."""
        log.info("delivery.found", extra={"delivery": attempt.id})
        outcome = Outcome.AGAIN if attempt.kind is Shape.CARD else Outcome.SENT
        self.desk.outbox.end(turn, attempt, outcome, ts=ts)

    def _failed(self, turn: Turn, attempt: Attempt, error: Exception) -> int:
        failure = classify(error)
        if failure.is_rate_limit:
            bucket = "edit" if attempt.ts else f"post:{attempt.channel}"
            self.desk.outbox.hold(self.team, bucket, failure.wait_ms)
        outcome = failure.outcome
        if outcome is Outcome.UNSURE and not attempt.ts:
            # by the bucket: another delivery for the channel would have the look-up made at once
            self.desk.outbox.hold(self.team, f"post:{attempt.channel}", HISTORY_LAG_MS)
        later_ms = UNSURE_AGAIN_MS if outcome is Outcome.UNSURE and attempt.attempts >= ATTEMPTS_MAX else 0
        if later_ms and self.desk.store.now_ms() - attempt.waiting_ms > UNSURE_MAX_MS:
            outcome = Outcome.DEAD
        log.warning(
            "delivery.failed", extra={"delivery": attempt.id, "reason": failure.reason, "outcome": outcome.value}
        )
        self.desk.outbox.end(turn, attempt, outcome, reason=failure.reason, later_in_ms=later_ms)
        return 0 if later_ms or outcome is Outcome.DEAD else failure.wait_ms


def _buckets(attempt: Attempt) -> list[Bucket]:
    """What the call counts against at Slack."""
    if attempt.ts:
        kept = EDITS_KEPT_FOR_NEWS if attempt.rank >= Rank.PROGRESS else 0
        return [Bucket(name="edit", rate_per_min=EDITS_A_MIN, burst=EDITS_BURST, reserve=kept)]
    kept = POSTS_KEPT_FOR_NEWS if attempt.rank > Rank.TERMINAL else 0
    return [
        Bucket(name=f"post:{attempt.channel}", rate_per_min=POSTS_A_MIN, burst=POSTS_BURST),
        Bucket(name="post", rate_per_min=ALL_POSTS_A_MIN, burst=ALL_POSTS_BURST, reserve=kept),
    ]


class _NotMadeError(Exception):
    """A view, or what it reads, broke: nothing was sent."""


class _LeaseLostError(Exception):
    """Another sender has the channel: leave the rest to it."""


class _Hold:
    """The lease during one attempt (`bot.posting.Lease`)."""

    def __init__(self, outbox: Outbox, turn: Turn, attempt: Attempt) -> None:
        self._outbox = outbox
        self._turn = turn
        self._attempt = attempt

    def insist(self) -> None:
        if not self._outbox.hold_channel(self._turn, self._attempt):
            raise _LeaseLostError

    def note_file(self, file: str) -> None:
        if not self._outbox.note_file(self._turn, self._attempt, file):
            raise _LeaseLostError
