"""What a dataset can be trained on, for a provider that can do it all and for others that cannot."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from bot.desk import Caps, Desk
from bot.offer import Offer
from finetune.catalogue import Catalogue
from finetune.permissions import Policy
from finetune.report import PriceRange, Report, Tokens
from tests.support.samples import CHANNEL, TEAM, a_dataset, recorded

if TYPE_CHECKING:
    from jobstore.store import Store

MODELS = [
    {"name": "base-1", "provider": "acme", "context": 4096, "methods": ["supervised", "dpo", "reinforcement"],
     "formats": ["chat"], "training_usd_per_million": 3, "input_usd_per_million": 1, "output_usd_per_million": 2},
    {"name": "hourly-1", "provider": "acme", "context": 4096, "methods": ["supervised"], "formats": ["chat"],
     "training_usd_per_hour": 100},
    {"name": "gone-1", "provider": "acme", "context": 4096, "methods": ["supervised"], "formats": ["chat"],
     "training_usd_per_million": 3, "shutdown": "2001-01-01"},
    {"name": "other-1", "provider": "beta", "context": 4096, "methods": ["supervised"], "formats": ["chat"],
     "training_usd_per_million": 1},
    {"name": "toy-1", "provider": "scratch", "context": 4096, "methods": ["supervised"], "formats": ["chat"],
     "training_usd_per_million": 0},
]  # fmt: skip
SERVICES = [
    {"name": "acme", "continues": True, "wandb": True},
    {"name": "rates", "rate": "absolute"},
    {"name": "scratch", "from_scratch": True},
    {"name": "beta", "label": "Beta Corp", "region": "EU", "rate": "absolute", "epochs_max": 20},
]
CATALOGUE = Catalogue.load(json.dumps({"models": MODELS, "services": SERVICES}).encode())


def a_report(**changes: Any) -> Report:
    """A checked dataset of 600 examples."""
    given: dict[str, Any] = {
        "format": "chat", "rows": 600, "examples": 600, "tokens": Tokens(total=100_000), "epochs": 3,
        "price_usd": {"base-1": PriceRange(0.9, 0.9), "other-1": PriceRange(0.3, 0.3)}, "findings": (),
        "prices_as_of": "2026-11-15",
    }  # fmt: skip
    return Report(**given | changes)


OF_FURTHER = {"beta": ["other-1"], "scratch": ["toy-1"]}


def an_offer(store: Store, *, provider: str = "acme", further: str = "", **report: Any) -> Offer:
    """What a dataset of such a report can be trained on."""
    unused: Any = None
    desk = Desk(
        store=store, outbox=unused, blobs=unused, doorbell=unused, catalogue=CATALOGUE,
        models=("base-1", "hourly-1", "gone-1", *OF_FURTHER.get(further, [])),
        providers=dict.fromkeys(filter(None, [provider, further]), ""), policy=Policy(),
        caps=Caps(run_usd=math.inf, month_usd=math.inf), max_file_bytes=1, api_url="", lease_s=1, slack_timeout_s=1,
        listen=unused, evaluation_rows=200, evaluation_usd=0.5,
    )  # fmt: skip
    ref = recorded(store, a_dataset(sha256="ab" * 32, channel=CHANNEL))
    dataset = store.get(ref)
    assert dataset is not None
    assert dataset.ref.team == TEAM
    return Offer(desk, dataset, a_report(**report))
