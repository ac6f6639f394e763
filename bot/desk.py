"""What the bot works with: the record, the outbox, the bytes, the table of models, and what the operator allows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobstore.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from finetune.catalogue import Catalogue
    from finetune.permissions import Policy
    from jobstore.blobs import Blobs
    from jobstore.connections import Redis
    from jobstore.doorbell import Doorbell
    from jobstore.offers import Offers
    from jobstore.outbox import Outbox
    from jobstore.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What may be spent, in US dollars: by one run, and in a month by all runs, a person's and a channel's."""

    run_usd: float
    month_usd: float
    person_usd: float = math.inf
    channel_usd: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything a listener, the fetcher or the sender may use. `listen` opens a connection of its own.

    `providers` are the addresses where each provider is asked, by name; the first is meant where none is named.
    `lease_s`: how long a file being fetched is held without a sign of life. `slack_timeout_s` bounds one call to
    Slack, and is well below the lease of a channel. `offers`: what the follower learnt of the providers' models.
    `hosting_idle_min`: after so many minutes without a question a hosted model is put to sleep. A tuned model is asked
    about `evaluation_rows` held-out rows at most, for `evaluation_usd` at most.
    """

    store: Store
    outbox: Outbox
    blobs: Blobs
    doorbell: Doorbell
    catalogue: Catalogue
    models: Sequence[str]
    providers: Mapping[str, str]
    policy: Policy
    caps: Caps
    max_file_bytes: int
    api_url: str
    lease_s: float
    slack_timeout_s: int
    listen: Callable[[], Redis]
    read_webhook: Callable[[bytes, Mapping[str, str]], str] | None = None
    hosting_idle_min: float = 15.0
    evaluation_rows: int = 0
    evaluation_usd: float = 0.0
    pulse: Pulse = field(default_factory=Pulse)
    offers: Offers | None = None

    def provider_of(self, model: str) -> str:
        """Return who trains a base model: whom the price table names, else the first of those there are."""
        found = self.catalogue.get(model)
        return found.provider if found and found.provider in self.providers else next(iter(self.providers))
