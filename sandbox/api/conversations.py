"""conversations.*: channels, who is in them, and what was said."""

import base64
import time
from typing import Any

from sandbox.api.arguments import Arguments
from sandbox.api.chat import known_channel
from sandbox.machine import Machine
from sandbox.messages import is_reply, public
from sandbox.people import BOT_USER_ID
from sandbox.refusals import SlackError
from sandbox.workspace import public_channel

Json = dict[str, Any]

MAX_LIMIT = 999


def history(machine: Machine, args: Arguments) -> Json:
    """`conversations.history`: roots and broadcast replies, newest first."""
    channel = readable_channel(machine, args)
    found = [
        message
        for message in reversed(caught_up(machine, channel))
        if not is_reply(message) or message.get("subtype") == "thread_broadcast"
    ]
    page = paged(within(found, args), args)
    return {**page, "messages": shown(page["messages"], args), "pin_count": 0}


def replies(machine: Machine, args: Arguments) -> Json:
    """`conversations.replies`: a thread's root, then its replies, oldest first."""
    channel = readable_channel(machine, args)
    start = machine.messages.get(channel["id"], args.text("ts"))
    if start is None:
        raise SlackError("thread_not_found")
    root_ts = start.get("thread_ts", start["ts"])
    thread = [m for m in caught_up(machine, channel) if m.get("thread_ts") == root_ts and m["ts"] != root_ts]
    root = machine.messages.get(channel["id"], root_ts) or start
    page = paged([root, *within(thread, args)], args)
    return {**page, "messages": shown(page["messages"], args)}


def info(machine: Machine, args: Arguments) -> Json:
    """`conversations.info`."""
    return {"channel": public_channel(known_channel(machine, args.text("channel")))}


def list_channels(machine: Machine, args: Arguments) -> Json:
    """`conversations.list`."""
    types = args.text("types", "public_channel").split(",")
    wanted = [c for c in machine.store.table("channel").values() if ("im" if c["is_im"] else "public_channel") in types]
    page = paged([public_channel(channel) for channel in wanted], args)
    page["channels"] = page.pop("messages")
    return page


def members(machine: Machine, args: Arguments) -> Json:
    """`conversations.members`."""
    page = paged(known_channel(machine, args.text("channel"))["members"], args)
    page["members"] = page.pop("messages")
    return page


def join(machine: Machine, args: Arguments) -> Json:
    """`conversations.join`."""
    channel = known_channel(machine, args.text("channel"))
    if channel["is_im"]:
        raise SlackError("method_not_supported_for_channel_type")
    already = machine.workspace.bot_is_in(channel)
    channel = machine.workspace.join(channel, BOT_USER_ID)
    if already:
        return {"channel": public_channel(channel), "warning": "already_in_channel"}
    machine.events.member_joined(BOT_USER_ID, channel, None)
    return {"channel": public_channel(channel)}


def open_direct(machine: Machine, args: Arguments) -> Json:
    """`conversations.open` with one person; their direct message always exists."""
    if args.text("channel", ""):
        channel = known_channel(machine, args.text("channel"))
    else:
        people = args.json("users") if args.text("users", "").startswith("[") else args.text("users").split(",")
        if len(people) != 1:
            raise SlackError("method_not_supported_for_channel_type")
        user = machine.workspace.user(people[0])
        if user is None:
            raise SlackError("user_not_found")
        channel = known_channel(machine, user["id"])
    return {"channel": public_channel(channel) if args.flag("return_im") else {"id": channel["id"]}}


def readable_channel(machine: Machine, args: Arguments) -> Json:
    """Find a channel whose messages the bot may read, or raise `not_in_channel`."""
    channel = known_channel(machine, args.text("channel"))
    if not machine.workspace.bot_is_in(channel):
        raise SlackError("not_in_channel")
    return channel


def caught_up(machine: Machine, channel: Json) -> list[Json]:
    """Return a channel's messages, oldest first, without those that a lagging history does not show yet."""
    seen_until = time.time() - machine.switches.now["history_lag_s"]
    lagging = bool(machine.switches.now["history_lag_s"])
    return [m for m in machine.messages.in_channel(channel["id"]) if not lagging or float(m["ts"]) <= seen_until]


def within(messages: list[Json], args: Arguments) -> list[Json]:
    """Keep the messages between `oldest` and `latest`, the ends only with `inclusive`."""
    oldest, latest = moment(args.text("oldest", "0")), moment(args.text("latest", "0"))
    ends = args.flag("inclusive")

    def kept(message: Json) -> bool:
        ts = moment(message["ts"])
        after = not oldest or ts > oldest or (ends and ts == oldest)
        before = not latest or ts < latest or (ends and ts == latest)
        return after and before

    return [message for message in messages if kept(message)]


def moment(text: str) -> int:
    """Read a timestamp as whole microseconds; raises `invalid_ts_oldest`."""
    try:
        seconds, _, micros = (text or "0").partition(".")
        return int(seconds) * 1_000_000 + int(micros.ljust(6, "0")[:6] or 0)
    except ValueError:
        raise SlackError("invalid_ts_oldest") from None


def paged(items: list[Any], args: Arguments) -> Json:
    """Cut one page of `limit` items from where `cursor` points, with the cursor of the next."""
    limit = args.integer("limit", 100) or 100
    if not 1 <= limit <= MAX_LIMIT + 1:
        raise SlackError("invalid_limit")
    start = 0
    if cursor := args.text("cursor", ""):
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except ValueError:
            raise SlackError("invalid_cursor") from None
    end = start + limit
    more = end < len(items)
    following = base64.b64encode(f"next:{end}".encode()).decode() if more else ""
    return {"messages": items[start:end], "has_more": more, "response_metadata": {"next_cursor": following}}


def shown(messages: list[Json], args: Arguments) -> list[Json]:
    """Return messages as the app sees them, with their metadata only when it was asked for."""
    return [public(message, with_metadata=args.flag("include_all_metadata")) for message in messages]
