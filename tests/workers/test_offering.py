"""What providers offer: asked once for all followers, kept for a week, and never in the way of following."""

from __future__ import annotations

import asyncio
import threading
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import pytest

from jobstore.buckets import Buckets
from jobstore.offers import KEPT_S, Listing, Offers, Tuned
from tests.support.old_account import BASE, OldAccount, a_run
from workers.endpoint import Endpoint
from workers.offering import AGAIN_MS, FRESH_MS, keep_fresh
from workers.openai_protocol import OpenAIProtocol
from workers.pace import Pace
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    import redis

    from jobstore.connections import Redis
    from workers.provider import ListedModel, Run

KEY: Final = "tuneroom:offer:openai"
PATIENCE_S: Final = 60.0


@pytest.fixture
def offers(connection: Redis) -> Offers:
    return Offers(connection)


@pytest.fixture
def account() -> Iterator[OldAccount]:
    with OldAccount(shutdowns={BASE: "2027-01-14", "gpt-5": None}) as account:
        for number in range(1, 131):
            account.add(a_run(number))
        account.add(a_run(200, fine_tuned_model=None, status="failed", result_files=[]))
        yield account


def adapter(account: OldAccount) -> Any:
    return OpenAIProtocol(Endpoint(name="openai", api_key="key", base_url=account.url, timeout_s=20))


def ask(offers: Offers, connection: Redis, *providers: Any, until: Callable[[], bool]) -> None:
    """Let so many followers ask, until something is so."""

    async def run() -> None:
        pace = Pace(Buckets(connection), "openai", 1e6)
        tasks = [asyncio.create_task(keep_fresh(offers, one, pace, look_s=0.01)) for one in providers]
        async with asyncio.timeout(PATIENCE_S):
            while not await asyncio.to_thread(until):  # noqa: ASYNC110 - what is waited for stands in Redis
                await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(run())


def next_in_ms(peek: redis.Redis, offers: Offers) -> int:
    return int(str(peek.hget(KEY, "next"))) - offers.now_ms()


def test_days_and_fine_tunes_are_kept_and_asked_for_once_by_several_followers(
    account: OldAccount, offers: Offers, connection: Redis, peek: redis.Redis
) -> None:
    crew = [adapter(account) for _ in range(3)]
    ask(offers, connection, *crew, until=lambda: offers.listing("openai") is not None)

    told = offers.listing("openai")
    assert told is not None
    assert told.stops == {BASE: date(2027, 1, 14)}
    assert len(told.tuned) == 130, "both pages; what left no model is no model"
    newest = told.tuned[0]
    assert (newest.run, newest.base, newest.finished_ms - newest.created_ms) == ("ftjob-00000130", BASE, 3_600_000)
    assert account.asked["GET", "/v1/models"] == 1
    assert account.asked["GET", "/v1/fine_tuning/jobs"] == 2
    assert account.methods() == {"GET"}
    assert 0 < int(str(peek.ttl(KEY))) <= KEPT_S
    assert 0.8 * FRESH_MS < next_in_ms(peek, offers) < 1.2 * FRESH_MS


def test_a_key_that_is_refused_is_asked_about_again_in_an_hour(
    account: OldAccount, offers: Offers, connection: Redis, peek: redis.Redis
) -> None:
    offers.keep("openai", Listing(at_ms=1, tuned=(Tuned(model="m", base="b", run="r"),)), again_in_ms=0)
    for path in ("/v1/models", "/v1/fine_tuning/jobs"):
        account.faults[path] = [(401, "invalid_api_key", "no")] * 9
    ask(offers, connection, adapter(account), until=lambda: _put_off(peek, offers))
    told = offers.listing("openai")
    assert told is not None
    assert told.at_ms == 1, "what was told before stands until it is too old"


def _put_off(peek: redis.Redis, offers: Offers) -> bool:
    return bool(peek.hget(KEY, "next")) and next_in_ms(peek, offers) > AGAIN_MS - 60_000


def test_a_key_that_may_not_list_models_still_tells_its_fine_tunes(
    account: OldAccount, offers: Offers, connection: Redis
) -> None:
    account.faults["/v1/models"] = [(403, "", "Missing scopes")] * 9
    ask(offers, connection, adapter(account), until=lambda: offers.listing("openai") is not None)
    told = offers.listing("openai")
    assert told is not None
    assert (told.stops, len(told.tuned)) == ({}, 130)


class Odd:
    """A provider whose adapter fails in a way nobody thought of."""

    name = "openai"

    def models(self) -> list[ListedModel]:
        raise ZeroDivisionError

    async def runs(self) -> AsyncIterator[list[Run]]:
        raise ProviderError(ErrorKind.MISSING, "missing", "no such call", "")
        yield []


def test_what_nobody_thought_of_is_logged_and_put_off(offers: Offers, connection: Redis, peek: redis.Redis) -> None:
    ask(offers, connection, Odd(), until=lambda: _put_off(peek, offers))
    assert offers.listing("openai") is None


class Silent(Odd):
    """A provider that takes the question and never answers."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.over = threading.Event()

    def models(self) -> list[ListedModel]:
        self.asked.set()
        self.over.wait()
        return []


def test_a_provider_that_never_answers_does_not_keep_a_follower_from_ending(offers: Offers, connection: Redis) -> None:
    silent = Silent()
    ask(offers, connection, silent, until=silent.asked.is_set)  # returns: nobody waits for the thread
    assert not silent.over.is_set()
    silent.over.set()


def test_one_turn_at_a_time_and_the_next_when_it_is_over(connection: Redis) -> None:
    first, second = Offers(connection), Offers(connection)
    assert first.take_turn("openai", 60_000)
    assert not second.take_turn("openai", 60_000)
    assert second.take_turn("together", 60_000)
    first.keep("openai", None, again_in_ms=0)
    assert second.take_turn("openai", 60_000)


def test_a_listing_that_cannot_be_read_is_none(offers: Offers, peek: redis.Redis) -> None:
    peek.hset(KEY, "listing", '{"at_ms": "later"}')
    assert offers.listing("openai") is None
