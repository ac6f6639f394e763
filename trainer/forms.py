"""Multipart forms: one file with a few fields, broken off where they grow past what the route takes."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from trainer.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from starlette.requests import Request

WRAPPING_BYTES = 64 * 1024  # what multipart wraps around a file, with the other fields


def too_large(param: str, most_bytes: int) -> Refusal:
    said = f"The file is larger than {most_bytes // 1024 // 1024} MB."
    return Refusal(413, said, code="file_too_large", param=param)


@asynccontextmanager
async def read_form(
    request: Request, file_field: str, most_bytes: int, *, known: frozenset[str]
) -> AsyncGenerator[FormData, None]:
    """Read a form of known fields, and let go of its file afterwards. Raises Refusal, as soon as it can be known."""
    too_much = too_large(file_field, most_bytes)
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most_bytes + WRAPPING_BYTES:
        raise too_much
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal(400, "Send the file as multipart/form-data.", param=file_field)

    async def limited() -> AsyncGenerator[bytes, None]:
        seen = 0
        async for chunk in request.stream():
            seen += len(chunk)
            if seen > most_bytes + WRAPPING_BYTES:
                raise too_much
            yield chunk

    try:
        form = await MultiPartParser(request.headers, limited(), max_files=1, max_fields=20).parse()
    except (MultiPartException, KeyError) as error:
        raise Refusal(400, "The multipart body could not be read.") from error
    try:
        if unknown := sorted(set(form) - known):
            said = f"Unknown parameter: '{unknown[0][:100]}'."
            raise Refusal(400, said, code="unknown_parameter", param=unknown[0][:100])
        yield form
    finally:
        await form.close()


def file_of(form: FormData, field: str, most_bytes: int) -> UploadFile:
    """The file of a form, with at least a byte. Raises Refusal."""
    upload = form.get(field)
    if not isinstance(upload, UploadFile):
        said = f"Missing required parameter: '{field}'."
        raise Refusal(400, said, code="missing_required_parameter", param=field)
    if not upload.size:
        raise Refusal(400, "The file is empty.", code="empty_file", param=field)
    if upload.size > most_bytes:
        raise too_large(field, most_bytes)
    return upload


def copy_upload(upload: UploadFile, target: Path) -> None:
    upload.file.seek(0)
    with target.open("wb") as file:
        shutil.copyfileobj(upload.file, file, 1024 * 1024)
