"""What the ready notice says of a model's end, and which day counts."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.desk import Desk
from bot.last_days import catalogue_told, stop_of_job, today_of
from bot.rendering import VIEWS
from finetune.catalogue import Catalogue
from jobstore.offers import Listing, Offers
from tests.bot.cards import a_job, shown

if TYPE_CHECKING:
    from jobstore.connections import Redis
    from jobstore.jobs import Job
    from jobstore.records import Record
    from jobstore.store import Store

BASE = "gpt-4o-mini-2024-07-18"
TUNED = f"ft:{BASE}:acme:bot:1"


@pytest.fixture
def offers(connection: Redis) -> Offers:
    return Offers(connection)


@pytest.fixture
def desk(store: Store, offers: Offers) -> Desk:
    unused: Any = None
    return Desk(
        store=store, outbox=unused, blobs=unused, doorbell=unused, catalogue=Catalogue.load(), models=(BASE,),
        providers={"openai": ""}, policy=unused, caps=unused, max_file_bytes=1, api_url="", lease_s=1,
        slack_timeout_s=1, listen=unused, offers=offers,
    )  # fmt: skip


def tell(offers: Offers, stops: dict[str, date]) -> None:
    offers.keep("openai", Listing(at_ms=1, stops=stops), again_in_ms=1)


def ready() -> Record[Job]:
    return a_job("ready", model=TUNED)


@pytest.mark.parametrize(("days", "is_said"), [(3, True), (180, True), (181, False), (2000, False)])
def test_ready_notice_says_the_last_day_once_it_is_in_sight(
    desk: Desk, offers: Offers, days: int, *, is_said: bool
) -> None:
    day = today_of(desk) + timedelta(days=days)
    tell(offers, {TUNED: day})
    said: Any = VIEWS["ready"](desk, ready())
    assert (f"stops on {day}" in shown(said)) == is_said


def test_a_models_own_day_counts_then_its_bases_then_the_price_tables(desk: Desk, offers: Offers) -> None:
    assert stop_of_job(desk, ready()) == date(2027, 1, 14)
    tell(offers, {BASE: date(2027, 3, 1)})
    assert stop_of_job(desk, ready()) == date(2027, 3, 1)
    tell(offers, {BASE: date(2027, 3, 1), TUNED: date(2027, 2, 1)})
    assert stop_of_job(desk, ready()) == date(2027, 2, 1)
    assert stop_of_job(dataclasses.replace(desk, offers=None), ready()) == date(2027, 1, 14)


def test_models_have_the_days_that_their_provider_tells(desk: Desk, offers: Offers) -> None:
    tell(offers, {"gpt-4o-mini": date(2030, 1, 1)})
    model = catalogue_told(desk).get(BASE)
    assert model is not None
    assert model.shutdown == date(2030, 1, 1), "by an alias, too"
    assert desk.catalogue.get(BASE) != model


def test_the_day_is_that_of_the_one_clock(desk: Desk, store: Store) -> None:
    before = datetime.fromtimestamp(store.now_ms() / 1000, UTC).date()
    assert before <= today_of(desk) <= datetime.fromtimestamp(store.now_ms() / 1000, UTC).date()
