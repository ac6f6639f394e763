"""The README's guide to a real workspace, walked: its own commands, on a workspace that stands in for Slack's."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot import manifest
from sandbox.client import Workspace
from tests.support.stack import KEYS
from tests.support.waiting import wait_for
from tuneroom.sandbox_services import OUTSIDE_PREFIXES
from tuneroom.settings import environment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.support.stack import Stack

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "finetune/samples/ticket-routing.jsonl"
GUIDE = (ROOT / "README.md").read_text(encoding="utf-8").partition("## A real workspace in five minutes")[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE.partition("\n## ")[0], flags=re.DOTALL)
PATIENCE_S = 240.0
pytestmark = pytest.mark.timeout(600)  # everything is started
BARE = {name: value for name, value in environment().items() if not name.startswith(OUTSIDE_PREFIXES)} | {
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
}


def line_with(words: str) -> str:
    """The guide's own line, without its indentation and its comment."""
    [found] = [line for block in BLOCKS for line in block.splitlines() if words in line]
    return found.strip().partition("  #")[0]


@contextlib.contextmanager
def process(command: list[str], variables: dict[str, str], log: Path) -> Generator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        running = subprocess.Popen(command, cwd=ROOT, env=BARE | variables, stdout=out, stderr=out)
    try:
        yield running
    except BaseException as error:
        error.add_note(log.read_text(errors="replace")[-4000:])
        raise
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[str]:
    """A workspace in which the app was made from the manifest, and its bot invited to a channel."""
    port, config = tmp_path / "slack.port", tmp_path / "slack.json"
    values = {"data_dir": str(tmp_path / "slack"), "port_file": str(port), "scopes": manifest.scope_names()}
    values |= {name: KEYS[name] for name in ("bot_token", "app_token", "signing_secret")}
    config.write_text(json.dumps(values))
    command = [sys.executable, "-P", "-m", "sandbox", "--config", str(config)]
    with process(command, {}, tmp_path / "slack.log"):
        yield f"http://127.0.0.1:{wait_for(lambda: port.exists() and port.read_text().strip(), timeout_s=60)}"


def test_two_tokens_are_enough_to_try_it_in_a_workspace(slack: str, tmp_path: Path) -> None:
    said = shlex.split(line_with("sandbox --real slack"))
    assert [word.partition("=")[0] for word in said[:2]] == ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]
    assert said[2:4] == ["./run", "tuneroom"]
    tokens = {"SLACK_BOT_TOKEN": KEYS["bot_token"], "SLACK_APP_TOKEN": KEYS["app_token"]}
    command = [sys.executable, "-P", "-m", *said[3:], "--home", str(tmp_path / "home")]
    with (
        process(command, tokens | {"SLACK_API_URL": f"{slack}/api/"}, tmp_path / "sandbox.log"),
        Workspace(slack) as workspace,
    ):
        workspace.wait_for_app(PATIENCE_S)
        dropped = workspace.as_user("mina").drop("#tuning", SAMPLE.name, SAMPLE.read_bytes())
        report = workspace.wait_for_message(
            "#tuning", "Ready to train", thread_ts=dropped.ts, where=lambda m: m.buttons, timeout_s=PATIENCE_S
        )
        assert report.buttons[0].startswith("Train (free")


def test_with_the_file_filled_in_the_doctor_finds_nothing_wrong(orderly_stack: Stack, tmp_path: Path) -> None:
    given = orderly_stack.environment
    filled = {
        name: given[name]
        for name in (
            "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL", "TUNEROOM_PROVIDER",
            "TUNEROOM_MODELS", "TUNEROOM_BLOB_URL",
        )
    }  # fmt: skip
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, value in filled.items():
        example, count = re.subn(rf"^{name}=.*$", f"{name}={value}", example, flags=re.MULTILINE)
        assert count == 1, f"{name} does not stand in .env.example"
    # what the guide adds where there is no Docker, and what only a stand-in for Slack needs
    assert "`REDIS_URL=redis://" in GUIDE
    example += f"REDIS_URL={given['REDIS_URL']}\nSLACK_API_URL={given['SLACK_API_URL']}\n"
    (tmp_path / ".env").write_text(example)
    doctor = line_with("tuneroom doctor").replace("./run tuneroom", f"exec {sys.executable} -P -m tuneroom")
    done = subprocess.run(
        ["sh", "-c", f"{line_with('. ./.env')}\n{doctor}"],
        cwd=tmp_path,
        env=BARE,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert (done.returncode, wrong) == (0, []), done.stdout + done.stderr


def test_each_command_of_the_guide_is_one_that_compose_and_the_product_know() -> None:
    said = {line.strip().partition("  #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()}
    assert {"docker compose run --rm doctor", "docker compose up -d"} <= said
    assert {f"./run tuneroom {name}" for name in ("doctor", "bot", "worker", "follower")} <= said
