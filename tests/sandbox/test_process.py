"""The workspace as a process: its command, its port file, its state on disk."""

import dataclasses
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.config import ConfigError, SandboxConfig, read_config
from sandbox.server import running
from sandbox.store import Store

ROOT = Path(__file__).parents[2]
Start = Callable[[], tuple["subprocess.Popen[bytes]", str]]


@pytest.fixture
def config_file(config: SandboxConfig, tmp_path: Path) -> Path:
    written = {
        "data_dir": str(config.data_dir),
        "bot_token": config.bot_token,
        "app_token": config.app_token,
        "signing_secret": config.signing_secret,
        "events_url": None,
        "host": "127.0.0.1",
        "port": 0,
        "port_file": str(tmp_path / "port"),
    }
    path = tmp_path / "sandbox.json"
    path.write_text(json.dumps(written), encoding="utf-8")
    return path


@pytest.fixture
def start(config_file: Path, tmp_path: Path) -> Generator[Start]:
    """Start `python -m sandbox`; its port is known when it listens."""
    with ExitStack() as processes:

        def start() -> tuple["subprocess.Popen[bytes]", str]:
            port_file = tmp_path / "port"
            port_file.unlink(missing_ok=True)
            command = [sys.executable, "-m", "sandbox", "--config", str(config_file)]
            process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
            processes.enter_context(process)
            processes.callback(process.kill)
            while not port_file.exists():
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
            return process, f"http://127.0.0.1:{port_file.read_text(encoding='utf-8').strip()}"

        yield start


def test_a_killed_workspace_comes_back_with_everything_it_had_answered(start: Start) -> None:
    process, url = start()
    with Workspace(url) as workspace:
        mina = workspace.as_user("mina")
        dropped = mina.drop("#tuning", "tickets.jsonl", b'{"a": 1}\n')
        mina.say("#tuning", "a reply", thread_ts=dropped.ts)
        mina.invite_bot("#general")
        process.send_signal(signal.SIGKILL)
        process.wait()
    process, url = start()
    with Workspace(url) as workspace:
        texts = [message.text for message in workspace.messages("#tuning", dropped.ts)]
        assert texts == ["[file: tickets.jsonl]", "a reply"]
        assert workspace.file_content(dropped.files[0]["id"]) == b'{"a": 1}\n'
        later = workspace.as_user("mina").say("#tuning", "later")
        assert later.ts > dropped.ts
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) in {0, -signal.SIGTERM}


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path: Path) -> None:
    journal = tmp_path / "workspace.jsonl"
    store = Store(journal)
    store.put("message", "C1:1", {"text": "whole"})
    store.close()
    with journal.open("a", encoding="utf-8") as torn:
        torn.write('{"seq": 2, "kind": "message", "key": "C1:2", "val')
    again = Store(journal)
    again.close()
    assert again.table("message") == {"C1:1": {"text": "whole"}}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.com", "::"])
def test_only_loopback_is_served(config: SandboxConfig, host: str) -> None:
    with pytest.raises(ConfigError, match="loopback only"):
        dataclasses.replace(config, host=host)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"colour": "red"}, "unknown fields colour"), ({"bot_token": None}, "missing fields bot_token")],
)
def test_a_configuration_that_cannot_be_used_says_why(
    config_file: Path, change: dict[str, Any], complaint: str
) -> None:
    changed = {**json.loads(config_file.read_text(encoding="utf-8")), **change}
    kept = {name: value for name, value in changed.items() if value is not None}
    config_file.write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(ConfigError, match=complaint):
        read_config(config_file)


def test_two_workspaces_of_one_directory_start_one_after_the_other(config: SandboxConfig) -> None:
    for number in range(2):
        with running(config) as url, Workspace(url) as workspace:
            workspace.as_user("jun").say("#tuning", f"round {number}")
            assert len(workspace.messages("#tuning")) == number + 1
