"""What Slack allows is handed out fairly: first come, first served, rank by rank, and whoever is away blocks nobody."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from jobstore.deliveries import Rank, Shape
from jobstore.outbox import Attempt, Bucket, Outbox
from tests.support.samples import TEAM

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from jobstore.store import Store

EDITS = Bucket(name="edit", rate_per_min=1e-6, burst=6)  # fills by hand, in these tests
BUCKETS = "tuneroom:{T1}:bucket:"


def an_edit(channel: str, *, since_ms: int, rank: Rank = Rank.PROGRESS) -> Attempt:
    """An edit of the card of a channel, which has waited since then."""
    return Attempt(
        id=f"card:{channel}", channel=channel, kind=Shape.CARD, view="job", ref="job:j1", args={}, rank=rank,
        thread_ts="", ts="1.1", file="", wanted=2, attempts=1, put_ms=1, waiting_ms=since_ms, was_unsure=False,
    )  # fmt: skip


@pytest.fixture
def fill(peek: redis.Redis, store: Store) -> Callable[..., None]:
    """Let a bucket hold so many tokens."""

    def put(tokens: float, bucket: str = "edit") -> None:
        peek.hset(f"{BUCKETS}{bucket}", mapping={"left": tokens, "since": store.now_ms()})

    return put


@pytest.fixture
def asks(outbox: Outbox) -> Callable[..., bool]:
    """Ask for the edit of a channel's card; whether it was let through."""

    def ask(channel: str, since_ms: int, rank: Rank = Rank.PROGRESS) -> bool:
        return outbox.admit(TEAM, an_edit(channel, since_ms=since_ms, rank=rank), [EDITS]) == 0

    return ask


def test_token_goes_to_whoever_has_waited_longest(fill: Callable[..., None], asks: Callable[..., bool]) -> None:
    fill(0)
    assert not asks("young", since_ms=200)
    assert not asks("old", since_ms=100)
    fill(1)
    assert not asks("young", since_ms=200)
    assert asks("old", since_ms=100)
    fill(1)
    assert asks("young", since_ms=200)


def test_who_asks_often_gets_no_more_than_its_turn(fill: Callable[..., None], asks: Callable[..., bool]) -> None:
    """A card that is wanted anew each second must not take what a quiet one waits for."""
    fill(0)
    waiting = {f"C{number}": number for number in range(5)}
    for channel, since_ms in waiting.items():
        assert not asks(channel, since_ms)
    shown = Counter[str]()
    for turn in range(20):
        fill(1)
        for channel in ("C4", "C3", "C4", "C2", "C4", "C1", "C0", "C4", "C3", "C2", "C1"):
            if asks(channel, waiting[channel]):
                shown[channel] += 1
                waiting[channel] = 100 + turn  # at once wanted anew
    assert shown == dict.fromkeys(waiting, 4)


def test_news_goes_before_whoever_waits(fill: Callable[..., None], asks: Callable[..., bool]) -> None:
    fill(0)
    assert not asks("progress", since_ms=100)
    assert not asks("terminal", since_ms=200, rank=Rank.TERMINAL)
    fill(1)
    assert not asks("progress", since_ms=100)
    assert asks("terminal", since_ms=200, rank=Rank.TERMINAL)
    fill(1)
    assert asks("progress", since_ms=100)


def test_channel_whose_news_comes_while_it_waits_moves_ahead(
    fill: Callable[..., None], asks: Callable[..., bool]
) -> None:
    fill(0)
    assert not asks("a", since_ms=100)
    assert not asks("b", since_ms=200)
    fill(1)
    assert asks("b", since_ms=200, rank=Rank.TERMINAL)


def test_dead_sender_blocks_nobody_and_its_channel_is_as_old_as_before(
    fill: Callable[..., None], asks: Callable[..., bool], peek: redis.Redis
) -> None:
    fill(0)
    assert not asks("dead", since_ms=100)
    assert not asks("alive", since_ms=200)
    fill(1)
    assert not asks("alive", since_ms=200), "it may still come"
    peek.zadd(f"{BUCKETS}edit:back", {"dead": 1})  # long ago
    assert asks("alive", since_ms=200)
    assert not asks("alive", since_ms=300)
    fill(1)
    assert asks("dead", since_ms=100), "taken up by somebody else"


def test_one_who_is_away_does_not_stop_the_next_where_there_is_enough_for_both(
    fill: Callable[..., None], asks: Callable[..., bool]
) -> None:
    fill(0)
    assert not asks("away", since_ms=100)
    fill(2)
    assert asks("next", since_ms=200)
    assert asks("away", since_ms=100)


def test_each_in_line_is_told_to_come_back_at_its_turn(outbox: Outbox, fill: Callable[..., None]) -> None:
    bucket = Bucket(name="edit", rate_per_min=1, burst=6)
    fill(0)
    waits_ms = [outbox.admit(TEAM, an_edit(f"C{n}", since_ms=n), [bucket]) for n in range(5)]
    assert all(0 <= (n + 1) * 60_000 - wait_ms < 50_000 for n, wait_ms in enumerate(waits_ms)), waits_ms


def test_reserve_is_not_touched_by_a_line_of_the_less_urgent(
    outbox: Outbox, fill: Callable[..., None], asks: Callable[..., bool]
) -> None:
    keeping = Bucket(name="edit", rate_per_min=1e-6, burst=6, reserve=4)
    fill(4)
    assert outbox.admit(TEAM, an_edit("progress", since_ms=100), [keeping]) > 0
    assert [asks(f"C{n}", since_ms=200, rank=Rank.TERMINAL) for n in range(5)] == [True] * 4 + [False]


OWN = Bucket(name="post:C1", rate_per_min=1e-6, burst=4)
ALL = Bucket(name="post", rate_per_min=1e-6, burst=4)


@pytest.mark.parametrize(("empty", "full"), [("post:C1", "post"), ("post", "post:C1")])
def test_token_is_taken_of_each_bucket_or_of_none(
    outbox: Outbox, fill: Callable[..., None], peek: redis.Redis, empty: str, full: str
) -> None:
    fill(0, empty)
    fill(2, full)
    assert outbox.admit(TEAM, an_edit("C1", since_ms=1), [OWN, ALL]) > 0
    assert round(float(peek.hget(BUCKETS + full, "left") or 2), 3) == 2
    fill(1, empty)
    assert outbox.admit(TEAM, an_edit("C1", since_ms=1), [OWN, ALL]) == 0
    assert [round(float(peek.hget(BUCKETS + name, "left") or 0), 3) for name in (empty, full)] == [0, 1]


def test_channel_that_its_own_bucket_refuses_stands_in_nobody_elses_way(
    outbox: Outbox, fill: Callable[..., None]
) -> None:
    fill(0, "post")
    assert outbox.admit(TEAM, an_edit("C1", since_ms=1), [OWN, ALL]) > 0
    fill(0, "post:C1")
    fill(1, "post")
    assert outbox.admit(TEAM, an_edit("C1", since_ms=1), [OWN, ALL]) > 0
    assert outbox.admit(TEAM, an_edit("C2", since_ms=2), [ALL]) == 0


def test_hold_keeps_everybody_in_line(
    outbox: Outbox, fill: Callable[..., None], asks: Callable[..., bool], peek: redis.Redis
) -> None:
    """After a 429 the first to ask is not the first to be served."""
    outbox.hold(TEAM, "edit", 60_000)
    assert not asks("old", since_ms=100)
    assert not asks("young", since_ms=200)
    peek.hdel(f"{BUCKETS}edit", "held_until")
    fill(1)
    assert not asks("young", since_ms=200)
    assert asks("old", since_ms=100)


def test_line_that_nobody_stands_in_is_forgotten(
    fill: Callable[..., None], asks: Callable[..., bool], peek: redis.Redis
) -> None:
    fill(0)
    assert not asks("C1", since_ms=1)
    assert all(peek.pttl(f"{BUCKETS}edit:{name}") > 0 for name in ("line", "back"))
    fill(1)
    assert asks("C1", since_ms=1)
    assert not peek.exists(f"{BUCKETS}edit:line", f"{BUCKETS}edit:back")
