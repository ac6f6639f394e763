"""A view that breaks has sent nothing: it is tried again by itself, and given up in the end; the channel goes on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from slack_sdk import WebClient

from bot.desk import Caps, Desk
from bot.sender import RENDERINGS_MAX, Sender
from finetune.catalogue import Catalogue
from finetune.permissions import Policy
from jobstore.blobs import Blobs
from jobstore.deliveries import Rank, card, post
from jobstore.records import Ref
from jobstore.states import Kind
from sandbox.client import Workspace
from sandbox.config import SandboxConfig
from sandbox.people import TUNING
from sandbox.server import running
from tests.bot.cards import a_report
from tests.support.samples import TEAM, a_dataset, a_delivery, recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    import redis

    from jobstore.outbox import Outbox
    from jobstore.store import Store

CARD = "tuneroom:{T1}:delivery:card:dataset:d1"


@pytest.fixture
def slack(tmp_path: Path) -> Generator[Workspace]:
    """A workspace of one's own."""
    config = SandboxConfig(
        data_dir=tmp_path / "workspace", bot_token="xoxb-1", app_token="xapp-1", signing_secret="secret"
    )  # fmt: skip
    with running(config) as url, Workspace(url) as workspace:
        yield workspace


@pytest.fixture
def sender(slack: Workspace, store: Store, outbox: Outbox, tmp_path: Path) -> Sender:
    """A sender that sweeps when it is told to."""
    unused: Any = None
    desk = Desk(
        store=store, outbox=outbox, blobs=Blobs(str(tmp_path / "blobs")), doorbell=unused, catalogue=Catalogue.load(),
        models=(), providers={}, policy=Policy(), caps=Caps(run_usd=math.inf, month_usd=math.inf), max_file_bytes=1,
        api_url="", lease_s=30, slack_timeout_s=30, listen=unused,
    )  # fmt: skip
    return Sender(desk, WebClient("xoxb-1", base_url=f"{slack.base_url}/api/", retry_handlers=[]), TEAM)


@pytest.fixture
def let_time_pass(peek: redis.Redis) -> Callable[[], None]:
    """Let the broken card be due, and Slack's rates be forgotten."""

    def pass_() -> None:
        peek.delete(f"tuneroom:{{T1}}:bucket:post:{TUNING}", "tuneroom:{T1}:bucket:post")
        peek.hset(CARD, "later_ms", 1)
        peek.zadd("tuneroom:{T1}:channels", {TUNING: 1})

    return pass_


def a_broken_card(sender: Sender, tmp_path: Path) -> Path:
    """Ask for the card of a dataset whose report is not one; return where that lies."""
    report, _ = sender.desk.blobs.put(TEAM, [b"not a report"])
    said = card("dataset:$ID", channel=TUNING, rank=Rank.TERMINAL)
    recorded(sender.desk.store, a_dataset(channel=TUNING, report=report), deliveries=(said,))
    return tmp_path / "blobs" / TEAM / report


def said(sender: Sender) -> int:
    """How many messages stand in the channel."""
    return len(sender.client.conversations_history(channel=TUNING)["messages"])


def test_channel_goes_on_while_a_view_is_broken(sender: Sender, tmp_path: Path) -> None:
    a_broken_card(sender, tmp_path)
    sender.desk.outbox.put(TEAM, a_delivery("hello", channel=TUNING, view="welcome", ref=""))
    sender.sweep()
    assert said(sender) == 1
    assert sender.desk.outbox.pending(TEAM) == 1


def test_view_that_is_mended_is_shown_once_and_nothing_was_looked_up(
    sender: Sender, slack: Workspace, tmp_path: Path, let_time_pass: Callable[[], None]
) -> None:
    report = a_broken_card(sender, tmp_path)
    sender.sweep()
    let_time_pass()
    sender.sweep()
    report.write_bytes(msgspec.json.encode(a_report().as_json()))
    let_time_pass()
    sender.sweep()
    sender.sweep()
    calls = slack.wait_for(lambda w: w.calls("chat.postMessage") and w.calls())
    assert [call["method"] for call in calls] == ["chat.postMessage"], "no history was read: nothing had been sent"
    assert (sender.desk.outbox.pending(TEAM), sender.desk.outbox.dead_letters(TEAM)) == (0, [])


def test_storage_that_fails_is_waited_for(sender: Sender, tmp_path: Path, let_time_pass: Callable[[], None]) -> None:
    """What the system refuses looks like a broken connection to Slack, and is none."""
    report = a_broken_card(sender, tmp_path)
    report.unlink()
    report.mkdir()  # reading it is an OSError
    sender.sweep()
    report.rmdir()
    report.write_bytes(msgspec.json.encode(a_report().as_json()))
    let_time_pass()
    sender.sweep()
    assert said(sender) == 1


def test_each_try_waits_longer_than_the_one_before(
    sender: Sender, store: Store, tmp_path: Path, peek: redis.Redis, let_time_pass: Callable[[], None]
) -> None:
    a_broken_card(sender, tmp_path)
    waits_s = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    for _ in waits_s[:-2]:  # on a slow machine a second has passed within the sweep, and it was tried twice
        let_time_pass()
        before_ms = store.now_ms()
        sender.sweep()
        later_ms = int(peek.hget(CARD, "later_ms") or 0)
        wait_ms = 1_000 * waits_s[int(peek.hget(CARD, "attempts") or 0) - 1]
        assert before_ms + wait_ms <= later_ms <= store.now_ms() + wait_ms


def test_view_that_stays_broken_is_a_dead_letter_and_its_replies_are_sent(
    sender: Sender, tmp_path: Path, peek: redis.Redis, let_time_pass: Callable[[], None]
) -> None:
    a_broken_card(sender, tmp_path)
    reply = post(Ref(TEAM, Kind.DATASET, "d1"), "welcome", channel=TUNING, rank=Rank.MILESTONE)
    sender.desk.outbox.put(TEAM, reply)
    tries = 0
    while not sender.desk.outbox.dead_letters(TEAM):
        assert said(sender) == 0, "a reply waits for what it replies to"
        tries = 1 + int(peek.hget(CARD, "attempts") or 0)
        let_time_pass()
        sender.sweep()
    assert tries == RENDERINGS_MAX
    assert sender.desk.outbox.dead_letters(TEAM) == [{"delivery": "card:dataset:d1", "reason": "not made: DecodeError"}]
    assert said(sender) == 1
    assert sender.desk.outbox.pending(TEAM) == 0
