"""The threads that fetch dropped files: take what is due, leased like the sender, one file at a time each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.fetching import Fetching
from bot.sweeper import Sweeper
from jobstore.states import Actor
from jobstore.trace import about

if TYPE_CHECKING:
    from jobstore.records import Dataset, Record

STATES: Final = ("received", "fetching")


class Fetcher(Sweeper):
    """Fetches the files of one team."""

    wake = "fetcher"

    def sweep(self) -> None:
        """Fetch every file that is due and that nobody else has."""
        for ref in self.desk.store.due(self.team, Actor.FETCHER):
            record: Record[Dataset] | None = self.desk.store.claim(ref, STATES, int(self.desk.lease_s * 1000))
            if record is not None:
                self._beat()
                with about(ref.team, ref.member):
                    Fetching(self.desk, self.client, record, beat=self._beat).run()

    def _beat(self) -> None:
        self.busy(within_s=2 * self.desk.lease_s)
