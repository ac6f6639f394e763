"""A dataset dropped on a Slack server that is not ours, and everything that follows from it there: emulate.

python -m tests.operations.foreign_files --emulate PATH/TO/emulate

emulate (npm, Vercel) carries files in and out, threads, edits, reactions and message metadata, which local-slack
(tests/operations/foreign_slack.py) does not; it has no sockets and no buttons, signs its events as GitHub does, and
answers reading methods to POST only. So this script signs the event and the command as Slack does, from what stands on
that server, and a door before it makes POST of GET. On the way the bot is killed between a post and its record of it:
it must find the post by its metadata. Not collected by pytest (docs/adr/0018-other-slack-servers.md).
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from jobstore.connections import connect
from jobstore.outbox import Outbox
from jobstore.states import Kind
from jobstore.store import Store
from tests.support.ports import free_port
from tests.support.stack import KEYS, TIMINGS, Stack
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

TEAM, PERSON_TOKEN = "T000000001", "xoxp-of-mina"
SAMPLE = Path(__file__).parents[2] / "finetune/samples/ticket-routing.jsonl"
PATIENCE_S = 120.0
Json = dict[str, Any]


class Foreign(Stack):
    """Everything of ours by signed HTTP, and in place of our workspace somebody else's."""

    def __init__(self, home: Path, emulate: str) -> None:
        super().__init__(home, by_http=True)
        self._emulate = emulate
        self.calls: dict[str, int] = {}

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
        self.wait_for_bot()

    def _start_workspace(self) -> str:
        self._http_port, port, seed = free_port(), free_port(), self.home / "seed.json"
        seed.write_text(json.dumps({"slack": _workspace()}))
        door = Door(port)
        self._closing.callback(door.shutdown)
        self.calls = door.calls
        url = f"http://127.0.0.1:{door.server_port}"
        command = [self._emulate, "start", "--service", "slack", "--port", str(port), "--seed", str(seed)]
        self._serve("slack", [*command, "--base-url", url], self._base)
        (self.home / "slack.port").write_text(str(door.server_port))
        wait_for(lambda: _answers(f"http://127.0.0.1:{port}/"), timeout_s=PATIENCE_S)
        return url

    def wait_for_bot(self) -> None:
        """Wait until the bot listens."""
        wait_for(lambda: _answers(f"http://127.0.0.1:{self._http_port}/healthz"), timeout_s=PATIENCE_S)

    def tell(self, body: str, kind: str) -> str:
        """Send the bot what Slack would, signed as Slack signs."""
        now = str(int(time.time()))
        signature = SignatureVerifier(KEYS["signing_secret"]).generate_signature(timestamp=now, body=body)
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": now, "X-Slack-Signature": str(signature)}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._http_port}/slack/events", body.encode(), headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()


class Door(ThreadingHTTPServer):
    """Passes everything on, reading methods as POST."""

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.calls: dict[str, int] = {}
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Door

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""

    def _pass_on(self) -> None:
        path, body = urlsplit(self.path), self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        method, target = self.command, self.path
        if method == "GET" and path.path.startswith("/api/"):
            method, target, body = "POST", path.path, path.query.encode()
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        upstream = http.client.HTTPConnection("localhost", self.server.upstream, timeout=60)
        upstream.request(method, target, body, headers)
        answer = upstream.getresponse()
        content = answer.read()
        said = f"{path.path.removeprefix('/api/').partition('/F')[0]} {_error(content) or answer.status}"
        self.server.calls[said] = self.server.calls.get(said, 0) + 1
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> int:
    """Act it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emulate", required=True)
    home = Path(tempfile.mkdtemp(prefix="tuneroom-foreign-"))
    with Foreign(home / "home", parser.parse_args().emulate) as stack:
        try:
            act(stack)
        except Exception as error:
            error.add_note(stack.logs())
            raise
        finally:
            sys.stdout.writelines(f"  {stack.calls[said]:4} {said}\n" for said in sorted(stack.calls))
            for kind in (Kind.DATASET, Kind.JOB):
                states = [f"{one.ref.id} {one.state}" for one in stack.store.newest(TEAM, kind)]
                sys.stdout.write(f"{kind.value}s: {states}\n")
            letters = stack.outbox.dead_letters(TEAM)
            sys.stdout.write(f"dead letters: {[(one['delivery'], one['reason']) for one in letters]}\n")
    shutil.rmtree(home)
    return 0


def act(stack: Foreign) -> None:
    """Drop, report, train, results, picture, ready."""
    mina = WebClient(PERSON_TOKEN, base_url=f"{stack.url}/api/")
    me = str(mina.auth_test()["user_id"])
    channel = next(str(one["id"]) for one in mina.conversations_list()["channels"] or [] if one["name"] == "tuning")
    mina.files_upload_v2(channel=channel, content=SAMPLE.read_bytes(), filename=SAMPLE.name)
    dropped = wait_for(lambda: next((m for m in _history(mina, channel) if m.get("files")), None))
    step("dropped", json.dumps(dropped["files"][0])[:120])
    stack.strike("delivery.sent")
    event = {"type": "message", "subtype": "file_share", "channel": channel, "user": me, **dropped}
    body = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "api_app_id": "A1", "event": event}
    stack.tell(json.dumps(body), "application/json")
    thread = lambda text: _replies(mina, channel, dropped["ts"], text)  # noqa: E731
    step("report", wait_for(lambda: thread("Ready to train"), timeout_s=PATIENCE_S)[0]["text"])
    wait_for(lambda: stack.outbox.pending(TEAM) == 0, timeout_s=PATIENCE_S)
    stack.wait_for_bot()
    step("killed", f"after the post, before its record: {len(thread('rows'))} report in the thread")
    command = {"command": "/tune", "text": "train d1 suffix=elsewhere epochs=3", "user_id": me, "user_name": "mina"}
    command |= {"channel_id": channel, "team_id": TEAM, "trigger_id": uuid.uuid4().hex, "response_url": stack.url}
    step("/tune", stack.tell(urlencode(command), "application/x-www-form-urlencoded"))
    card = wait_for(lambda: _card(mina, channel, "Ready."), timeout_s=PATIENCE_S)
    step("card", card["text"])
    said: Callable[[str], list[Json]] = lambda text: _replies(mina, channel, card["ts"], text)  # noqa: E731
    step("results", wait_for(lambda: said("Results."), timeout_s=PATIENCE_S)[0]["text"])
    step("notice", wait_for(lambda: said("answers: it is model"), timeout_s=PATIENCE_S)[0]["text"])
    wait_for(lambda: stack.outbox.pending(TEAM) == 0, timeout_s=PATIENCE_S)
    for message in said("files"):
        for file in message.get("files", []):
            request = urllib.request.Request(file["url_private"], headers={"Authorization": f"Bearer {PERSON_TOKEN}"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                step("picture", f"{file['name']}: {answer.read()[:4]!r}, {file['size']:,} bytes")


def step(name: str, what: str) -> None:
    """Say that a step happened."""
    sys.stdout.write(f"{name:<11}{what[:150]!r}\n")
    sys.stdout.flush()


def _history(mina: WebClient, channel: str) -> list[Json]:
    return mina.conversations_history(channel=channel)["messages"] or []


def _replies(mina: WebClient, channel: str, ts: str, text: str) -> list[Json]:
    found: list[Json] = mina.conversations_replies(channel=channel, ts=ts)["messages"] or []
    return [m for m in found if m["ts"] != ts and text in json.dumps(m, ensure_ascii=False)]


def _card(mina: WebClient, channel: str, text: str) -> Json | None:
    return next((m for m in _history(mina, channel) if "elsewhere" in m["text"] and text in m["text"]), None)


def _workspace() -> Json:
    tokens = [
        {"token": PERSON_TOKEN, "type": "user", "user": "mina"},
        {"token": KEYS["bot_token"], "type": "bot", "user": "tuneroom", "bot_user_id": "UBOT"},
    ]
    users = [{"name": "mina", "real_name": "Mina Park"}, {"name": "tuneroom", "real_name": "Tuneroom"}]
    return {"users": users, "channels": [{"name": "tuning"}], "tokens": tokens}


def _error(content: bytes) -> str:
    try:
        told = json.loads(content)
    except ValueError:
        return ""
    return str(told.get("error", "")) if isinstance(told, dict) else ""


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
