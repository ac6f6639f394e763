"""What a person can do: the page's own API, and the one the Python client speaks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.api.arguments import json_body
from sandbox.machine import Machine, machine_of
from sandbox.messages import key
from sandbox.people import BOT_USER_ID, MINA
from sandbox.refusals import SlackError

Json = dict[str, Any]
Deed = Callable[[Machine, Json], Awaitable[Json]]


async def say(machine: Machine, body: Json) -> Json:
    """Post a message as a person: {user, channel, text, thread_ts?}."""
    user, channel = acting(machine, body), place(machine, body)
    thread = {"thread_ts": body["thread_ts"]} if body.get("thread_ts") else {}
    return {"message": machine.messages.post_as_person(channel, user, body["text"], thread)}


async def run_command(machine: Machine, body: Json) -> Json:
    """Run a slash command: {user, channel, command, text}. Slack has none inside threads, and neither have we."""
    user, channel = acting(machine, body), place(machine, body)
    return await machine.interactions.command(user, channel, body["command"], body.get("text", ""))


async def click(machine: Machine, body: Json) -> Json:
    """Use an element: {user, view_id | home | channel and ts, action_id, block_id?, value?, values?}."""
    user = acting(machine, body)
    target = acted_on(machine, user, body)
    if "view" in target and body.get("values"):
        target = machine.interactions.fill(target, body["values"])
    return await machine.interactions.click(user, target, body["action_id"], body.get("block_id"), body.get("value"))


async def submit(machine: Machine, body: Json) -> Json:
    """Submit a modal: {user, view_id, values: {block_id: {action_id: value}}}."""
    return await machine.interactions.submit(acting(machine, body), open_view(machine, body), body.get("values", {}))


async def close(machine: Machine, body: Json) -> Json:
    """Close a modal, or with `all` the whole stack: {user, view_id, all?}."""
    user, record = acting(machine, body), open_view(machine, body)
    return await machine.interactions.close(user, record, whole_stack=bool(body.get("all")))


async def shortcut(machine: Machine, body: Json) -> Json:
    """Run a message shortcut: {user, channel, ts, callback_id}."""
    user = acting(machine, body)
    return await machine.interactions.shortcut(user, acted_on(machine, user, body), body["callback_id"])


async def open_home(machine: Machine, body: Json) -> Json:
    """Open the app's Home: {user, tab?}."""
    user = acting(machine, body)
    home = machine.store.get("home", user["id"])
    machine.events.home_opened(user["id"], home["view"] if home else None, body.get("tab", "home"))
    return {"view": home["view"] if home else None}


async def react(machine: Machine, body: Json) -> Json:
    """Add a reaction, or take it back: {user, channel, ts, name}."""
    user = acting(machine, body)
    message = acted_on(machine, user, body)
    mine = any(r["name"] == body["name"] and user["id"] in r["users"] for r in message.get("reactions", []))
    (machine.messages.unreact if mine else machine.messages.react)(message, user["id"], body["name"])
    return {}


async def change_members(machine: Machine, body: Json) -> Json:
    """Bring someone into a channel or out of it, the bot by default: {user, channel, member?, leave?}."""
    user, channel = acting(machine, body), place(machine, body)
    member = machine.workspace.user(body.get("member") or BOT_USER_ID) or {"id": BOT_USER_ID}
    if body.get("leave"):
        machine.events.member_left(member["id"], channel)
        machine.workspace.leave(channel, member["id"])
    elif not machine.workspace.is_member(channel, member["id"]):
        machine.events.member_joined(member["id"], machine.workspace.join(channel, member["id"]), user["id"])
    return {}


async def set_switches(machine: Machine, body: Json) -> Json:
    """Turn faults on or off; see `sandbox.switches`."""
    try:
        return {"switches": machine.switches.set(body)}
    except ValueError as unknown:
        raise SlackError("unknown_switch", str(unknown)) from None


async def disconnect(machine: Machine, body: Json) -> Json:
    """Send the app away from Socket Mode: {reason: refresh_requested | warning | abrupt}."""
    await machine.socket_mode.disconnect(body.get("reason", "refresh_requested"))
    return {}


async def redeliver(machine: Machine, body: Json) -> Json:
    """Tell the app again what it was told lately: {times?}."""
    return {"told": machine.deliveries.tell_again(int(body.get("times", 3)))}


async def use_control(machine: Machine, body: Json) -> Json:
    """Use one of the configured controls: {control: its place in the list}."""
    return await machine.outside.use(int(body.get("control", -1)))


async def no_such_deed(machine: Machine, body: Json) -> Json:
    """Refuse what is not in the list."""
    del machine, body
    raise SlackError("no_such_deed", ", ".join(DEEDS))


DEEDS: dict[str, Deed] = {
    "messages": say,
    "commands": run_command,
    "clicks": click,
    "submissions": submit,
    "closings": close,
    "shortcuts": shortcut,
    "home": open_home,
    "reactions": react,
    "members": change_members,
    "switches": set_switches,
    "disconnect": disconnect,
    "redeliver": redeliver,
    "controls": use_control,
}


async def act(request: Request) -> Response:
    """Do one deed, and answer with the number of the last write it made."""
    machine = machine_of(request)
    deed = DEEDS.get(request.path_params["deed"], no_such_deed)
    try:
        result = await deed(machine, json_body(await request.body()))
        body, status = {"ok": True, **result}, 200
    except SlackError as refused:
        body, status = refused.body(), 400
    except LookupError as missing:
        body, status = {"ok": False, "error": "not_found", "response_metadata": {"messages": [str(missing)]}}, 400
    return JSONResponse({**body, "seq": machine.store.seq}, status)


async def drop(request: Request) -> Response:
    """Take a file that a person drops: the bytes as the body; user, channel, name, thread_ts, text in the address."""
    machine = machine_of(request)
    asked = dict(request.query_params)
    try:
        user, channel = acting(machine, asked), place(machine, asked)
        file = await machine.files.keep(asked["name"], user["id"], request.stream())
        content: Json = {"subtype": "file_share", "upload": False, "display_as_bot": False}
        content["files"] = [machine.files.in_message(file, channel)]
        if asked.get("thread_ts"):
            content["thread_ts"] = asked["thread_ts"]
        message = machine.messages.post_as_person(channel, user, asked.get("text", ""), content)
        machine.files.share([file], channel, message)
    except SlackError as refused:
        return JSONResponse(refused.body(), 400)
    except KeyError as missing:
        return JSONResponse(SlackError("invalid_arguments", f"missing {missing}").body(), 400)
    return JSONResponse({"ok": True, "message": message, "file": file, "seq": machine.store.seq})


async def content(request: Request) -> Response:
    """Send a file to the page, which is a person's and needs no token. Never as a page of its own."""
    machine = machine_of(request)
    file = machine.files.get(request.path_params["file"])
    if file is None:
        return PlainTextResponse("no such file", 404)
    image = file["mimetype"] in {"image/png", "image/jpeg", "image/gif", "image/webp"}
    media_type = file["mimetype"] if image else "application/octet-stream"
    disposition = "inline" if image else "attachment"
    return FileResponse(
        machine.files.path(file["id"]), media_type=media_type, filename=file["name"],
        content_disposition_type=disposition, headers={"x-content-type-options": "nosniff"},
    )  # fmt: skip


async def state(request: Request) -> Response:
    """Send the whole state."""
    machine = machine_of(request)
    return JSONResponse(machine.store.snapshot())


async def figures(request: Request) -> Response:
    """Send what is shown beside the controls."""
    return JSONResponse(await machine_of(request).outside.figures())


async def live(websocket: WebSocket) -> None:
    """Send the whole state, then every change."""
    machine = machine_of(websocket)
    await websocket.accept()
    queue = machine.store.watch()
    gone = asyncio.create_task(left(websocket, queue))
    try:
        while (change := await queue.get()) is not None:
            await websocket.send_text(change)
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        gone.cancel()
        machine.store.unwatch(queue)


async def left(websocket: WebSocket, queue: asyncio.Queue[str | None]) -> None:
    """Wait until the watcher goes away, then end its queue."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    queue.put_nowait(None)


ROUTES: list[BaseRoute] = [
    Route("/sandbox/state", state),
    Route("/sandbox/figures", figures),
    WebSocketRoute("/sandbox/live", live),
    Route("/sandbox/files", drop, methods=["POST"]),
    Route("/sandbox/files/{file}", content),
    Route("/sandbox/{deed}", act, methods=["POST"]),
]


def acting(machine: Machine, body: Json) -> Json:
    """Find who acts; Mina when nobody is named."""
    user = machine.workspace.user(body.get("user") or MINA)
    if user is None:
        raise SlackError("user_not_found", str(body.get("user")))
    return user


def place(machine: Machine, body: Json) -> Json:
    """Find the channel acted in, which the acting person must be in."""
    channel = machine.workspace.channel(body.get("channel", ""))
    if channel is None:
        raise SlackError("channel_not_found", str(body.get("channel")))
    user = acting(machine, body)
    if not machine.workspace.is_member(channel, user["id"]):
        raise SlackError("not_in_channel", f"{user['name']} is not in {channel.get('name', channel['id'])}")
    return channel


def open_view(machine: Machine, body: Json) -> Json:
    """Find an open modal."""
    record = machine.views.get(body.get("view_id", ""))
    if record is None:
        raise SlackError("view_not_found", f"{body.get('view_id')} is not open")
    return record


def acted_on(machine: Machine, user: Json, body: Json) -> Json:
    """Find what is acted on: a modal, the Home, a message, or an ephemeral message."""
    if body.get("view_id"):
        return open_view(machine, body)
    if body.get("home"):
        return machine.store.get("home", user["id"]) or {"view": {"blocks": []}}
    name = key(body.get("channel", ""), body.get("ts", ""))
    found = machine.store.get("message", name) or machine.store.get("ephemeral", name)
    if found is None:
        raise SlackError("message_not_found", name)
    return found
