"""The Web API as slack_sdk uses it: messages, threads, metadata, files, refusals, faults."""

import hashlib
import urllib.error
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry import RateLimitErrorRetryHandler

from sandbox.client import Person, Workspace

Json = dict[str, Any]
BOT_TOKEN = "xoxb-of-the-test"


def test_a_message_is_posted_edited_and_deleted(slack: WebClient, workspace: Workspace) -> None:
    posted = slack.chat_postMessage(channel="#tuning", text="Checking *tickets.csv*")
    slack.chat_update(channel=posted["channel"], ts=posted["ts"], text="Checked")
    edited = workspace.wait_for_message("#tuning", "Checked")
    assert edited.ts == posted["ts"]
    assert "edited" in edited.raw
    slack.chat_delete(channel=posted["channel"], ts=posted["ts"])
    assert workspace.wait_for(lambda w: not w.messages("#tuning"))
    with pytest.raises(SlackApiError, match="message_not_found"):
        slack.chat_update(channel=posted["channel"], ts=posted["ts"], text="too late")


def test_an_update_with_text_alone_removes_the_blocks_and_keeps_the_metadata(slack: WebClient) -> None:
    metadata = {"event_type": "outbox", "event_payload": {"id": "o1"}}
    divider = [{"type": "divider"}]
    posted = slack.chat_postMessage(channel="#tuning", text="one", blocks=divider, metadata=metadata)
    slack.chat_update(channel=posted["channel"], ts=posted["ts"], text="two")
    (message,) = slack.conversations_history(channel=posted["channel"], include_all_metadata=True)["messages"]
    assert (message["text"], message["blocks"], message["metadata"]) == ("two", [], metadata)


def test_an_uncertain_post_is_found_again_by_its_metadata(slack: WebClient) -> None:
    def metadata(name: str) -> Json:
        return {"event_type": "outbox", "event_payload": {"id": name}}

    root = slack.chat_postMessage(channel="#tuning", text="root", metadata=metadata("o1"))
    channel = root["channel"]
    slack.chat_postMessage(channel=channel, text="reply", thread_ts=root["ts"], metadata=metadata("o2"))

    roots = slack.conversations_history(channel=channel, include_all_metadata=True)["messages"]
    assert [message["metadata"]["event_payload"]["id"] for message in roots] == ["o1"]
    thread = slack.conversations_replies(channel=channel, ts=root["ts"], include_all_metadata=True)["messages"]
    assert [message["metadata"]["event_payload"]["id"] for message in thread] == ["o1", "o2"]
    assert "metadata" not in slack.conversations_history(channel=channel)["messages"][0]


def test_history_is_paged_newest_first_and_bounded(slack: WebClient, mina: Person) -> None:
    said = [mina.say("#tuning", f"message {number}") for number in range(5)]
    channel = said[0].channel
    first = slack.conversations_history(channel=channel, limit=2)
    assert [message["text"] for message in first["messages"]] == ["message 4", "message 3"]
    assert first["has_more"]
    cursor = first["response_metadata"]["next_cursor"]
    second = slack.conversations_history(channel=channel, limit=2, cursor=cursor)
    assert [message["text"] for message in second["messages"]] == ["message 2", "message 1"]
    bounds = {"oldest": said[1].ts, "latest": said[3].ts}
    inside = slack.conversations_history(channel=channel, **bounds)["messages"]
    assert [message["text"] for message in inside] == ["message 2"]
    assert len(slack.conversations_history(channel=channel, inclusive=True, **bounds)["messages"]) == 3
    with pytest.raises(SlackApiError, match="invalid_cursor"):
        slack.conversations_history(channel=channel, cursor="?")


def test_a_thread_counts_its_replies(slack: WebClient, mina: Person) -> None:
    root = mina.say("#tuning", "root")
    reply = slack.chat_postMessage(channel=root.channel, text="one", thread_ts=root.ts)
    slack.chat_postMessage(channel=root.channel, text="two", thread_ts=reply["ts"])
    thread = slack.conversations_replies(channel=root.channel, ts=root.ts)["messages"]
    assert [message["text"] for message in thread] == ["root", "one", "two"]
    assert (thread[0]["reply_count"], thread[0]["latest_reply"]) == (2, thread[2]["ts"])
    slack.chat_delete(channel=root.channel, ts=reply["ts"])
    assert slack.conversations_replies(channel=root.channel, ts=root.ts)["messages"][0]["reply_count"] == 1
    with pytest.raises(SlackApiError, match="thread_not_found"):
        slack.chat_postMessage(channel=root.channel, text="where?", thread_ts="1.000001")


def test_channels_and_people_are_looked_up(slack: WebClient) -> None:
    names = {channel["name"]: channel for channel in slack.conversations_list()["channels"]}
    assert {name: (c["is_member"], c["is_ext_shared"]) for name, c in names.items()} == {
        "tuning": (True, False), "general": (False, False), "partners": (True, True),
    }  # fmt: skip
    people = {user["name"]: user for user in slack.users_list()["members"]}
    assert people["jun"]["is_admin"]
    assert people["gil"]["is_restricted"]
    assert people["ext"]["team_id"] != slack.auth_test()["team_id"]
    assert slack.conversations_open(users=people["mina"]["id"])["channel"]["id"].startswith("D")
    assert people["gil"]["id"] not in slack.conversations_members(channel=names["general"]["id"])["members"]
    with pytest.raises(SlackApiError, match="not_in_channel"):
        slack.chat_postMessage(channel=names["general"]["id"], text="hello")
    assert slack.conversations_join(channel=names["general"]["id"])["channel"]["is_member"]
    slack.chat_postMessage(channel=names["general"]["id"], text="hello")


def test_an_upload_in_three_steps_is_shown_in_its_thread(slack: WebClient, workspace: Workspace, mina: Person) -> None:
    root = mina.say("#tuning", "results?")
    picture = bytes(range(256)) * 40
    uploaded = slack.files_upload_v2(
        channel=root.channel, thread_ts=root.ts, content=picture, filename="loss.png", initial_comment="*Loss*"
    )
    file_id = uploaded["file"]["id"]
    shown = workspace.wait_for_message("#tuning", "Loss", thread_ts=root.ts)
    assert (shown.text, shown.files[0]["name"]) == ("*Loss*\n[file: loss.png]", "loss.png")
    assert hashlib.sha256(workspace.file_content(file_id)).digest() == hashlib.sha256(picture).digest()
    shares = slack.files_info(file=file_id)["file"]["shares"]["public"][root.channel]
    assert shares[0].items() >= {"ts": shown.ts, "thread_ts": root.ts}.items()
    slack.files_delete(file=file_id)
    with pytest.raises(SlackApiError, match="file_not_found"):
        slack.files_info(file=file_id)


def download(address: str, token: str | None) -> tuple[str, bytes]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as answer:
        return answer.headers.get_content_type(), answer.read()


def test_a_download_without_the_right_token_is_a_login_page(
    slack: WebClient, workspace: Workspace, mina: Person
) -> None:
    dropped = mina.drop("#tuning", "나의 data.jsonl", b'{"a": 1}\n')
    address = slack.files_info(file=dropped.files[0]["id"])["file"]["url_private_download"]
    assert download(address, BOT_TOKEN)[1] == b'{"a": 1}\n'
    for token in (None, "xoxb-wrong"):
        content_type, page = download(address, token)
        assert content_type == "text/html"
        assert page.lower().startswith(b"<!doctype html")
    workspace.switch(login_page=True)
    assert download(address, BOT_TOKEN)[0] == "text/html"


def test_a_file_declares_the_size_that_it_is_told_to(slack: WebClient, workspace: Workspace, mina: Person) -> None:
    workspace.switch(declared_size=1_000_000_000)
    dropped = mina.drop("#tuning", "big.jsonl", b"{}\n")
    assert dropped.files[0]["size"] == 1_000_000_000
    assert slack.files_info(file=dropped.files[0]["id"])["file"]["size"] == 1_000_000_000


def test_a_file_where_the_bot_is_not_is_not_found(slack: WebClient, workspace: Workspace, mina: Person) -> None:
    dropped = mina.drop("#general", "private.jsonl", b"{}\n")
    file_id = dropped.files[0]["id"]
    with pytest.raises(SlackApiError, match="file_not_found"):
        slack.files_info(file=file_id)
    mina.invite_bot("#general")
    assert slack.files_info(file=file_id)["file"]["name"] == "private.jsonl"


@pytest.mark.parametrize(
    ("token", "method", "refusal"),
    [
        ("xoxb-wrong", "auth.test", "invalid_auth"),
        (None, "auth.test", "not_authed"),
        ("xapp-of-the-test", "auth.test", "not_allowed_token_type"),
        (BOT_TOKEN, "apps.connections.open", "not_allowed_token_type"),
        (BOT_TOKEN, "chat.dance", "unknown_method"),
    ],
)
def test_a_wrong_token_and_an_unknown_method_are_refused(
    url: str, token: str | None, method: str, refusal: str
) -> None:
    with pytest.raises(SlackApiError, match=refusal):
        WebClient(token, base_url=f"{url}/api/").api_call(method)


def test_scopes_and_methods_can_be_taken_away(slack: WebClient, workspace: Workspace) -> None:
    assert "chat:write" in slack.auth_test().headers["x-oauth-scopes"]
    workspace.switch(missing_scope=["files.info"], unknown_method=["reactions.add"])
    with pytest.raises(SlackApiError, match="missing_scope") as refused:
        slack.files_info(file="F1")
    assert refused.value.response["needed"] == "files:read"
    with pytest.raises(SlackApiError, match="unknown_method"):
        slack.reactions_add(channel="#tuning", name="eyes", timestamp="1.2")


def test_a_rate_limit_holds_for_as_many_calls_as_it_is_told(slack: WebClient, workspace: Workspace) -> None:
    workspace.switch(rate_limit={"method": "chat.postMessage", "count": 2, "retry_after": 1})
    with pytest.raises(SlackApiError, match="ratelimited") as refused:
        slack.chat_postMessage(channel="#tuning", text="hello")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["retry-after"] == "1"
    slack.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    assert slack.chat_postMessage(channel="#tuning", text="hello")["ok"]
    workspace.wait_for_message("#tuning", "hello")
    assert len(workspace.messages("#tuning")) == 1


def test_a_lost_reply_leaves_the_work_done(slack: WebClient, workspace: Workspace) -> None:
    slack.retry_handlers.clear()
    workspace.switch(drop_reply={"method": "chat.postMessage", "count": 1})
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        slack.chat_postMessage(channel="#tuning", text="did it arrive?")
    workspace.wait_for_message("#tuning", "did it arrive?")
    assert slack.chat_postMessage(channel="#tuning", text="and this?")["ok"]


def test_reactions_are_added_once(slack: WebClient, workspace: Workspace, mina: Person) -> None:
    message = mina.drop("#tuning", "a.jsonl", b"{}\n")
    slack.reactions_add(channel=message.channel, name="eyes", timestamp=message.ts)
    with pytest.raises(SlackApiError, match="already_reacted"):
        slack.reactions_add(channel=message.channel, name="eyes", timestamp=message.ts)
    assert workspace.wait_for(lambda w: (w.message(message) or message).reactions) == ["eyes"]
    slack.reactions_remove(channel=message.channel, name="eyes", timestamp=message.ts)
    assert workspace.wait_for(lambda w: not (w.message(message) or message).reactions)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("chat.postMessage", {"channel": "#tuning", "blocks": "no JSON"}),
        ("chat.postMessage", {"channel": "#tuning", "blocks": {"type": "section"}}),
        ("chat.postMessage", {"channel": "#tuning", "text": "x", "metadata": [1]}),
        ("chat.postMessage", {"channel": ["#tuning"], "text": "x"}),
        ("chat.update", {"channel": "#tuning"}),
        ("conversations.history", {"channel": "#tuning", "oldest": "yesterday"}),
        ("conversations.history", {"channel": "#tuning", "limit": "many"}),
        ("conversations.open", {"users": [1, 2]}),
        ("files.completeUploadExternal", {"files": [1]}),
        ("files.getUploadURLExternal", {"filename": "a", "length": 0}),
        ("views.open", {"trigger_id": "1.2.3", "view": [1]}),
        ("views.publish", {"user_id": "U1", "view": {"type": "home", "blocks": []}}),
    ],
)
def test_ill_arguments_are_refused_and_never_a_server_error(slack: WebClient, method: str, arguments: Json) -> None:
    with pytest.raises(SlackApiError) as refused:
        slack.api_call(method, json=arguments)
    assert refused.value.response.status_code == 200
    assert refused.value.response["error"]
