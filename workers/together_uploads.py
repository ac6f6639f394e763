"""Bringing training rows to Together.

`files.upload` of the SDK takes a path: it asks for an address to bring the bytes to (a redirect, with the new file's
id), streams them there from the disk and says when it is done; above 5 GB by parts. So rows go through a file of their
own name in a directory of their own, which is gone afterwards.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workers.provider import ErrorKind, ProviderError
from workers.refusals import TRIES_AGAIN
from workers.together_errors import plain_words

if TYPE_CHECKING:
    from collections.abc import Callable

    import together

    from workers.provider import Rows

PURPOSE: Final = "fine-tune"
UNUSABLE: Final = frozenset({"FAILED", "INVALID_FORMAT"})


def upload(client: together.Together, rows: Rows, sent: Callable[[int], None]) -> str:
    """Upload rows and return the file's id; bytes that the provider has already are not sent again.

    The SDK's own check of the rows is left out: they were checked before, and it would read them all into memory.
    """
    from together.lib.resources.files import FileAlreadyExistsError  # noqa: PLC0415 - with the SDK

    with tempfile.TemporaryDirectory(prefix="tuneroom-") as place:
        path = Path(place) / rows.name
        with path.open("wb") as file:
            shutil.copyfileobj(rows.file, file, 1024 * 1024)
        try:
            with plain_words():
                return client.files.upload(
                    path,
                    purpose=PURPOSE,
                    check=False,
                    raise_if_already_exists=True,
                    progress_callback=lambda done: sent(done.uploaded_bytes),
                ).id
        except FileAlreadyExistsError as error:
            return _known(client, error.file_id, rows)


def _known(client: together.Together, file: str, rows: Rows) -> str:
    """Return a file of the same bytes, if they have ever arrived; what was cut off is in the way, and is deleted."""
    with plain_words():
        found = client.files.retrieve(file)
        if found.bytes == rows.size_bytes and found.processing_status not in UNUSABLE:
            return found.id
        client.files.delete(file)
    raise ProviderError(ErrorKind.RETRY, "upload-cut-off", "An upload of this file was cut off.", TRIES_AGAIN)


def has(client: together.Together, file: str) -> bool:
    """Whether the provider still has a file, and could read it."""
    try:
        with plain_words():
            return client.files.retrieve(file).processing_status not in UNUSABLE
    except ProviderError as error:
        if error.kind is ErrorKind.MISSING:
            return False
        raise


def find(client: together.Together, rows: Rows) -> str:
    """Return the id of a file of that name, which carries the hash of its bytes, and that size; "" where none is."""
    with plain_words():
        for file in client.files.list().data:
            if file.filename == rows.name and file.bytes == rows.size_bytes and file.processing_status not in UNUSABLE:
                return file.id
    return ""


def complaint(client: together.Together, file: str) -> str:
    """Return what the provider found wrong with a file, "" where it says nothing."""
    with plain_words():
        report = client.files.retrieve(file).validation_report
    return (report.error or "") if report else ""
