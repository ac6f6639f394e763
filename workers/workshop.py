"""What every stage works with: the record, the bytes, the providers, the table of models, and the timings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from finetune.catalogue import Catalogue
    from jobstore.blobs import Blobs
    from jobstore.buckets import Buckets
    from jobstore.doorbell import Doorbell
    from jobstore.offers import Offers
    from jobstore.store import Store
    from workers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long things may take, in seconds.

    `create_deadline_s` must be shorter than `lease_s`: nobody else may take the record up while the POST is out.
    A look-up that finds nothing counts only `lookup_grace_s` after the deadline, since lists lag. All followers
    together ask one provider `provider_calls_per_min` times, and read its list where `list_from_runs` runs are live
    (0: never). A model on a host of its own is put to sleep `hosting_idle_s` after the last question.
    """

    lease_s: float = 20.0
    create_deadline_s: float = 12.0
    lookup_grace_s: float = 30.0
    retry_base_s: float = 2.0
    retry_max_s: float = 300.0
    retries_max: int = 8
    poll_min_s: float = 2.0
    poll_max_s: float = 60.0
    report_silence_s: float = 3.0
    provider_calls_per_min: float = 6000.0
    list_from_runs: int = 50
    hosting_idle_s: float = 900.0

    def retry_in_ms(self, attempts: int, retry_after_s: float | None = None) -> int:
        """Return how long to wait after `attempts` tries: doubling, and never sooner than the other side asked."""
        backoff = min(self.retry_max_s, self.retry_base_s * 2 ** min(attempts, 12))
        return int(max(backoff, retry_after_s or 0) * 1000)

    def poll_interval_s(self, age_s: float) -> float:
        """A twentieth of a run's age, within the limits set: short runs are watched closely, long ones calmly."""
        return max(self.poll_min_s, min(self.poll_max_s, age_s / 20))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Everything a stage may use. `models` are the names on offer, in the order they are shown.

    A model that classifies is asked about `evaluation_rows` held-out rows at most, for `evaluation_usd` at most.
    `offers`: where the follower keeps what the providers offer; None: nowhere.
    """

    store: Store
    blobs: Blobs
    doorbell: Doorbell
    buckets: Buckets
    providers: Mapping[str, Provider]
    catalogue: Catalogue
    models: Sequence[str]
    timings: Timings
    evaluation_rows: int = 200
    evaluation_usd: float = 0.5
    offers: Offers | None = None
