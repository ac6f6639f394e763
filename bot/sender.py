"""The only one who posts: takes a channel's lease, makes its deliveries in order, records how each ended."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from bot.posting import deliver, find
from bot.rendering import NothingToSayError, render
from bot.slack_errors import classify
from bot.sweeper import Sweeper
from jobstore.connections import UNAVAILABLE
from jobstore.deliveries import Rank, Shape
from jobstore.faults import reach
from jobstore.outbox import Outcome
from jobstore.trace import about

if TYPE_CHECKING:
    from jobstore.outbox import Attempt, Outbox, Turn

log = logging.getLogger(__name__)

ATTEMPTS_MAX: Final = 10
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
        wait_for_edits_ms = 0
        while not self.is_stopping:
            attempt = self.desk.outbox.begin(turn, without_edits=wait_for_edits_ms > 0)
            if attempt is None:
                return wait_for_edits_ms
            self.busy(within_s=ATTEMPT_S)
            if (wait_ms := self._wait_ms(attempt)) > 0:
                self.desk.outbox.end(turn, attempt, Outcome.AGAIN)
                if not attempt.ts:
                    return wait_ms
                wait_for_edits_ms = wait_ms
                continue
            with about(self.team, attempt.ref, delivery=attempt.id):
                wait_ms = self._attempt(turn, attempt)
            if wait_ms > 0:
                return wait_ms
        return 0

    def _wait_ms(self, attempt: Attempt) -> int:
        """Take a token from the bucket that the call counts against, or return how long to wait for one."""
        take = self.desk.outbox.take_token
        if attempt.ts:
            kept = EDITS_KEPT_FOR_NEWS if attempt.rank >= Rank.PROGRESS else 0
            return take(self.team, "edit", rate_per_min=EDITS_A_MIN, burst=EDITS_BURST, reserve=kept)
        kept = POSTS_KEPT_FOR_NEWS if attempt.rank > Rank.TERMINAL else 0
        return take(self.team, f"post:{attempt.channel}", rate_per_min=POSTS_A_MIN, burst=POSTS_BURST) or take(
            self.team, "post", rate_per_min=ALL_POSTS_A_MIN, burst=ALL_POSTS_BURST, reserve=kept
        )

    def _attempt(self, turn: Turn, attempt: Attempt) -> int:
        """Make one delivery; return how many ms to stay away from the channel."""
        reach("delivery.begun")
        try:
            if attempt.was_unsure and not attempt.ts and (ts := find(self.client, attempt)) is not None:
                self._found(turn, attempt, ts)
                return 0
            content = render(self.desk, self.team, attempt)
            ts = deliver(self.client, attempt, content, _Hold(self.desk.outbox, turn, attempt))
        except NothingToSayError as error:
            self.desk.outbox.end(turn, attempt, Outcome.DEAD, reason=f"gone: {error}")
            return 0
        except _LeaseLostError:
            log.info("delivery.lease_lost", extra={"delivery": attempt.id})
            return 0
        except UNAVAILABLE:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, it must not block the channel for good
            return self._failed(turn, attempt, error)
        reach("delivery.sent")
        self.desk.outbox.end(turn, attempt, Outcome.SENT, ts=ts)
        log.info("delivery.sent", extra={"delivery": attempt.id, "channel": attempt.channel, "ts": ts})
        return 0

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
        if outcome is Outcome.UNSURE and attempt.attempts >= ATTEMPTS_MAX:
            outcome = Outcome.DEAD
        log.warning(
            "delivery.failed", extra={"delivery": attempt.id, "reason": failure.reason, "outcome": outcome.value}
        )
        self.desk.outbox.end(turn, attempt, outcome, reason=failure.reason)
        return 0 if outcome is Outcome.DEAD else failure.wait_ms


class _LeaseLostError(Exception):
    """Another sender has the channel: leave the rest to it."""


class _Hold:
    """The lease during one attempt (`bot.posting.Lease`)."""

    def __init__(self, outbox: Outbox, turn: Turn, attempt: Attempt) -> None:
        self._outbox = outbox
        self._turn = turn
        self._attempt = attempt

    def insist(self) -> None:
        if not self._outbox.hold_channel(self._turn):
            raise _LeaseLostError

    def note_file(self, file: str) -> None:
        if not self._outbox.note_file(self._turn, self._attempt, file):
            raise _LeaseLostError
