"""How one local workspace is set up."""

import ipaddress
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class ConfigError(ValueError):
    """The configuration cannot be used; the message says which field and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A few words and what they mean: a command offered to who types, a badge beside a channel's name."""

    usage: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """A message shortcut of the app, as its manifest names it."""

    name: str
    callback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Something outside the workspace that a person may break: a POST to `url` does it, and may answer {"said": …}."""

    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    """Where the workspace listens, where it keeps its state, and the secrets it shares with the app.

    `events_url` null means Socket Mode; otherwise events, interactions and commands go there, signed.
    `controls` are offered on the page; `figures_url` answers a GET with what to show beside them:
    {"figures": [[label, value], …], "busy": whether now is the time to press one, "said": a sentence}.
    `scopes` are what the bot token was granted; none named: whatever the methods here need.
    Times are in seconds. `retry_delays_s` is Slack's schedule (at once, 1 min, 5 min), shortened for one machine.
    """

    data_dir: Path
    bot_token: str
    app_token: str
    signing_secret: str
    host: str = "127.0.0.1"
    port: int = 0
    events_url: str | None = None
    port_file: Path | None = None
    bot_name: str = "tuneroom"
    commands: tuple[str, ...] = ("/tune",)
    hints: tuple[Hint, ...] = ()
    badges: tuple[Hint, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    controls: tuple[Control, ...] = ()
    figures_url: str = ""
    scopes: tuple[str, ...] = ()
    events: tuple[str, ...] = (
        "message",
        "app_mention",
        "file_shared",
        "member_joined_channel",
        "member_left_channel",
        "app_home_opened",
    )
    ack_timeout_s: float = 3.0
    retry_delays_s: tuple[float, ...] = (0.2, 2.0, 10.0)
    trigger_ttl_s: float = 3.0
    reconnect_grace_s: float = 300.0

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            msg = f"host {self.host!r}: the local workspace has no login, so it listens on loopback only (127.0.0.1)"
            raise ConfigError(msg)


def is_loopback(host: str) -> bool:
    """Say whether `host` is an address only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_config(path: Path) -> SandboxConfig:
    """Read the JSON configuration file that `python -m sandbox --config FILE` names."""
    raw: Json = json.loads(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(SandboxConfig)}
    if unknown := sorted(set(raw) - known):
        raise ConfigError(f"{path}: unknown fields {', '.join(unknown)}")
    if missing := sorted({"data_dir", "bot_token", "app_token", "signing_secret"} - set(raw)):
        raise ConfigError(f"{path}: missing fields {', '.join(missing)}")
    for name in ("data_dir", "port_file"):
        if raw.get(name) is not None:
            raw[name] = Path(raw[name])
    for name in ("commands", "events", "scopes", "retry_delays_s"):
        if name in raw:
            raw[name] = tuple(raw[name])
    for name, made in (("hints", Hint), ("badges", Hint), ("shortcuts", Shortcut), ("controls", Control)):
        raw[name] = tuple(made(**one) for one in raw.get(name, ()))
    return SandboxConfig(**raw)
