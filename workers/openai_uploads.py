"""Bringing training rows to a provider of OpenAI's protocol: whole by Files, by parts where they are large."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

import openai

from workers.openai_errors import plain_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from workers.provider import Rows

MIME_TYPE: Final = "text/jsonl"
FILE_TIMEOUT_S: Final = 600.0
LOOKUP_FILES_MAX: Final = 1_000


def upload(client: openai.OpenAI, rows: Rows, sent: Callable[[int], None], *, part_bytes: int) -> str:
    """Upload rows and return the file's id; what is larger than a part goes in parts."""
    if rows.size_bytes > part_bytes:
        return _by_parts(client, rows, sent, part_bytes)
    with plain_words():
        file = client.files.create(file=(rows.name, rows.file), purpose="fine-tune", timeout=FILE_TIMEOUT_S)
    sent(rows.size_bytes)
    return file.id


def find(client: openai.OpenAI, rows: Rows) -> str:
    """Return the id of a file of that name, which carries the hash of its bytes, and that size; "" where none is."""
    with plain_words():
        for number, file in enumerate(client.files.list(purpose="fine-tune", order="desc", limit=100)):
            if number >= LOOKUP_FILES_MAX:
                return ""
            if file.filename == rows.name and file.bytes == rows.size_bytes and file.status != "error":
                return file.id
    return ""


def _by_parts(client: openai.OpenAI, rows: Rows, sent: Callable[[int], None], part_bytes: int) -> str:
    """Upload part by part; parts that nobody completes are forgotten by the provider within the hour."""
    with plain_words():
        begun = client.uploads.create(
            bytes=rows.size_bytes, filename=rows.name, mime_type=MIME_TYPE, purpose="fine-tune"
        )
    try:
        with plain_words():
            parts: list[str] = []
            whole = hashlib.md5(usedforsecurity=False)
            for number, part in enumerate(_parts(rows.file, part_bytes)):
                whole.update(part)
                made = client.uploads.parts.create(begun.id, data=(f"part-{number}", part), timeout=FILE_TIMEOUT_S)
                parts.append(made.id)
                sent(min(rows.size_bytes, (number + 1) * part_bytes))
            done = client.uploads.complete(begun.id, part_ids=parts, md5=whole.hexdigest(), timeout=FILE_TIMEOUT_S)
            return done.file.id if done.file else ""
    except BaseException:
        with contextlib.suppress(openai.OpenAIError):
            client.uploads.cancel(begun.id)
        raise


def _parts(file: IO[bytes], part_bytes: int) -> Iterator[bytes]:
    while part := file.read(part_bytes):
        yield part
