"""Jobs by the dozen while everything is killed: is each paid for once, and everything said, recorded and counted once?

    ./run python benchmarks/crash.py --jobs 40 --kills 120 --json

Two people drop files, start jobs and try the models, as real processes serve them: the bot, the workers, the follower,
a Redis server. Meanwhile one of these is SIGKILLed after another, chosen and timed by a seed; answers of the provider
are lost after the work was done, by a proxy before it; so are Slack's. It ends by itself: when the kills are spent,
every job has what time `--seconds` leaves to come to its end. Exit code 1 where a promise was broken.

`recovery_s`: from a kill until whatever the dead process held (a record or a channel) is held or moved by another.
`--lease product` (the default) keeps the product's own lease and deadlines, `short` those of the tests.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import redis
from surroundings import machine, spread

from jobstore.connections import UNAVAILABLE
from jobstore.states import Kind
from sandbox.failures import NotAnsweredError, RefusedError, WaitedInVainError
from sandbox.people import TEAM_ID
from tests.flows.conversation import DATASET_STORY, JOB_STORY, rows
from tests.support.provider_front import ProviderFront, Reply, Request
from tests.support.stack import KEYS, Stack, _below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobstore.records import Record
    from sandbox.client import Message, Person

SEED: Final = 20261121
PREFIX: Final = f"tuneroom:{{{TEAM_ID}}}:"
PEOPLE: Final = ("mina", "jun")
SLACK_METHODS: Final = ("chat.postMessage", "chat.update", "files.completeUploadExternal")
VICTIMS: Final = ("bot", "worker", "follower", "redis", "queue", "task")
WEIGHTS: Final = (4, 2, 4, 2, 3, 3)
PAUSE_S: Final = (0.3, 2.5)
LOST_SHARE: Final = 0.04
OUTAGE_S: Final = 2.0
AT_WORK_S: Final = 3.0
IN_TIME: Final = {"TUNEROOM_LEASE_S": "", "TUNEROOM_CREATE_DEADLINE_S": "", "TUNEROOM_LOOKUP_GRACE_S": ""}
"""Empty: the product's own."""


class LossyFront(ProviderFront):
    """A proxy that loses an answer now and then, after the provider has done the work."""

    def __init__(self, upstream: str, chance: random.Random) -> None:
        self._chance = chance
        self.lost = 0
        self.is_lossy = True
        super().__init__(upstream)

    def treat(self, request: Request) -> Reply | None:
        reply = super().treat(request)
        if self.is_lossy and self._chance.random() < LOST_SHARE:
            self.lost += 1
            return None
        return reply


class LossyStack(Stack):
    """The tests' stack behind a front that loses answers."""

    def __init__(self, home: Path, chance: random.Random, variables: dict[str, str]) -> None:
        super().__init__(home, variables=variables)
        self._chance = chance

    def _start_trainer(self) -> None:
        super()._start_trainer()
        self.front.close()
        self.lossy = self.front = LossyFront(self.trainer_url, self._chance)
        self._closing.callback(self.front.close)

    def ask_trainer(self, path: str) -> dict[str, Any]:
        """Ask the trainer behind the front's back."""
        key = {"Authorization": f"Bearer {KEYS['trainer']}"}
        with urllib.request.urlopen(urllib.request.Request(self.trainer_url + path, headers=key), timeout=30) as answer:
            return json.loads(answer.read())

    def all_runs(self) -> Counter[str]:
        """How many runs the trainer has under each name."""
        found: list[dict[str, Any]] = []
        while True:
            after = f"&after={found[-1]['id']}" if found else ""
            page = self.ask_trainer(f"/fine_tuning/jobs?limit=100{after}")
            found += page["data"]
            if not page["has_more"]:
                return Counter(run["user_provided_suffix"] for run in found)


# --- the people ------------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """One file, one job, and what became of them as far as its person saw."""

    name: str
    person: Person
    dropped: Message | None = None
    report: Message | None = None
    trouble: list[str] = field(default_factory=list)


class People:
    """Two people who start jobs, one after the other, and press again what was not answered."""

    def __init__(self, stack: LossyStack, until: float) -> None:
        self._stack = stack
        self._until = until
        self.stories: list[Story] = []

    def act(self, jobs: int) -> None:
        """Start so many jobs; returns when all are started or time is up."""
        with ThreadPoolExecutor(len(PEOPLE)) as pool:
            shares = [range(number, jobs, len(PEOPLE)) for number in range(len(PEOPLE))]
            list(pool.map(self._one, PEOPLE, shares))

    def _one(self, name: str, share: range) -> None:
        person = self._stack.workspace.as_user(name)
        stories = [Story(f"crash-{number}", person) for number in share]
        self.stories += stories
        for story in stories:
            self._drop(story)
        for story in stories:
            self._launch(story)

    def _drop(self, story: Story) -> None:
        story.dropped = story.person.drop("#tuning", f"{story.name}.jsonl", rows(story.name))

    def _launch(self, story: Story) -> None:
        while time.monotonic() < self._until and not self._job(story.name):
            try:
                if story.report is None and story.dropped is not None:
                    story.report = self._stack.workspace.wait_for_message(
                        "#tuning", "Ready to train", thread_ts=story.dropped.ts, timeout_s=10
                    )
                self._send(story)
            except (NotAnsweredError, RefusedError, WaitedInVainError) as error:
                story.trouble.append(str(error).splitlines()[0])

    def _send(self, story: Story) -> None:
        assert story.report is not None
        report = self._stack.workspace.message(story.report) or story.report
        for view in self._stack.workspace.views(story.person.id):
            story.person.close(view)
        story.person.click(report, "train")
        form = story.person.view("Train", timeout_s=5)
        for _ in range(20):  # not answered: the same form is sent again, as one does
            answer = story.person.submit(form, {"suffix": story.name, "epochs": "1"})
            if answer.closed or answer.errors or self._job(story.name):
                return
            self._stack.workspace.wait_for_app(20)
            if form.id not in {view.id for view in self._stack.workspace.views(story.person.id)}:
                return

    def _job(self, name: str) -> Record[Any] | None:
        return patiently(lambda: next((job for job in self._stack.listed(Kind.JOB) if job.data.title == name), None))

    def decide(self) -> None:
        """Start anew what was put before a person and is surely not at the provider."""
        for job in patiently(lambda: self._stack.listed(Kind.JOB)):
            if job.state != "unclear" or self._stack.all_runs()[job.data.title]:
                continue
            with contextlib.suppress(NotAnsweredError, RefusedError, WaitedInVainError):
                question = self._question(job)
                if question is not None:
                    self._stack.workspace.as_user(PEOPLE[0]).click(question, "start_anew")

    def _question(self, job: Record[Any]) -> Message | None:
        card = patiently(lambda: self._stack.outbox.ts(TEAM_ID, f"card:{job.ref.member}"))
        thread = self._stack.workspace.messages("#tuning", card) if card else []
        return next((m for m in reversed(thread) if "Start new (may pay twice)" in m.buttons), None)


def patiently(ask: Callable[[], Any]) -> Any:
    """Ask Redis, which may be dead for the moment."""
    while True:
        try:
            return ask()
        except UNAVAILABLE:
            time.sleep(0.05)


# --- the killer ------------------------------------------------------------------------------------------------------


@dataclass
class Held:
    """What a victim held when it died: the lease's token, and the version of the record."""

    key: str
    token: str
    version: str
    victim: str
    at: float


class Killer:
    """Kills one process after another, and watches how long what it held lies there."""

    def __init__(self, stack: LossyStack, chance: random.Random) -> None:
        self._stack = stack
        self._chance = chance
        self._lock = threading.Lock()
        self._held: list[Held] = []
        self.kills: Counter[str] = Counter()
        self.slack_lost = 0
        self.recovered: list[tuple[float, str]] = []
        self._over = threading.Event()

    def rampage(self, kills: int, until: float) -> None:
        """Kill so many times, or until time is up."""
        watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        watcher.start()
        while sum(self.kills.values()) < kills and time.monotonic() < until:
            time.sleep(self._chance.uniform(*PAUSE_S))
            if self._chance.random() < 0.3:
                self._lose_an_answer_of_slacks()
            self._kill(self._chance.choices(VICTIMS, WEIGHTS)[0])

    def _lose_an_answer_of_slacks(self) -> None:
        before = self._stack.workspace.switch()
        self.slack_lost += not before["drop_reply"]  # one that was not spent is not counted twice
        self._stack.workspace.switch(drop_reply={"method": self._chance.choice(SLACK_METHODS), "count": 1})

    def close(self, until: float) -> list[Held]:
        """Wait for what is still held by the dead; return what nobody took up."""
        while self._held and time.monotonic() < until:
            time.sleep(0.1)
        self._over.set()
        return self._held

    def _kill(self, victim: str) -> None:
        if victim == "redis":
            self._stack.redis.kill()
            self.kills["redis"] += 1
            time.sleep(self._chance.uniform(0, OUTAGE_S))
            self._stack.redis.start()
            return
        pid, _, held = self._at_work(victim)
        if not pid:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills[victim] += 1
            with self._lock:
                self._held += held

    def _at_work(self, victim: str) -> tuple[int, str, list[Held]]:
        """Wait a little for the victim to hold something: a death in idleness proves less."""
        deadline = time.monotonic() + self._chance.uniform(0, AT_WORK_S)
        while True:
            pid, what = self._pid(victim)
            held = self._leases(what) if pid else []
            if held or time.monotonic() >= deadline:
                return pid, what, held
            time.sleep(0.005)

    def _pid(self, victim: str) -> tuple[int, str]:
        """The process to kill, and whose leases die with it."""
        if victim in {"queue", "task"}:
            queue = self._chance.choice(("runs", "runs", "checks"))
            below = [pid for pid, command in _below(self._stack.pid("worker")) if f"--queue {queue}" in command]
            if not below or (victim == "task" and len(below) < 2):
                return 0, ""
            return (below[0], queue) if victim == "queue" else (below[-1], queue)
        return self._stack.pid(victim), victim

    def _leases(self, what: str) -> list[Held]:
        """What is held by whoever dies now; the killed worker takes its three queues with it."""
        kinds = {
            "runs": ("job",),
            "checks": ("dataset",),
            "prompts": ("prompt",),
            "worker": ("job", "dataset", "prompt"),
        }
        with self._stack.redis.client() as client:
            try:
                if what in kinds:
                    return list(self._records(client, "due:worker", kinds[what]))
                if what == "follower":
                    return list(self._records(client, "due:follower", ("job",)))
                return [*self._records(client, "due:fetcher", ("dataset",)), *self._channels(client)]
            except redis.ConnectionError:
                return []

    def _records(self, client: redis.Redis, due: str, kinds: tuple[str, ...]) -> Iterator[Held]:
        now_ms, victim = _now_ms(client), due
        for member in client.zrange(PREFIX + due, 0, -1):
            token, until, version = client.hmget(PREFIX + member, "lease_token", "lease_until", "version")
            if member.partition(":")[0] in kinds and int(until or 0) > now_ms:
                yield Held(PREFIX + member, token, version, victim, time.monotonic())

    def _channels(self, client: redis.Redis) -> Iterator[Held]:
        now_ms = _now_ms(client)
        for key in client.scan_iter(PREFIX + "lease:*"):
            token, until = client.hmget(key, "token", "until")
            if int(until or 0) > now_ms:
                yield Held(key, token, "", "channel", time.monotonic())

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            with self._lock:
                waiting = list(self._held)
            try:
                with self._stack.redis.client() as client:
                    back = [held for held in waiting if _moved(client, held)]
            except (redis.ConnectionError, redis.TimeoutError):
                continue
            with self._lock:
                for held in back:
                    self.recovered.append((time.monotonic() - held.at, held.victim))
                    self._held.remove(held)


def _now_ms(client: redis.Redis) -> int:
    seconds, micros = client.time()
    return seconds * 1000 + micros // 1000


def _moved(client: redis.Redis, held: Held) -> bool:
    """Whether somebody else has it, it has gone on, or there is nothing left to do."""
    if held.version:
        token, version = client.hmget(held.key, "lease_token", "version")
        return token != held.token or version != held.version
    return client.hget(held.key, "token") != held.token or client.hget(held.key, "until") == "0"


# --- the reckoning ---------------------------------------------------------------------------------------------------


def reckon(stack: LossyStack, stories: list[Story], expected: int) -> dict[str, Any]:
    """Compare what happened with what should have, for every file, job, event and post."""
    jobs, datasets = stack.listed(Kind.JOB), stack.listed(Kind.DATASET)
    runs = stack.all_runs()
    missing, doubled = Counter[str](), Counter[str]()
    for record, story in [*((d, DATASET_STORY) for d in datasets), *((j, JOB_STORY) for j in jobs)]:
        _compare(stack, record, story, missing, doubled)
    shown = _shown(stack)
    wanted = [f"card:{d.ref.member}" for d in datasets]
    for job in jobs:
        wanted += [f"card:{job.ref.member}", *(f"{view}:{job.ref.member}" for view in ("results", "ready"))]
    pictures = [
        (found, 1 + (job.data.evaluation is not None)) for found, job in zip(_pictures(stack, jobs), jobs, strict=True)
    ]
    counted = _counted_events(stack, jobs)
    requests = Counter(job.data.title for job in jobs)
    return {
        "requests": len(jobs),
        "requests_confirmed_twice": sum(times - 1 for times in requests.values()),
        "requests_never_confirmed": expected - len(requests),
        "paid_runs_per_request_max": max(
            (runs[story.name] - requests[story.name] + 1 for story in stories if requests[story.name]), default=0
        ),
        "requests_without_a_run": sum(not runs[name] for name in requests),
        "unfinished": sum(job.state != "ready" for job in jobs),
        "events_missing": missing.total() + counted["missing"],
        "events_doubled": doubled.total() + counted["doubled"],
        "events_of_records": {"missing": dict(missing), "doubled": dict(doubled)},
        "events_of_the_provider": counted,
        "posts_missing": sum(not shown[one] for one in wanted) + sum(max(0, due - found) for found, due in pictures),
        "posts_doubled": sum(times - 1 for times in shown.values())
        + sum(max(0, found - due) for found, due in pictures),
        "posts": shown.total() + sum(found for found, _ in pictures),
        "dead_letters": stack.outbox.dead_letters(TEAM_ID),
        "files_dropped_and_not_recorded": expected - len({dataset.data.filename for dataset in datasets}),
    }


def _compare(
    stack: LossyStack, record: Record[Any], story: list[str], missing: Counter[str], doubled: Counter[str]
) -> None:
    """A run may be over before anybody saw it running; a person who decides adds what they decided."""
    found = Counter(event["type"] for event in stack.events(record))
    anew = found["StartedAnew"]
    for name in story:
        times = found[name] - (anew if name == "RunIntended" else 0)
        # a request that the provider surely did not get is intended again: an event of its own each time
        times = min(times, 1) if name == "RunIntended" else times
        if times == 0 and name != "RunStarted":
            missing[name] += 1
        if times > 1:
            doubled[name] += times - 1


def _shown(stack: LossyStack) -> Counter[str]:
    roots = stack.workspace.messages("#tuning")
    said = {m.ts: m for root in roots for m in [root, *stack.workspace.messages("#tuning", root.ts)]}
    return Counter(m.metadata["event_payload"]["id"] for m in said.values() if m.is_bot and m.metadata)


def _pictures(stack: LossyStack, jobs: list[Record[Any]]) -> list[int]:
    found: list[int] = []
    for job in jobs:
        card = stack.outbox.ts(TEAM_ID, f"card:{job.ref.member}")
        thread = stack.workspace.messages("#tuning", card) if card else []
        found.append(sum(any(file.get("filetype") == "png" for file in m.files) for m in thread))
    return found


def _counted_events(stack: LossyStack, jobs: list[Record[Any]]) -> dict[str, int]:
    """The provider's own events of each run, against how many the follower has taken into the record."""
    counts = Counter({"there": 0, "missing": 0, "doubled": 0})
    for job in jobs:
        if not job.data.run:
            continue
        there = len(stack.ask_trainer(f"/fine_tuning/jobs/{job.data.run}/events?limit=1000")["data"])
        taken = job.data.progress.events
        counts["there"] += there
        counts["missing"] += max(0, there - taken)
        counts["doubled"] += max(0, taken - there)
    return dict(counts)


# --- all of it -------------------------------------------------------------------------------------------------------


def measure(arguments: argparse.Namespace, home: Path) -> dict[str, Any]:
    chance = random.Random(arguments.seed)
    began = time.monotonic()
    until = began + arguments.seconds
    variables = IN_TIME if arguments.lease == "product" else {}
    with LossyStack(home, random.Random(arguments.seed + 1), variables) as stack:
        people, killer = People(stack, until), Killer(stack, chance)
        acting = threading.Thread(target=people.act, args=(arguments.jobs,), name="people")
        acting.start()
        killer.rampage(arguments.kills, began + 0.7 * arguments.seconds)
        calmed = time.monotonic()
        stack.lossy.is_lossy = False
        acting.join()
        while time.monotonic() < until and not _is_done(stack, arguments.jobs):
            people.decide()
            time.sleep(0.5)
        left = killer.close(until)
        figures = reckon(stack, people.stories, arguments.jobs)
        times = [seconds for seconds, _ in killer.recovered]
        slowest = max(killer.recovered, default=(0.0, ""))
        figures |= {
            "recovery_s_max": round(slowest[0], 2),
            "recovery_s": spread(times, 2) | {"slowest": slowest[1], "never": [held.key for held in left]},
            "kills": sum(killer.kills.values()),
            "kills_of": dict(killer.kills),
            "replies_lost": {"provider": stack.lossy.lost, "slack": killer.slack_lost},
            "presses_not_answered": Counter(word for story in people.stories for word in story.trouble),
            "wall_s": round(time.monotonic() - began, 1),
            "settled_s_after_the_last_kill": round(time.monotonic() - calmed, 1),
        }
        if arguments.logs or _is_broken(figures):
            print(stack.logs(400), file=sys.stderr)
        return figures


def _is_done(stack: LossyStack, jobs: int) -> bool:
    found = patiently(lambda: stack.listed(Kind.JOB))
    ended = len(found) >= jobs and all(job.at.is_final for job in found)
    return ended and patiently(lambda: stack.outbox.pending(TEAM_ID)) == 0


def _is_broken(figures: dict[str, Any]) -> bool:
    zero = (
        "events_missing",
        "events_doubled",
        "posts_missing",
        "posts_doubled",
        "unfinished",
        "requests_without_a_run",
    )
    return figures["paid_runs_per_request_max"] != 1 or any(figures[name] for name in zero)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--kills", type=int, default=120)
    parser.add_argument("--seconds", type=float, default=900.0, help="the longest it may take")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--lease", choices=("product", "short"), default="product")
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--logs", action="store_true", help="print the processes' logs on standard error")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = measure(arguments, Path(name) / "home")
    report = {"seed": arguments.seed, "lease": arguments.lease, **figures}
    report |= {"machine": machine("slack-bolt", "openai", "rq", "redis")}
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 1 if _is_broken(figures) else 0


if __name__ == "__main__":
    sys.exit(main())
