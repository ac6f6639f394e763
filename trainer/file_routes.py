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
FORM_FIELDS = frozenset({"file", "purpose", "expires_after", "expires_after[anchor]", "expires_after[seconds]"})


async def create_file(request: Request) -> Response:
    async with read_form(request, "file", FILE_BYTES, known=FORM_FIELDS) as form:
        upload = file_of(form, "file", FILE_BYTES)
        if form.get("purpose") != "fine-tune":
            raise Refusal(400, "This trainer keeps files with purpose 'fine-tune' only.", param="purpose")
        record = await take_in(request.app.state.files, upload, read_lifetime(form))
    return JSONResponse(record.public())


def read_lifetime(form: FormData) -> int | None:
    """The seconds after which the file is to be gone, from an object as JSON or by its fields. Raises Refusal."""
    as_json = form.get("expires_after")
    by_field = {key: form.get(f"expires_after[{key}]") for key in ("anchor", "seconds")}
    given: dict[str, Any] = {key: value for key, value in by_field.items() if value is not None}
    try:
        if isinstance(as_json, str):
            return ExpiresAfter.model_validate_json(as_json).seconds
        if (seconds := str(given.get("seconds"))).isascii() and seconds.isdigit():
            given["seconds"] = int(seconds[:20])
        return ExpiresAfter.model_validate(given).seconds if given else None
    except ValidationError as error:
        raise first_problem(error, "expires_after") from error


async def take_in(files: FileStore, upload: UploadFile, lifetime_s: int | None) -> StoredFile:
    file_id = new_file_id()
    await asyncio.to_thread(copy_upload, upload, files.part(file_id))
    return files.add(file_id, upload.filename or "file.jsonl", "fine-tune", lifetime_s)


async def list_files(request: Request) -> Response:
    files: FileStore = request.app.state.files
    purpose, order = request.query_params.get("purpose"), request.query_params.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Refusal(400, "'order' must be 'asc' or 'desc'.", code="invalid_value", param="order")
    shown = [one.public() for one in files.all() if purpose in (None, one.purpose)]
    if order == "desc":
        shown.reverse()
    found = page(shown, request.query_params.get("after"), read_limit(request, 10_000, 10_000))
    if not found["data"]:  # OpenAI's specification has strings here, and null in its other lists
        found |= {"first_id": "", "last_id": ""}
    return JSONResponse(found)


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
