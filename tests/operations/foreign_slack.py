"""The conversation on a Slack server that is not ours: local-slack, by Socket Mode.

python -m tests.operations.foreign_slack --bun PATH/TO/bun --local-slack CHECKOUT

local-slack (github.com/parvalabs/local-slack, MIT; `bun install` in its checkout) carries sockets, channels, threads,
commands, buttons, modals, ephemeral messages and the Home; it has no files. So the dataset is a template's, which a
command brings, and what is a file of Slack's is refused there. Prints what happened; exits 1 where it did not. Not
collected by pytest: nothing of it is in our lock (docs/adr/0018-other-slack-servers.md says what was found).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect as dial

from jobstore.connections import connect
from jobstore.outbox import Outbox
from jobstore.states import Kind
from jobstore.store import Store
from tests.support.stack import KEYS, TIMINGS, Stack
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.sync.client import ClientConnection

TEAM, CHANNEL, MINA, BOT = "T01TEST", "C01TUNING", "U01MINA", "U0BOT"
PATIENCE_S = 120.0
Json = dict[str, Any]


class Foreign(Stack):
    """Everything of ours, and in place of our workspace somebody else's."""

    def __init__(self, home: Path, bun: str, checkout: Path) -> None:
        super().__init__(home)
        self._bun, self._checkout = bun, checkout
        self.url = ""

    def _start(self) -> None:
        self.redis.start()
        redis = connect(self.redis.url)
        self._closing.callback(redis.close)
        self.store, self.outbox = Store(redis), Outbox(redis)
        self._start_trainer()
        self.url = self._start_workspace()
        self.environment = self._base | self._product() | TIMINGS
        for name in ("bot", "worker", "follower"):
            self._serve(name, [sys.executable, "-P", "-m", "tuneroom", name], self.environment)
        self._watching.start()
        self._wait_for_workers()
        wait_for(self._connected, timeout_s=PATIENCE_S)

    def _start_workspace(self) -> str:
        from tests.support.ports import free_port  # noqa: PLC0415 - its own business, and here the same

        port, config = free_port(), self.home / "local-slack.json"
        config.write_text(json.dumps(_workspace()))
        command = [self._bun, str(self._checkout / "server/src/cli.ts"), "--config", str(config)]
        self._serve("slack", [*command, "--port", str(port), "--base-host", "127.0.0.1"], self._base)
        (self.home / "slack.port").write_text(str(port))
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(f"{url}/_control/state"), timeout_s=PATIENCE_S)
        return url

    def _connected(self) -> bool:
        return any("socket connected" in line["summary"] for line in self.get_json("/_control/log")["log"])

    def get_json(self, path: str) -> Json:
        """Ask the server's control address."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=20) as answer:
            return json.loads(answer.read())

    def do(self, path: str, **body: Any) -> Json:
        """Do something as a person would."""
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def messages(self) -> list[Json]:
        """Return what the bot has said, oldest first, edits included."""
        found: list[Json] = self.get_json(f"/_control/messages/{CHANNEL}")["messages"]
        return [message for message in found if message.get("bot_id")]

    def said(self, text: str, where: Callable[[Json], bool] = lambda _: True) -> Json:
        """Wait for a message of the bot's that shows a text."""

        def look() -> Json | None:
            return next((m for m in self.messages() if text in json.dumps(m, ensure_ascii=False) and where(m)), None)

        return wait_for(look, timeout_s=PATIENCE_S)


class Screen:
    """A person's window: local-slack tells it which modal is open, and takes what is submitted."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def modal(self, callback: str) -> Json:
        """Wait for a modal to open."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            told = json.loads(self._socket.recv(timeout=PATIENCE_S))
            view = (told.get("stack") or told.get("modalStack") or [None])[-1] or told.get("view")
            if told["t"] == "view" and view and view.get("callback_id") == callback:
                return view
        raise TimeoutError(callback)

    def submit(self, **values: Json) -> None:
        """Send the open modal with these values, by block id."""
        self._socket.send(json.dumps({"t": "view_submit", "user": MINA, "values": values}))


def main() -> int:
    """Act the conversation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bun", required=True)
    parser.add_argument("--local-slack", required=True, type=Path)
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="tuneroom-foreign-"))
    with Foreign(home / "home", asked.bun, asked.local_slack) as stack:
        try:
            with dial(stack.url.replace("http", "ws") + "/ui", max_size=None, proxy=None) as socket:
                act(stack, Screen(socket))
        except Exception as error:
            error.add_note(stack.logs())
            raise
        finally:
            tell(stack)
    shutil.rmtree(home)
    return 0


def act(stack: Foreign, screen: Screen) -> None:
    """Home, a template, its report, the form, the run, the model, a question."""
    stack.do("/_control/open-home", user=MINA)
    step("Home", wait_for(lambda: _home(stack), timeout_s=PATIENCE_S))
    stack.do("/_control/command", channel=CHANNEL, user=MINA, command="/tune", text="templates sentiment")
    report = stack.said("Ready to train")
    step("report", report["text"])
    press(stack, report, "train")
    form = screen.modal("launch")
    step("form", ", ".join(_filled(form)))
    screen.submit(**_values(form, suffix="elsewhere", epochs="3"))
    card = stack.said("elsewhere", lambda m: not m.get("thread_ts"))
    step("card", card["text"])
    card = stack.said("Ready.", lambda m: m["ts"] == card["ts"])
    step("ready", card["text"])
    step("notice", stack.said("answers: it is model", lambda m: m.get("thread_ts") == card["ts"])["text"])
    press(stack, card, "try_model")
    form = screen.modal("try")
    screen.submit(**_values(form, prompt="My parcel has not arrived."))
    step("answer", stack.said("Try again", lambda m: m.get("thread_ts") == card["ts"])["text"])
    stack.do("/_control/command", channel=CHANNEL, user=MINA, command="/tune", text="show j1")
    step("/tune show", stack.said("Confirmed", lambda m: m.get("subtype") == "ephemeral")["text"])


def press(stack: Foreign, message: Json, action: str) -> None:
    """Press a button of a message."""
    [found] = [
        one for block in message["blocks"] for one in block.get("elements", []) if one.get("action_id") == action
    ]
    pressed = {"type": "button", "action_id": action, "block_id": "b", "value": found["value"], "text": found["text"]}
    stack.do("/_control/interact", channel=CHANNEL, messageTs=message["ts"], user=MINA, action=pressed)


def step(name: str, what: str) -> None:
    """Say that a step happened."""
    sys.stdout.write(f"{name:<11}{what[:150]!r}\n")
    sys.stdout.flush()


def tell(stack: Foreign) -> None:
    """Print which methods were called how often, what was refused there, and what our record says of it."""
    log: list[Json] = stack.get_json("/_control/log")["log"]
    counts: dict[str, int] = {}
    for line in log:
        if line.get("dir", line.get("direction")) != "to_bot":
            counts[line["summary"]] = counts.get(line["summary"], 0) + 1
    for summary in sorted(name for name in counts if not name.startswith("ack ")):
        sys.stdout.write(f"  {counts[summary]:4} {summary}\n")
    letters = stack.outbox.dead_letters(TEAM)
    sys.stdout.write(f"dead letters: {[(one['delivery'], one['reason']) for one in letters]}\n")
    for kind in Kind:
        states = [f"{one.ref.id} {one.state}" for one in stack.store.newest(TEAM, kind)]
        sys.stdout.write(f"{kind.value}s: {states}\n")


def _home(stack: Foreign) -> str:
    calls = [line for line in stack.get_json("/_control/log")["log"] if line["summary"] == "views.publish"]
    return json.dumps(calls[-1])[:150] if calls else ""


def _filled(form: Json) -> list[str]:
    return [f"{block['label']['text']}" for block in form["blocks"] if block["type"] == "input"]


def _values(form: Json, **given: str) -> dict[str, Json]:
    """Return the values of a form as it opened, some of them typed over."""
    values: dict[str, Json] = {}
    for block in (block for block in form["blocks"] if block["type"] == "input"):
        element, name = block["element"], block["block_id"]
        if element["type"] == "plain_text_input":
            value = {"type": element["type"], "value": given.get(name, element.get("initial_value"))}
        else:
            value = {"type": element["type"], "selected_option": element.get("initial_option")}
        values[name] = {element["action_id"]: value}
    return values


def _workspace() -> Json:
    tokens = {"botToken": KEYS["bot_token"], "appToken": KEYS["app_token"], "signingSecret": KEYS["signing_secret"]}
    return {
        "workspace": {"name": "Elsewhere", "domain": "elsewhere", "teamId": TEAM},
        "apps": [{"appId": "A01APP", "botUserId": BOT, "botName": "tuneroom", "mode": "socket", **tokens}],
        "users": [{"id": MINA, "name": "mina", "real_name": "Mina Park"}],
        "channels": [{"id": CHANNEL, "name": "tuning", "members": [MINA, BOT]}],
    }


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
