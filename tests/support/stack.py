"""Everything that runs when Tuneroom runs, as real processes that know each other by the environment alone.

with Stack(home) as stack:
    mina = stack.workspace.as_user("mina")
    ...
    stack.strike("create.posted")   # the next process to reach that point is SIGKILLed there
    stack.kill("bot")               # started again at once, as under `tuneroom sandbox`
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import openai

from bot import manifest
from jobstore.connections import connect
from jobstore.outbox import Outbox
from jobstore.records import Ref
from jobstore.states import Kind
from jobstore.store import Store
from sandbox.client import Workspace
from sandbox.people import TEAM_ID
from tests.support.ports import free_port
from tests.support.provider_front import ProviderFront
from tests.support.valkey import Server
from tests.support.waiting import wait_for
from tuneroom.sandbox_services import OUTSIDE_PREFIXES
from tuneroom.settings import environment
from tuneroom.supervisor import Service, Supervisor

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from types import TracebackType

    from jobstore.jobs import Job
    from jobstore.records import Record

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 120.0
LOG_TAIL: Final = 40
LEASE_S: Final = 3.0
TIMINGS: Final = {
    "TUNEROOM_LEASE_S": str(LEASE_S),
    "TUNEROOM_CREATE_DEADLINE_S": "1.5",
    "TUNEROOM_LOOKUP_GRACE_S": "1",
    "TUNEROOM_RETRY_BASE_S": "0.2",
    "TUNEROOM_RETRY_MAX_S": "2",
    "TUNEROOM_POLL_MIN_S": "0.3",
    "TUNEROOM_POLL_MAX_S": "1",
}
DEATHS_OF_BOT: Final = ("dataset.recorded", "fetch.stored", "delivery.begun", "delivery.sent", "file.uploaded")
KEYS: Final = {
    "bot_token": "xoxb-of-the-tests",
    "app_token": "xapp-of-the-tests",
    "signing_secret": "signing-secret-of-the-tests",
    "trainer": "key-of-the-tests",
}


class Stack:
    """A server, the trainer behind `front`, the local workspace, and the bot, the workers and the follower.

    `home` is a folder of its own. `by_http`: Slack reaches the bot by signed HTTP; otherwise by Socket Mode.
    `variables` are set over the short timings that tests want.
    """

    def __init__(self, home: Path, *, by_http: bool = False, variables: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._by_http = by_http
        self._faults = home / "faults"
        self._faults.mkdir(parents=True)
        kept = {name: value for name, value in environment().items() if not name.startswith(OUTSIDE_PREFIXES)}
        self._base = kept | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._variables = dict(variables or {})
        self._struck_pids: dict[str, tuple[int, int]] = {}
        self._supervisor = Supervisor()
        self._watching = threading.Thread(target=self._supervisor.watch, name="stack-supervisor", daemon=True)
        self._closing = contextlib.ExitStack()
        self.redis = Server()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException as error:
            error.add_note(self.logs())
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End every process that was started, the server last."""
        self._supervisor.stop()
        if self._watching.is_alive():
            self._watching.join(10)
        self._closing.close()
        self.redis.close()

    def _start(self) -> None:
        self.redis.start()
        connection = connect(self.redis.url)
        self._closing.callback(connection.close)
        self.store, self.outbox = Store(connection), Outbox(connection)
        self._start_trainer()
        page = self._start_workspace()
        self.environment = self._base | self._product() | TIMINGS | self._variables
        for name in ("bot", "worker", "follower"):
            self._serve(name, [*_module("tuneroom"), name], self.environment)
        self._watching.start()
        self.workspace = Workspace(page)
        self._closing.callback(self.workspace.close)
        self.workspace.wait_for_app(START_S)
        self._wait_for_workers()

    def _start_trainer(self) -> None:
        key, port = self.home / "trainer.key", self.home / "trainer.port"
        key.write_text(KEYS["trainer"])
        # a fixed port: the front and the workers must find it again after it was killed
        command = [*_module("trainer"), "--port", str(free_port()), "--port-file", str(port)]
        command += ["--data-dir", str(self.home / "trainer"), "--api-key-file", str(key)]
        self._serve("trainer", command, self._base)
        self.trainer_url = f"http://127.0.0.1:{wait_for(lambda: _read(port), timeout_s=START_S)}/v1"
        self.front = ProviderFront(self.trainer_url)
        self._closing.callback(self.front.close)

    def _start_workspace(self) -> str:
        port, config = self.home / "slack.port", self.home / "slack.json"
        self._http_port = free_port() if self._by_http else 0
        values = {
            "data_dir": str(self.home / "slack"),
            "port_file": str(port),
            "events_url": f"http://127.0.0.1:{self._http_port}/slack/events" if self._by_http else None,
            "scopes": manifest.scope_names(),
            **{name: KEYS[name] for name in ("bot_token", "app_token", "signing_secret")},
        }
        config.write_text(json.dumps(values))
        self._serve("slack", [*_module("sandbox"), "--config", str(config)], self._base)
        return f"http://127.0.0.1:{wait_for(lambda: _read(port), timeout_s=START_S)}"

    def _product(self) -> dict[str, str]:
        """What an operator would set."""
        page = _read(self.home / "slack.port")
        way_in = (
            {"SLACK_SIGNING_SECRET": KEYS["signing_secret"], "TUNEROOM_HTTP_PORT": str(self._http_port)}
            if self._by_http
            else {"SLACK_APP_TOKEN": KEYS["app_token"]}
        )
        return {
            "SLACK_API_URL": f"http://127.0.0.1:{page}/api/",
            "SLACK_BOT_TOKEN": KEYS["bot_token"],
            **way_in,
            "REDIS_URL": self.redis.url,
            "OPENAI_BASE_URL": self.front.url,
            "OPENAI_API_KEY": KEYS["trainer"],
            "TUNEROOM_PROVIDER": "trainer",
            "TUNEROOM_MODELS": "toy-gpt",
            "TUNEROOM_BLOB_URL": str(self.home / "blobs"),
            "TUNEROOM_FAULT_FOLDER": str(self._faults),
        }

    def _serve(self, name: str, command: list[str], variables: Mapping[str, str]) -> None:
        log = self.home / "logs" / f"{name}.log"
        self._supervisor.start(Service(name=name, command=command, environment=variables, log_file=log))

    def _wait_for_workers(self) -> None:
        """A first task would otherwise wait for imports, and a test would time that."""
        with self.redis.client() as client:
            wait_for(lambda: int(client.scard("rq:workers") or 0) >= 3, timeout_s=START_S)

    # What a test does to it

    def strike(self, point: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Signal the next process that reaches `point`."""
        self._struck_pids[point] = (self.pid("bot"), self.pid("follower"))
        order = self._faults / f"{point}.written"
        order.write_text(how.name)
        order.rename(self._faults / point)

    def stopped(self, name: str) -> int:
        """Return the id of the process below a service that a signal has stopped, once there is one."""

        def look() -> int:
            states = subprocess.run(["ps", "-axo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
            are = {int(pid) for pid, state in (line.split() for line in states.splitlines()) if state.startswith("T")}
            return next((pid for pid, _ in _below(self.pid(name)) if pid in are), 0)

        return wait_for(look, timeout_s=START_S)

    @contextlib.contextmanager
    def second(self, *words: str) -> Generator[None]:
        """Run one more process of the product for a while: `second("worker", "--queue", "runs")`."""
        log = self.home / "logs" / f"second-{words[0]}.log"
        with (
            log.open("ab") as lines,
            subprocess.Popen(
                [*_module("tuneroom"), *words], env=self.environment, stdin=subprocess.DEVNULL, stderr=lines
            ) as process,
        ):
            try:
                yield
            finally:
                process.kill()

    def wait_until_struck(self, point: str) -> None:
        """Return once a process has died at `point` since `strike`, and Slack reaches the bot (again)."""
        wait_for(lambda: not (self._faults / point).exists(), timeout_s=START_S)
        bot, follower = self._struck_pids[point]
        if point in DEATHS_OF_BOT:
            wait_for(lambda: self.pid("bot") != bot, timeout_s=START_S)
        if point == "follow.polled":
            wait_for(lambda: self.pid("follower") != follower, timeout_s=START_S)
        self.workspace.wait_for_app(START_S)

    def disarm(self) -> None:
        """Take back every strike that has not happened."""
        for order in self._faults.iterdir():
            order.unlink(missing_ok=True)

    @contextlib.contextmanager
    def without_front(self) -> Generator[None]:
        """Let nobody reach the provider for a while: its port refuses."""
        self.front.close()
        try:
            yield
        finally:
            self.front.open()

    @contextlib.contextmanager
    def month_spent(self, usd: float, account: str = "") -> Generator[None]:
        """Let this month have spent so much more in an account, by default everybody's, for a while."""
        below = f":{account}" if account else ""
        key, micros = f"tuneroom:{{{TEAM_ID}}}:spend:{datetime.now(UTC):%Y-%m}{below}", round(usd * 1_000_000)
        with self.redis.client() as client:
            client.hincrby(key, "spent_micros", micros)
            try:
                yield
            finally:
                client.hincrby(key, "spent_micros", -micros)

    def start_run(self, suffix: str, data: bytes) -> str:
        """Create a run at the trainer, as somebody might by hand; return its id."""
        client = openai.OpenAI(api_key=KEYS["trainer"], base_url=self.trainer_url, max_retries=0)
        file = client.files.create(file=("rows.jsonl", data), purpose="fine-tune")
        run = client.fine_tuning.jobs.create(model="toy-gpt", training_file=file.id, suffix=suffix)
        client.close()
        return run.id

    def forgive(self) -> None:
        """Let what died before be started at once when it dies again: the supervisor waits longer each time."""
        for kept in self._supervisor._kept.values():
            kept.restarts = 0

    def pid(self, name: str) -> int:
        """Return the process id of "bot", "worker", "follower", "trainer" or "slack"."""
        return self._supervisor.pid(name)

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Signal a service, and return once it has ended; it is started again at once."""
        pid = self.pid(name)
        os.kill(pid, how)
        wait_for(lambda: self.pid(name) != pid, timeout_s=START_S)

    def stop_gently(self, name: str) -> list[str]:
        """SIGTERM a service; return what it still held of jobs, or the bot of channels, when it had just ended."""
        self.kill(name, signal.SIGTERM)
        with self.redis.client() as client:
            if name == "bot":
                channels = client.scan_iter(f"tuneroom:{{{TEAM_ID}}}:lease:*")
                return [key for key in channels if client.hget(key, "until") != "0"]
            its_own = [job for job in self.listed(Kind.JOB) if job.at.actor.value == name]
            jobs = [f"tuneroom:{{{TEAM_ID}}}:{job.ref.member}" for job in its_own]
            return [key for key in jobs if client.hget(key, "lease_until") != "0"]

    def kill_one_below(self, name: str, words: str, how: signal.Signals = signal.SIGKILL) -> int:
        """Signal the newest process below a service whose command line holds `words`, once there is one; its id."""
        found = wait_for(lambda: [pid for pid, command in _below(self.pid(name)) if words in command], timeout_s=60)
        os.kill(found[-1], how)
        return found[-1]

    # What a test looks at

    def get(self, handle: str) -> Record[Any]:
        """Return the record called "d1", "j1" or "p1" as it stands."""
        kind = {"d": Kind.DATASET, "j": Kind.JOB, "p": Kind.PROMPT, "c": Kind.COMPARISON}[handle[0]]
        record = self.store.get(Ref(TEAM_ID, kind, handle))
        assert record is not None, f"there is no {handle}"
        return record

    def listed(self, kind: Kind, channel: str = "#tuning", limit: int = 500) -> list[Record[Any]]:
        """Return a channel's records of a kind, newest first."""
        return self.store.listed(TEAM_ID, kind, self.workspace.channel_id(channel), limit=limit)

    def jobs(self, title: str) -> list[Record[Job]]:
        """Return the jobs of a name, in every channel they may be in."""
        return [job for channel in ("#tuning", "mina", "jun") for job in self.listed(Kind.JOB, channel)
                if job.data.title == title]  # fmt: skip

    def events(self, record: Record[Any]) -> list[dict[str, Any]]:
        """Return a record's events, oldest first."""
        return self.store.events(record.ref)

    def runs(self, suffix: str) -> list[dict[str, Any]]:
        """Return the runs that the trainer has under a name, asked behind the front's back."""
        found = self.ask_trainer("/fine_tuning/jobs?limit=100")["data"]
        return [run for run in found if run["user_provided_suffix"] == suffix]

    def ask_trainer(self, path: str) -> dict[str, Any]:
        """Ask the trainer behind the front's back."""
        key = {"Authorization": f"Bearer {KEYS['trainer']}"}
        with urllib.request.urlopen(urllib.request.Request(self.trainer_url + path, headers=key), timeout=30) as answer:
            return json.loads(answer.read())

    def fill_buckets(self) -> None:
        """Give Slack's rates back in full: a test must not wait for the tokens that those before it used up."""
        with self.redis.client() as client:
            for key in client.scan_iter("tuneroom:*:bucket:*"):
                client.delete(key)

    def logs(self, lines: int = LOG_TAIL) -> str:
        """Return the ends of all logs."""
        tails = [
            f"== {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
            for log in sorted((self.home / "logs").glob("*.log"))
        ]
        return "\n".join(tails)

    def story(self) -> str:
        """Return what was said and what was logged: what to read when a test fails."""
        said = self.workspace.overview() if hasattr(self, "workspace") else ""
        return f"{said}\n{self.logs()}"


def _module(name: str) -> list[str]:
    return [sys.executable, "-P", "-m", name]


def _read(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _below(pid: int) -> list[tuple[int, str]]:
    """Return (id, command line) of every process below one, oldest first."""
    # -ww: where COLUMNS is set, as by many CI services, ps cuts the command lines off there
    listing = subprocess.run(["ps", "-axwwo", "pid=,ppid=,command="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    parents = {int(row[0]): (int(row[1]), row[2] if len(row) > 2 else "") for row in rows}

    def is_below(one: int) -> bool:
        while one in parents and one != pid:
            one = parents[one][0]
        return one == pid

    return sorted((one, command) for one, (_, command) in parents.items() if one != pid and is_below(one))


def fresh_name(stem: str) -> str:
    """Return a name that no other test uses: `stem-1a2b3c`."""
    return f"{stem}-{secrets.token_hex(3)}"
