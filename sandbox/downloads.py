"""The addresses outside the Web API: private files, uploads, response addresses, Socket Mode."""

import hmac
from collections.abc import AsyncIterator

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.websockets import WebSocket

from sandbox.api.arguments import json_body
from sandbox.machine import machine_of
from sandbox.refusals import SlackError

LOGIN_PAGE = """<!DOCTYPE html><html lang="en"><head><title>Sign in | Slack</title></head>
<body><h1>Sign in to your workspace</h1><form><input name="email"><button>Continue</button></form></body></html>"""


async def private_file(request: Request) -> Response:
    """Send a file's bytes to the bot's token; to anyone else, HTTP 200 and a login page, as Slack does."""
    machine = machine_of(request)
    file_id = request.path_params["file"].rpartition("-")[2]
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    allowed = hmac.compare_digest(given.encode(), machine.config.bot_token.encode())
    now = machine.switches.now
    if not allowed or now["login_page"] or "files:read" in now["missing_scope"]:
        return HTMLResponse(LOGIN_PAGE)
    file = machine.files.get(file_id)
    if file is None or not machine.files.visible_to_bot(file):
        return PlainTextResponse("file not found", 404)
    return FileResponse(machine.files.path(file_id), media_type=file["mimetype"], filename=file["name"])


async def upload(request: Request) -> Response:
    """Take the bytes of an upload that the app was given an address for: as the body, or as a form's file."""
    machine = machine_of(request)
    token = request.path_params["token"]
    try:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form() as form:
                part = next(value for value in form.values() if isinstance(value, UploadFile))
                size = await machine.files.receive(token, chunks_of(part))
        else:
            size = await machine.files.receive(token, request.stream())
    except SlackError as refused:
        return PlainTextResponse(refused.code, refused.status)
    return PlainTextResponse(f"OK - {size}")


async def response_url(request: Request) -> Response:
    """Take what the app posts to a response address."""
    machine = machine_of(request)
    try:
        machine.answers.receive(request.path_params["token"], json_body(await request.body()))
    except SlackError as refused:
        status = refused.status if refused.status != 200 else 400
        return JSONResponse(refused.body(), status)
    return PlainTextResponse("ok")


async def link(websocket: WebSocket) -> None:
    """Run one Socket Mode connection."""
    machine = machine_of(websocket)
    await machine.socket_mode.serve(websocket)


async def chunks_of(part: UploadFile) -> AsyncIterator[bytes]:
    """Yield a form file's bytes."""
    while chunk := await part.read(1 << 16):
        yield chunk
