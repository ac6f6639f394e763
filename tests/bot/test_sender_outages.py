"""While Slack is ill nothing is given up: what may have got through is looked up, and made again once it is well."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import pytest
from slack_sdk import WebClient

from bot.desk import Caps, Desk
from bot.posting import ARRIVES_WITHIN_S, CLOCKS_DIFFER_S
from bot.sender import ATTEMPTS_MAX, UNSURE_AGAIN_MS, UNSURE_MAX_MS, Sender
from finetune.catalogue import Catalogue
from finetune.permissions import Policy
from jobstore.blobs import Blobs
from tests.support.samples import TEAM, a_delivery
from tests.support.wire import Asked, Told, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis

    from jobstore.outbox import Outbox
    from jobstore.store import Store

CHANNEL: Final = "C1"
DELIVERY: Final = "tuneroom:{T1}:delivery:hello"


class IllSlack:
    """A Slack that fails to post while it `is_ill`, and whose history shows nothing."""

    def __init__(self) -> None:
        self.url = ""
        self.is_ill = True
        self.asked: list[tuple[str, dict[str, str]]] = []

    def treat(self, asked: Asked) -> Told:
        name = asked.path.rpartition("/")[2]
        self.asked.append((name, dict(parse_qsl(asked.content.decode()))))
        is_broken = self.is_ill and name == "chat.postMessage"
        return Told({"ok": not is_broken, "ts": "1.1", "messages": []}, 503 if is_broken else 200)

    def named(self, method: str) -> list[dict[str, str]]:
        """What a method was asked with, each time."""
        return [options for name, options in self.asked if name == method]


@pytest.fixture
def slack() -> Iterator[IllSlack]:
    made = IllSlack()
    with served(made) as made.url:
        yield made


@pytest.fixture
def sender(slack: IllSlack, store: Store, outbox: Outbox, tmp_path: Path) -> Sender:
    """A sender that sweeps when it is told to, with one post to make."""
    unused: Any = None
    desk = Desk(
        store=store, outbox=outbox, blobs=Blobs(str(tmp_path)), doorbell=unused, catalogue=Catalogue.load(),
        models=(), providers={}, policy=Policy(), caps=Caps(run_usd=1, month_usd=1), max_file_bytes=1,
        api_url="", lease_s=30, slack_timeout_s=30, listen=unused,
    )  # fmt: skip
    outbox.put(TEAM, a_delivery("hello", channel=CHANNEL, view="welcome", ref=""))
    return Sender(desk, WebClient("xoxb-1", base_url=f"{slack.url}/", retry_handlers=[]), TEAM)


@pytest.fixture
def sweep(sender: Sender, peek: redis.Redis) -> Callable[[], None]:
    """Sweep, with every wait of before over."""

    def sweep_() -> None:
        peek.delete(f"tuneroom:{{T1}}:bucket:post:{CHANNEL}", "tuneroom:{T1}:bucket:post")
        if peek.exists(DELIVERY):
            peek.hset(DELIVERY, "later_ms", 1)
        if peek.exists(f"tuneroom:{{T1}}:outbox:{CHANNEL}"):
            peek.zadd("tuneroom:{T1}:channels", {CHANNEL: 1})
        sender.sweep()

    return sweep_


def test_post_outlives_an_outage_of_slack(
    sender: Sender, slack: IllSlack, outbox: Outbox, sweep: Callable[[], None]
) -> None:
    for _ in range(3 * ATTEMPTS_MAX):
        sweep()
    assert (outbox.pending(TEAM), outbox.dead_letters(TEAM)) == (1, [])
    slack.is_ill = False
    sweep()
    assert (outbox.pending(TEAM), outbox.ts(TEAM, "hello")) == (0, "1.1")


def test_channel_does_not_wait_for_what_fails_again_and_again(
    sender: Sender, store: Store, outbox: Outbox, peek: redis.Redis, sweep: Callable[[], None]
) -> None:
    for _ in range(ATTEMPTS_MAX):
        sweep()
    later_ms = int(peek.hget(DELIVERY, "later_ms") or 0)
    assert 0 < later_ms - store.now_ms() <= UNSURE_AGAIN_MS
    outbox.put(TEAM, a_delivery("next", channel=CHANNEL, view="welcome", ref=""))
    turn = outbox.take(TEAM)
    assert turn is not None
    attempt = outbox.begin(turn)
    assert attempt is not None
    assert attempt.id == "next"


def test_what_fails_for_a_day_is_a_dead_letter(
    store: Store, outbox: Outbox, peek: redis.Redis, sweep: Callable[[], None]
) -> None:
    for _ in range(ATTEMPTS_MAX):
        sweep()
    peek.hset(DELIVERY, "waiting_ms", store.now_ms() - UNSURE_MAX_MS - 1)
    sweep()
    assert [letter["delivery"] for letter in outbox.dead_letters(TEAM)] == ["hello"]
    assert outbox.pending(TEAM) == 0


def test_look_up_reads_the_time_in_which_it_was_sent_and_not_what_came_since(
    slack: IllSlack, store: Store, peek: redis.Redis, sweep: Callable[[], None]
) -> None:
    """After days of which a busy channel holds more than anybody reads, it would be made twice."""
    sweep()
    sent_ms = store.now_ms() - 3 * 24 * 3_600_000
    peek.hset(DELIVERY, mapping={"put_ms": sent_ms - 24 * 3_600_000, "sent_ms": sent_ms})
    sweep()
    (asked,) = slack.named("conversations.history")
    assert math.isclose(float(asked["oldest"]), sent_ms / 1000 - CLOCKS_DIFFER_S)
    assert math.isclose(float(asked["latest"]), sent_ms / 1000 + ARRIVES_WITHIN_S)
    assert store.now_ms() - int(peek.hget(DELIVERY, "sent_ms") or 0) < 60_000, "it was sent again just now"
