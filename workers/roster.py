"""What a provider's list of runs says: the statuses of a hundred runs for the price of one.

Where many runs live at a provider, their statuses come from its list, page by page, the newest first, and a run is
asked after by itself only where the list did not show it. A status that has changed makes the run due at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.jobs import Job
    from jobstore.records import Record, Ref
    from workers.pace import Pace
    from workers.provider import Provider, Run

PAGES_MAX: Final = 500


@dataclass(slots=True)
class _Watched:
    """A live run: whose it is, and what was last seen of it, at which second of the local clock."""

    ref: Ref
    said: str
    seen: Run | None = None
    seen_s: float = 0.0


class Roster:
    """The live runs of one provider that this follower knows of, and what the list last said of each.

    `fresh_s`: how long what the list said is believed. `from_runs`: with fewer live runs the list is not read.
    """

    def __init__(
        self, provider: Provider, *, fresh_s: float, from_runs: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._provider = provider
        self._fresh_s = fresh_s
        self._from_runs = from_runs
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    @property
    def live(self) -> int:
        """How many live runs are followed here."""
        return len(self._watched)

    @property
    def is_worth_it(self) -> bool:
        """Whether so many runs live here that the list is read."""
        return 0 < self._from_runs <= len(self._watched)

    def watch(self, record: Record[Job]) -> None:
        """Follow a run by the list too, with the status that is recorded now."""
        watched = self._watched.get(record.data.run)
        if watched is None:
            self._watched[record.data.run] = _Watched(record.ref, record.data.progress.status)
        else:
            watched.said = record.data.progress.status

    def forget(self, run: str) -> None:
        """Leave a run alone: it is over, or somebody else's."""
        self._watched.pop(run, None)

    def forget_refs(self, gone: set[Ref]) -> None:
        """Leave runs alone whose records wait for nobody here."""
        self._watched = {run: one for run, one in self._watched.items() if one.ref not in gone}

    def latest(self, run: str) -> Run | None:
        """Return a run as the list showed it lately, None where it is to be asked after by itself.

        So is a run that has ended, once: not every list tells what became of it.
        """
        watched = self._watched.get(run)
        if watched is None or watched.seen is None or self._clock() - watched.seen_s > self._fresh_s:
            return None
        return None if watched.seen.status.has_ended else watched.seen

    async def read(self, pace: Pace) -> list[Ref]:
        """Read the list as far back as it shows runs that are followed; return whose status has changed."""
        changed: list[Ref] = []
        unseen = set(self._watched)
        pages = self._provider.runs()
        for _ in range(PAGES_MAX):
            await pace.take()
            page = await anext(pages, None)
            ours = [run for run in page or [] if run.id in self._watched]
            changed += [ref for run in ours if (ref := self._note(run)) is not None]
            unseen.difference_update(run.id for run in ours)
            if not ours or not unseen:
                break
        return changed

    def _note(self, run: Run) -> Ref | None:
        watched = self._watched[run.id]
        watched.seen, watched.seen_s = run, self._clock()
        return watched.ref if run.said != watched.said else None
