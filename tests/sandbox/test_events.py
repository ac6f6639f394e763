"""Events reach a real slack-bolt app, once, again when unacknowledged, and from the right channels only."""

import json
import queue
from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import Any

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as connect_socket

from sandbox.client import Person, WaitedInVainError, Workspace

Json = dict[str, Any]
APP_TOKEN = "xapp-of-the-test"
Connect = Callable[[App], Any]
Dial = Callable[[], ClientConnection]


@pytest.fixture
def dial(slack: WebClient) -> Generator[Dial]:
    """Open a bare Socket Mode connection, past its hello: an app that does only what the test says."""
    with ExitStack() as open_connections:

        def dial() -> ClientConnection:
            address = slack.apps_connections_open(app_token=APP_TOKEN)["url"]
            connection = open_connections.enter_context(connect_socket(address, proxy=None))
            assert json.loads(connection.recv(timeout=60))["type"] == "hello"
            return connection

        yield dial


@pytest.fixture
def heard(app: App) -> "queue.Queue[tuple[Json, BoltRequest]]":
    """What the app hears, in order, its own messages left out by bolt."""
    heard: queue.Queue[tuple[Json, BoltRequest]] = queue.Queue()

    def listen(event: Json, request: BoltRequest) -> None:
        heard.put((event, request))

    for kind in ("message", "file_shared", "app_mention", "member_joined_channel", "app_home_opened"):
        app.event(kind)(listen)
    return heard


def test_a_dropped_file_is_told_twice_as_a_message_and_as_an_id(
    app: App, mina: Person, connect: Connect, heard: Any
) -> None:
    connect(app)
    dropped = mina.drop("#tuning", "tickets.jsonl", b'{"messages": []}\n')
    events = {event["type"]: event for event, _ in (heard.get(timeout=60), heard.get(timeout=60))}
    message, shared = events["message"], events["file_shared"]
    assert (message["subtype"], message["ts"], message["channel"]) == ("file_share", dropped.ts, dropped.channel)
    assert message["files"][0]["name"] == "tickets.jsonl"
    assert message["files"][0]["size"] == 17
    assert shared["file_id"] == message["files"][0]["id"]
    assert shared["user_id"] == mina.id
    assert "name" not in shared["file"]


def test_a_file_in_a_shared_channel_is_only_an_id_to_look_up(
    app: App, workspace: Workspace, slack: WebClient, connect: Connect, heard: Any
) -> None:
    connect(app)
    workspace.as_user("ext").drop("#partners", "theirs.jsonl", b"{}\n")
    events = {event["type"]: event for event, _ in (heard.get(timeout=60), heard.get(timeout=60))}
    shown = events["message"]["files"][0]
    assert shown["file_access"] == "check_file_info"
    assert "url_private_download" not in shown
    assert slack.files_info(file=shown["id"])["file"]["name"] == "theirs.jsonl"
    assert events["message"]["user_team"] != slack.auth_test()["team_id"]


@pytest.mark.parametrize("ack_timeout_s", [1.5])
def test_an_event_without_an_acknowledgement_is_told_again_with_its_number_and_reason(
    app: App, workspace: Workspace, mina: Person, connect: Connect
) -> None:
    tries: queue.Queue[tuple[str, str]] = queue.Queue()

    @app.event("message")
    def fail_twice(request: BoltRequest) -> None:
        number = request.headers.get("x-slack-retry-num", ["0"])[0]
        tries.put((number, request.headers.get("x-slack-retry-reason", [""])[0]))
        if number in {"0", "1"}:
            raise RuntimeError("not recorded, so not acknowledged")

    connect(app)
    mina.say("#tuning", "hello")
    assert [tries.get(timeout=60) for _ in range(3)] == [("0", ""), ("1", "timeout"), ("2", "timeout")]
    workspace.wait_for(lambda w: [d["outcome"] for d in w.deliveries("message")] == ["timeout", "timeout", "acked"])
    first, _, last = workspace.deliveries("message")
    assert first["took_ms"] >= 1450
    assert last["took_ms"] < first["took_ms"]


def test_redelivery_can_be_forced_although_acknowledged(
    app: App, workspace: Workspace, mina: Person, connect: Connect, heard: Any
) -> None:
    connect(app)
    workspace.switch(redeliver=3)
    mina.say("#tuning", "hello")
    told = [heard.get(timeout=60) for _ in range(3)]
    assert len({request.body["event_id"] for _, request in told}) == 1
    assert [request.headers["x-slack-retry-num"][0] for _, request in told] == ["0", "1", "2"]


def test_an_event_waits_for_an_app_that_is_away(
    app: App, workspace: Workspace, mina: Person, connect: Connect, heard: Any
) -> None:
    mina.say("#tuning", "is anybody there?")
    connect(app)
    assert heard.get(timeout=60)[0]["text"] == "is anybody there?"


def test_an_event_lost_with_its_connection_goes_to_another_one(workspace: Workspace, mina: Person, dial: Dial) -> None:
    first = dial()
    mina.say("#tuning", "hello")
    assert json.loads(first.recv(timeout=60))["retry_attempt"] == 0
    second = dial()
    first.close()
    again = json.loads(second.recv(timeout=60))
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    second.send(json.dumps({"envelope_id": again["envelope_id"]}))
    workspace.wait_for(lambda w: [d["outcome"] for d in w.deliveries("message")] == ["closed", "acked"])


def test_several_connections_take_turns(workspace: Workspace, mina: Person, dial: Dial) -> None:
    connections = [dial(), dial()]
    for number in range(4):
        mina.say("#tuning", f"message {number}")
    told: list[str] = []
    for connection in connections:
        for _ in range(2):
            envelope = json.loads(connection.recv(timeout=60))
            told.append(envelope["payload"]["event"]["text"])
            connection.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
    assert sorted(told) == [f"message {number}" for number in range(4)]
    workspace.wait_for(lambda w: [d["outcome"] for d in w.deliveries("message")] == ["acked"] * 4)


def test_an_app_is_told_to_go_before_its_connection_is_closed(workspace: Workspace, dial: Dial) -> None:
    connection = dial()
    workspace.disconnect("refresh_requested")
    assert json.loads(connection.recv(timeout=60))["reason"] == "refresh_requested"
    with pytest.raises(ConnectionClosed):
        connection.recv(timeout=60)
    workspace.wait_for(lambda w: w.connection()["connections"] == 0)


def test_a_ticket_opens_one_connection(slack: WebClient, dial: Dial) -> None:
    address = slack.apps_connections_open(app_token=APP_TOKEN)["url"]
    with connect_socket(address, proxy=None) as connection:
        assert json.loads(connection.recv(timeout=60))["type"] == "hello"
    with pytest.raises(InvalidStatus), connect_socket(address, proxy=None):
        pass


def test_a_mention_is_told_as_a_message_and_as_a_mention(app: App, mina: Person, connect: Connect, heard: Any) -> None:
    connect(app)
    mina.say("#tuning", "@tuneroom <hello> & bye")
    events = {event["type"]: event for event, _ in (heard.get(timeout=60), heard.get(timeout=60))}
    assert events.keys() == {"message", "app_mention"}
    assert events["app_mention"]["text"] == "<@U0000TUNE0> &lt;hello&gt; &amp; bye"
    section = events["message"]["blocks"][0]["elements"][0]
    assert section["elements"][0] == {"type": "user", "user_id": "U0000TUNE0"}
    assert section["elements"][1] == {"type": "text", "text": " <hello> & bye"}


def test_nothing_is_told_of_a_channel_before_the_bot_is_invited(
    app: App, mina: Person, connect: Connect, heard: Any
) -> None:
    connect(app)
    mina.say("#general", "@tuneroom are you there?")
    mina.drop("#general", "unseen.jsonl", b"{}\n")
    mina.invite_bot("#general")
    joined, _ = heard.get(timeout=60)
    assert (joined["type"], joined["user"], joined["inviter"]) == ("member_joined_channel", "U0000TUNE0", mina.id)
    mina.say("#general", "now?")
    assert heard.get(timeout=60)[0]["text"] == "now?"


def test_opening_the_home_is_told_and_the_home_is_shown(app: App, mina: Person, connect: Connect) -> None:
    @app.event("app_home_opened")
    def publish(event: Json, client: WebClient) -> None:
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*2 training*"}}]
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    connect(app)
    mina.open_home()
    assert "2 training" in mina.home("2 training").text


def test_over_http_events_are_signed_verified_and_told_again(
    http_workspace: Callable[..., Workspace],
) -> None:
    heard: queue.Queue[tuple[str, list[str]]] = queue.Queue()

    def listen(app: App) -> None:
        @app.event("message")
        def answer(event: Json, request: BoltRequest, client: WebClient) -> None:
            number = request.headers.get("x-slack-retry-num", [])
            if event["text"] == "hello":
                heard.put((event["text"], list(number)))
                if not number:
                    raise RuntimeError("no")
                client.chat_postMessage(channel=event["channel"], text="hello to you")

        @app.command("/tune")
        def tune(ack: Any, command: Json) -> None:
            ack(f"{command['user_name']} said {command['text']}")

        @app.action("go")
        def go(ack: Any) -> None:
            ack()

    workspace = http_workspace(listen)
    workspace.wait_for_app()
    mina = workspace.as_user("mina")
    mina.say("#tuning", "hello")
    workspace.wait_for_message("#tuning", "hello to you")
    assert [heard.get(timeout=60) for _ in range(2)] == [("hello", []), ("hello", ["1"])]
    assert workspace.deliveries("message")[0]["outcome"] == "http_error"
    mina.command("/tune", "help me")
    assert mina.ephemeral().text == "mina said help me"


def test_over_http_an_app_with_another_secret_is_never_verified(http_workspace: Callable[..., Workspace]) -> None:
    workspace = http_workspace(lambda app: None, secret="another secret")
    with pytest.raises(WaitedInVainError):
        workspace.wait_for_app(timeout_s=0.5)
    assert workspace.connection()["connections"] == 0
