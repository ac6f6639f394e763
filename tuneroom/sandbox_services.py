"""What the sandbox starts, in what order, and with which environment."""

from __future__ import annotations

import json
import secrets
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot import manifest
from bot.views.notices import COMMANDS
from finetune.errors import OperationalError
from jobstore.connections import UNAVAILABLE, connect
from sandbox.client import Workspace
from tuneroom import embedded_redis
from tuneroom.sandbox_front import Front
from tuneroom.settings import FURTHER_PROVIDERS, Settings, variable
from tuneroom.supervisor import Service, Supervisor
from tuneroom.unplug import Trainer, Unplug

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Mapping
    from pathlib import Path

START_S: Final = 120.0
"""A small machine that does other things, too, takes a minute; what dies meanwhile is started again."""
TOY: Final = {"usage": "toy model", "what": "The local trainer's model memorises a format and knows nothing."}
OUTSIDE_PREFIXES: Final = ("SLACK_", "OPENAI_", "REDIS_", "TUNEROOM_")
BELONGS: Final = {
    "slack": ("slack_bot_token", "slack_app_token", "slack_signing_secret", "slack_api_url"),
    "openai": ("openai_api_key", "openai_base_url"),
    "redis": ("redis_url",),
    **{name: (f"{name}_api_key", f"{name}_base_url") for name in FURTHER_PROVIDERS},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run: where it is kept, the page's port, which services are real, and the environment it started in."""

    home: Path
    port: int
    real: frozenset[str]
    settings: Settings
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where things are once they run; "" where the real service is used."""

    page: str
    trainer_url: str
    trainer_key: str
    redis: str
    supervisor: Supervisor


def start(plan: Plan, supervisor: Supervisor, closing: contextlib.ExitStack) -> Running:
    """Start every process and return when the bot is connected. `closing` ends what is no process of its own."""
    keys = _secrets(plan.home)
    own: dict[str, str] = {"TUNEROOM_BLOB_URL": str(plan.home / "blobs")}
    running = _Start(plan, supervisor, keys, closing)
    redis = running.redis(own)
    trainer_url = running.trainer(own)
    page = running.slack(own)
    environment = child_environment(plan, own)
    for name in ("bot", "worker", "follower"):
        running.service(name, [*_module("tuneroom"), name], environment)
    if page:
        with Workspace(page) as workspace:
            workspace.wait_for_app(START_S)
    return Running(page=page, trainer_url=trainer_url, trainer_key=keys["trainer"], redis=redis, supervisor=supervisor)


def child_environment(plan: Plan, own: Mapping[str, str]) -> dict[str, str]:
    """Return a child's environment: nothing of a real service that was not asked for by name.

    A key that lies about in the shell must never cost money, so every name that means something to us or to the
    SDKs is taken out, and only what was asked for is put back.
    """
    kept = {name: value for name, value in plan.environment.items() if not name.startswith(OUTSIDE_PREFIXES)}
    for service in plan.real:
        for field in BELONGS[service]:
            if plan.environment.get(variable(field)):
                kept[variable(field)] = plan.environment[variable(field)]
    fast = {
        "TUNEROOM_POLL_MIN_S": "0.5",
        # whoever unplugs something watches: what was lost is looked up, and asked about, sooner than in earnest
        "TUNEROOM_CREATE_DEADLINE_S": "8",
        "TUNEROOM_LOOKUP_GRACE_S": "4",
        "TUNEROOM_LOG_LEVEL": plan.settings.log_level,
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    real = {variable(field) for service in BELONGS.keys() - plan.real for field in BELONGS[service]}
    mine = {name: value for name, value in plan.environment.items() if name.startswith("TUNEROOM_")}
    return kept | fast | {name: value for name, value in mine.items() if name not in real} | dict(own)


def _secrets(home: Path) -> dict[str, str]:
    """Return the sandbox's own keys, made once and kept for its owner's eyes."""
    path = home / "secrets.json"
    if not path.exists():
        keys = {
            "bot_token": f"xoxb-local-{secrets.token_hex(12)}",
            "app_token": f"xapp-local-{secrets.token_hex(12)}",
            "signing_secret": secrets.token_hex(16),
            "trainer": f"local-{secrets.token_hex(12)}",
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(keys))
    return json.loads(path.read_text())


class _Start:
    """Starts one service after the other, adding to the environment what the later ones need to know."""

    def __init__(
        self, plan: Plan, supervisor: Supervisor, keys: Mapping[str, str], closing: contextlib.ExitStack
    ) -> None:
        self._closing = closing
        self._front: Front | None = None
        self._plan = plan
        self._supervisor = supervisor
        self._keys = keys
        self._base = child_environment(plan, {})

    def service(self, name: str, command: list[str], environment: Mapping[str, str], *, last: bool = False) -> None:
        log = self._plan.home / "logs" / f"{name}.log"
        self._supervisor.start(
            Service(name=name, command=command, environment=environment, log_file=log, stop_last=last)
        )

    def redis(self, own: dict[str, str]) -> str:
        if "redis" in self._plan.real:
            return ""
        socket = embedded_redis.socket_of(self._plan.home)
        self.service("redis", embedded_redis.command(self._plan.home, socket), self._base, last=True)
        own["REDIS_URL"] = f"unix://{socket}"
        _until(lambda: _answers(own["REDIS_URL"]), "the Redis server", self._plan)
        return own["REDIS_URL"]

    def trainer(self, own: dict[str, str]) -> str:
        if "openai" in self._plan.real:
            return ""
        key_file, port_file = self._plan.home / "trainer.key", self._plan.home / "trainer.port"
        key_file.touch(mode=0o600)
        key_file.write_text(self._keys["trainer"])
        data = self._plan.home / "trainer"
        port = _kept_port(port_file)
        port_file.unlink(missing_ok=True)
        command = [
            *_module("trainer"),
            *("--host", "127.0.0.1", "--port", str(port), "--port-file", str(port_file)),
            *("--data-dir", str(data), "--api-key-file", str(key_file), "--trial"),
        ]
        self.service("trainer", command, self._base)
        found = _until(lambda: _port(port_file), "the trainer", self._plan)
        self._front = self._closing.enter_context(_front(self._plan.home / "front.port", port_file))
        further = [name for name in FURTHER_PROVIDERS if name in self._plan.real]
        own |= {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self._front.port}/v1",
            "OPENAI_API_KEY": self._keys["trainer"],
            "TUNEROOM_PROVIDER": ",".join(["trainer", *further]),
            "TUNEROOM_MODELS": "",  # what is open at the trainer, and at the real ones asked for
        }
        return f"http://127.0.0.1:{found}/v1"

    def slack(self, own: dict[str, str]) -> str:
        if "slack" in self._plan.real:
            return ""
        port_file, config = self._plan.home / "slack.port", self._plan.home / "slack.json"
        port_file.unlink(missing_ok=True)
        unplug = self._closing.enter_context(self._unplug())
        values = {
            "host": "127.0.0.1",
            "port": self._plan.port,
            "port_file": str(port_file),
            "data_dir": str(self._plan.home / "slack"),
            "events_url": None,
            "scopes": manifest.scope_names(),  # no more than Slack would grant
            "hints": [{"usage": usage, "what": what} for usage, what in COMMANDS.values()],
            "badges": [TOY] if self._front else [],
            "shortcuts": [{name: one[name] for name in ("name", "callback_id")} for one in _shortcuts()],
            "controls": unplug.controls,
            "figures_url": unplug.figures_url,
            **{name: self._keys[name] for name in ("bot_token", "app_token", "signing_secret")},
        }
        config.touch(mode=0o600)
        config.write_text(json.dumps(values))
        self.service("slack", [*_module("sandbox"), "--config", str(config)], self._base)
        port = _until(lambda: _port(port_file), "the local workspace", self._plan)
        config.write_text(json.dumps(values | {"port": port}))  # started anew, it is where everybody knows it to be
        page = f"http://127.0.0.1:{port}"
        own |= {"SLACK_API_URL": f"{page}/api/", "SLACK_BOT_TOKEN": self._keys["bot_token"]}
        own |= {"SLACK_APP_TOKEN": self._keys["app_token"]}
        return page

    def _unplug(self) -> Unplug:
        """What may be broken from the page, of what is ours."""
        trainer = None
        if self._front is not None:
            port_file = self._plan.home / "trainer.port"
            trainer = Trainer(lambda: f"http://127.0.0.1:{_port(port_file) or 0}/v1", self._keys["trainer"])
        return Unplug(self._supervisor, self._front, trainer, has_redis="redis" not in self._plan.real)


def _front(kept: Path, upstream: Path) -> Front:
    """The door before the trainer, where it was last time if nobody else is there."""
    try:
        front = Front(lambda: _port(upstream), port=_kept_port(kept))
    except OSError:
        front = Front(lambda: _port(upstream))
    kept.write_text(str(front.port))
    return front


def _shortcuts() -> list[dict[str, str]]:
    return manifest.manifest()["features"]["shortcuts"]


def _module(name: str) -> list[str]:
    return [sys.executable, "-P", "-m", name]


def _until(ask: Callable[[], Any], what: str, plan: Plan) -> Any:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if (answer := ask()) not in {None, False}:
            return answer
        time.sleep(0.05)
    logs = plan.home / "logs"
    raise OperationalError(f"waited {START_S:.0f} s for {what}; its log is in {logs}")


def _kept_port(port_file: Path) -> int:
    """The port it had last time: runs that are under way know the trainer by it."""
    return _port(port_file) or 0


def _port(port_file: Path) -> int | None:
    try:
        return int(port_file.read_text())
    except (OSError, ValueError):
        return None


def _answers(url: str) -> bool:
    try:
        client = connect(url)
        return client.ping()
    except UNAVAILABLE:
        return False
