"""/v1/files: upload, list, retrieve, content, delete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

from trainer.file_store import FileStore, StoredFile, new_file_id
from trainer.forms import copy_upload, file_of, read_form
from trainer.paging import page
from trainer.refusals import Refusal, first_problem
from trainer.requests import ExpiresAfter, read_limit

if TYPE_CHECKING:
    from starlette.datastructures import FormData, UploadFile
    from starlette.requests import Request
    from starlette.responses import Response

FILE_BYTES = 512 * 1024 * 1024
RESULTS_PURPOSE = "fine-tune-results"


async def create_file(request: Request) -> Response:
    async with read_form(request, "file", FILE_BYTES) as form:
        upload = file_of(form, "file", FILE_BYTES)
        if form.get("purpose") != "fine-tune":
            raise Refusal(400, "This trainer keeps files with purpose 'fine-tune' only.", param="purpose")
        record = await take_in(request.app.state.files, upload, read_lifetime(form))
    return JSONResponse(record.public())


def read_lifetime(form: FormData) -> int | None:
    """The seconds after which the file is to be gone. Raises Refusal."""
    fields = {"anchor": form.get("expires_after[anchor]"), "seconds": form.get("expires_after[seconds]")}
    given: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    if not given:
        return None
    if (seconds := str(given.get("seconds"))).isascii() and seconds.isdigit():
        given["seconds"] = int(seconds[:20])
    try:
        return ExpiresAfter.model_validate(given).seconds
    except ValidationError as error:
        raise first_problem(error, "expires_after") from error


async def take_in(files: FileStore, upload: UploadFile, lifetime_s: int | None) -> StoredFile:
    file_id = new_file_id()
    await asyncio.to_thread(copy_upload, upload, files.part(file_id))
    return files.add(file_id, upload.filename or "file.jsonl", "fine-tune", lifetime_s)


async def list_files(request: Request) -> Response:
    files: FileStore = request.app.state.files
    purpose, order = request.query_params.get("purpose"), request.query_params.get("order", "desc")
    shown = [one.public() for one in files.all() if purpose in (None, one.purpose)]
    if order == "desc":
        shown.reverse()
    return JSONResponse(page(shown, request.query_params.get("after"), read_limit(request, 10_000, 10_000)))


async def retrieve_file(request: Request) -> Response:
    files: FileStore = request.app.state.files
    return JSONResponse(files.get(request.path_params["file_id"]).public())


async def file_content(request: Request) -> Response:
    files: FileStore = request.app.state.files
    record = files.get(request.path_params["file_id"])
    return FileResponse(files.path(record.id), media_type="application/octet-stream", filename=record.filename)


async def delete_file(request: Request) -> Response:
    files: FileStore = request.app.state.files
    file_id: str = request.path_params["file_id"]
    files.delete(file_id)
    said: dict[str, Any] = {"id": file_id, "object": "file", "deleted": True}
    return JSONResponse(said)


ROUTES = [
    Route("/files", create_file, methods=["POST"]),
    Route("/files", list_files, methods=["GET"]),
    Route("/files/{file_id}", retrieve_file, methods=["GET"]),
    Route("/files/{file_id}", delete_file, methods=["DELETE"]),
    Route("/files/{file_id}/content", file_content, methods=["GET"]),
]
