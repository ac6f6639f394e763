"""A workshop for the real stages, around whichever provider a test has."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from finetune.catalogue import Catalogue
from jobstore.blobs import Blobs
from jobstore.buckets import Buckets
from jobstore.connections import connect_rq
from jobstore.doorbell import Doorbell
from workers.workshop import Timings, Workshop

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from jobstore.connections import Redis
    from jobstore.store import Store
    from workers.provider import Provider

LONG: Final = Timings(lease_s=30, create_deadline_s=10, lookup_grace_s=60, retry_base_s=0)


@contextlib.contextmanager
def workshop(
    store: Store, connection: Redis, redis_url: str, folder: Path, provider: Provider, timings: Timings = LONG
) -> Generator[Workshop]:
    """Open a workshop with one provider, by default one whose look-ups are believed after a minute and more."""
    with connect_rq(redis_url) as bells:
        yield Workshop(
            store=store,
            blobs=Blobs(str(folder)),
            doorbell=Doorbell(bells),
            buckets=Buckets(connection),
            providers={provider.name: provider},
            catalogue=Catalogue.load(),
            models=(),
            timings=timings,
        )
