"""/v1/files: upload, list, retrieve, content, delete."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

from trainer.file_store import FileStore, StoredFile, new_file_id
from trainer.paging import page
from trainer.refusals import Refusal
from trainer.requests import read_limit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

FILE_BYTES = 512 * 1024 * 1024
FORM_BYTES = FILE_BYTES + 64 * 1024  # the file and what multipart wraps around it
RESULTS_PURPOSE = "fine-tune-results"


def too_large() -> Refusal:
    return Refusal(413, "The file is larger than 512 MB.", code="file_too_large", param="file")


async def limited(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it comes in, broken off where it grows past the limit. Raises Refusal."""
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > FORM_BYTES:
            raise too_large()
        yield chunk


async def create_file(request: Request) -> Response:
    if int(request.headers.get("content-length", "0")) > FORM_BYTES:
        raise too_large()
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal(400, "Send the file as multipart/form-data.", param="file")
    try:
        form = await MultiPartParser(request.headers, limited(request), max_files=1, max_fields=20).parse()
    except (MultiPartException, KeyError) as error:
        raise Refusal(400, "The multipart body could not be read.") from error
    try:
        upload = checked_upload(form)
        record = await take_in(request.app.state.files, upload)
    finally:
        await form.close()
    return JSONResponse(record.public())


def checked_upload(form: FormData) -> UploadFile:
    """The file of an upload form. Raises Refusal."""
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise Refusal(400, "Missing required parameter: 'file'.", code="missing_required_parameter", param="file")
    if form.get("purpose") != "fine-tune":
        raise Refusal(400, "This trainer keeps files with purpose 'fine-tune' only.", param="purpose")
    if not upload.size:
        raise Refusal(400, "The file is empty.", code="empty_file", param="file")
    if upload.size > FILE_BYTES:
        raise too_large()
    return upload


async def take_in(files: FileStore, upload: UploadFile) -> StoredFile:
    file_id = new_file_id()
    await asyncio.to_thread(copy_upload, upload, files.part(file_id))
    return files.add(file_id, upload.filename or "file.jsonl", "fine-tune")


def copy_upload(upload: UploadFile, target: Path) -> None:
    upload.file.seek(0)
    with target.open("wb") as file:
        shutil.copyfileobj(upload.file, file, 1024 * 1024)


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
