"""Bringing training rows to a provider of OpenAI's protocol: whole by Files, by parts where they are large."""

from __future__ import annotations

import contextlib
import hashlib
import time
from typing import TYPE_CHECKING, Any, Final, cast

import openai

from workers.openai_errors import plain_words
from workers.provider import ErrorKind, ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import IO

    from workers.openai_dialects import Dialect
    from workers.provider import Rows

MIME_TYPE: Final = "text/jsonl"
FILE_TIMEOUT_S: Final = 600.0
LOOKUP_FILES_MAX: Final = 1_000

READ_EVERY_S: Final = 2.0
READ_WITHIN_S: Final = 600.0
UNREAD: Final = frozenset({"uploaded", "pending", "running"})
LOST: Final = frozenset({"error", "deleting", "deleted"})
"""What a file's status may be by Azure's description; OpenAI knows "uploaded", "processed" and "error"."""


def upload(client: openai.OpenAI, rows: Rows, sent: Callable[[int], None], *, part_bytes: int, dialect: Dialect) -> str:
    """Upload rows and return the file's id; what is larger than a part goes in parts, where the provider takes them."""
    if rows.size_bytes > part_bytes and dialect.takes_parts:
        file = _by_parts(client, rows, sent, part_bytes)
    else:
        with plain_words():
            file = client.files.create(file=(rows.name, rows.file), purpose="fine-tune", timeout=FILE_TIMEOUT_S).id
    sent(rows.size_bytes)
    if dialect.reads_files:
        wait_until_read(client, file, lambda: sent(rows.size_bytes))
    return file


def find(client: openai.OpenAI, rows: Rows, dialect: Dialect) -> str:
    """Return the id of a file of that name, which carries the hash of its bytes, and that size; "" where none is.

    A provider that has not read a file yet may not know its size.
    """
    with plain_words():
        newest = {"order": "desc", "limit": 100} if dialect.filters else {}
        listed = client.files.list(purpose="fine-tune", **cast("Any", newest))
        for file in each(listed if listed.has_more else listed.data, most=LOOKUP_FILES_MAX):
            is_like_it = file.filename == rows.name and file.bytes in {None, rows.size_bytes}
            if is_like_it and file.status not in LOST:
                break
        else:
            return ""
    if dialect.reads_files:
        wait_until_read(client, file.id, lambda: None)
    return str(file.id)


def wait_until_read(client: openai.OpenAI, file: str, meanwhile: Callable[[], None]) -> None:
    """Wait until the provider has read a file: before, Azure creates no run on it. `meanwhile` is called now and then.

    ProviderError: REFUSED where the file is no good, RETRY where it takes too long.
    """
    until_s = time.monotonic() + READ_WITHIN_S
    while True:
        with plain_words():
            found = client.files.retrieve(file)
        if found.status in LOST:
            said = found.status_details or ""
            raise ProviderError(
                ErrorKind.REFUSED, "file-refused", "The provider refused the rows.", "Mend what it names.", said=said
            )
        if found.status not in UNREAD:
            return
        if time.monotonic() > until_s:
            raise ProviderError(
                ErrorKind.RETRY, "file-unread", "The provider still reads the rows.", "I'm asking again by myself."
            )
        meanwhile()
        time.sleep(READ_EVERY_S)


def each(listed: Iterable[Any], *, most: int) -> Iterator[Any]:
    """Yield what is listed, page by page, up to `most`; a list that begins anew has ended.

    Not every provider pages its lists, or says that there are no more.
    """
    seen: set[str] = set()
    for one in listed:
        if one.id in seen or len(seen) >= most:
            return
        seen.add(one.id)
        yield one


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
