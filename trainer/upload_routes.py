"""/v1/uploads: a large file by parts: create, add a part, complete, cancel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from trainer.forms import copy_upload, file_of, read_form
from trainer.requests import CompleteUpload, UploadRequest, read_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from trainer.upload_store import UploadStore

PART_BYTES = 64 * 1024 * 1024


async def create_upload(request: Request) -> Response:
    uploads: UploadStore = request.app.state.uploads
    return JSONResponse(uploads.create(await read_body(request, UploadRequest)).public())


async def add_part(request: Request) -> Response:
    uploads: UploadStore = request.app.state.uploads
    upload = uploads.pending(request.path_params["upload_id"])
    async with read_form(request, "data", PART_BYTES, known=frozenset({"data"})) as form:
        data = file_of(form, "data", PART_BYTES)
        return JSONResponse(await asyncio.to_thread(uploads.add_part, upload, data, copy_upload))


async def complete_upload(request: Request) -> Response:
    uploads: UploadStore = request.app.state.uploads
    asked = await read_body(request, CompleteUpload)
    upload = uploads.pending(request.path_params["upload_id"])
    return JSONResponse(await uploads.complete(upload, asked.part_ids, asked.md5))


async def cancel_upload(request: Request) -> Response:
    uploads: UploadStore = request.app.state.uploads
    return JSONResponse(uploads.cancel(uploads.pending(request.path_params["upload_id"])).public())


ROUTES = [
    Route("/uploads", create_upload, methods=["POST"]),
    Route("/uploads/{upload_id}/parts", add_part, methods=["POST"]),
    Route("/uploads/{upload_id}/complete", complete_upload, methods=["POST"]),
    Route("/uploads/{upload_id}/cancel", cancel_upload, methods=["POST"]),
]
