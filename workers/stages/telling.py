"""Saying how far a long stage is, on the dataset's card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobstore.deliveries import Rank, card

if TYPE_CHECKING:
    from jobstore.records import Dataset, Record
    from workers.workshop import Workshop


class Telling:
    """Amends the record with the rows seen so far, each time a person would begin to wonder; `record` is the latest."""

    def __init__(self, shop: Workshop, record: Record[Dataset]) -> None:
        self.record = record
        self._shop = shop
        self._silent_since_ms = record.created_ms

    def rows(self, count: int, expected: int = 0) -> None:
        """Tell of so many rows, of so many `expected` where that is known, unless something was told a moment ago."""
        now_ms = self._shop.store.now_ms()
        if now_ms - self._silent_since_ms < self._shop.timings.report_silence_s * 1000:
            return
        self._silent_since_ms = now_ms
        data = self.record.data
        self.record = self._shop.store.transition(
            self.record,
            self.record.state,
            self.record.having(rows_seen=count, rows_expected=expected),
            deliveries=[
                card(self.record.ref, channel=data.channel, thread_ts=data.message_ts, rank=Rank.PROGRESS),
            ],
            keep_lease=True,
        )
