"""The Web API's door: token, switches, method, answer."""

import asyncio
import hmac
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.api.arguments import Arguments, read_arguments
from sandbox.api.catalog import METHODS, SCOPES, Method
from sandbox.blockkit.blocks import NEWER
from sandbox.clock import new_id, now_s
from sandbox.connections import HungUp
from sandbox.machine import Machine, machine_of
from sandbox.refusals import SlackError

Json = dict[str, Any]

KEPT_CALLS = 300


async def answer(request: Request) -> Response:
    """Answer one call of the Web API, as `{"ok": …}` with HTTP 200, or 429 when told to slow down."""
    machine = machine_of(request)
    name: str = request.path_params["method"]
    try:
        body, status, headers = await call(machine, name, request), 200, {}
    except SlackError as refused:
        body, status, headers = refused.body(), refused.status, {}
        if refused.code == "ratelimited":
            headers = {"retry-after": str(refused.more["retry_after"])}
            body = {"ok": False, "error": "ratelimited"}
    method = METHODS.get(name)
    note_call(machine, name, body)
    if machine.switches.now["drop_reply"] and machine.switches.spend("drop_reply", name):
        raise HungUp
    headers |= {"x-oauth-scopes": ",".join(granted(machine)), "x-accepted-oauth-scopes": method.scope if method else ""}
    return JSONResponse(body, status, headers)


async def call(machine: Machine, name: str, request: Request) -> Json:
    """Run one method; raises SlackError with what Slack would answer."""
    await asyncio.sleep(0)
    method = METHODS.get(name)
    switches = machine.switches.now
    if method is None or name in switches["unknown_method"]:
        raise SlackError("unknown_method", req_method=name)
    args = await read_arguments(request)
    check_token(machine, method, token_of(request, args))
    if limit := machine.switches.spend("rate_limit", name) if switches["rate_limit"] else None:
        raise SlackError("ratelimited", status=429, retry_after=limit.get("retry_after", 1))
    is_granted = not method.scope or method.app_level or method.scope in granted(machine)
    if not is_granted or name in switches["missing_scope"] or method.scope in switches["missing_scope"]:
        raise SlackError("missing_scope", needed=method.scope or "none", provided=",".join(granted(machine)))
    if switches["older_blocks"]:
        refuse_newer_blocks(args)
    return {"ok": True, **method.run(machine, args)}


def refuse_newer_blocks(args: Arguments) -> None:
    """Raise `invalid_blocks` for blocks that an older Slack would not know, in a message or a view."""
    view, blocks = args.json("view"), args.json("blocks")
    given = cast("Json", view).get("blocks") if isinstance(view, dict) else blocks
    for number, block in enumerate(cast("list[Json]", given) if isinstance(given, list) else []):
        if block.get("type") in NEWER:
            reason = f"[ERROR] unsupported type: {block['type']} [json-pointer:/blocks/{number}/type]"
            raise SlackError("invalid_blocks", reason)


def granted(machine: Machine) -> tuple[str, ...]:
    """Return what the bot token may do."""
    return machine.config.scopes or SCOPES


def note_call(machine: Machine, name: str, body: Json) -> None:
    """Keep the last calls and how they ended, for people and tests to look at."""
    calls = machine.store.table("call")
    call_id = new_id("Call")
    record = {"id": call_id, "at": now_s(), "method": name, "ok": body["ok"], "error": body.get("error")}
    machine.store.put("call", call_id, record)
    if len(calls) > KEPT_CALLS:
        machine.store.delete("call", next(iter(calls)))


def check_token(machine: Machine, method: Method, token: str) -> None:
    """Raise `not_authed`, `invalid_auth` or `not_allowed_token_type`."""
    if not token:
        raise SlackError("not_authed")
    wanted, other = machine.config.bot_token, machine.config.app_token
    if method.app_level:
        wanted, other = other, wanted
    if hmac.compare_digest(token.encode(), wanted.encode()):
        return
    raise SlackError(
        "not_allowed_token_type" if hmac.compare_digest(token.encode(), other.encode()) else "invalid_auth"
    )


def token_of(request: Request, args: Arguments) -> str:
    """Return the token a request carries, in its header or its body."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else args.text("token", "")
