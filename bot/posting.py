"""The calls that put a delivery into Slack, and those that find out whether an earlier call did."""

from __future__ import annotations

import time
import urllib.request
from typing import TYPE_CHECKING, Any, Final, Protocol

from slack_sdk.errors import SlackApiError

from bot.payloads import table, tables, text
from bot.rendering import Upload
from bot.slack_errors import classify
from jobstore.deliveries import Shape
from jobstore.faults import reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from slack_sdk import WebClient

    from bot.payloads import Payload
    from bot.views import Message
    from jobstore.outbox import Attempt

METADATA_TYPE: Final = "tuneroom_delivery"
PAGES_MAX: Final = 10
CLOCKS_DIFFER_S: Final = 120
ARRIVES_WITHIN_S: Final = 3600.0
"""A call whose answer was lost is carried out by then, if it ever is."""
HOLD_AGAIN_S: Final = 1.0


class Lease(Protocol):
    """The sender's hold on the channel; both methods raise where it was lost."""

    def insist(self) -> None:
        """Go on only while the channel is still ours."""
        ...

    def note_file(self, file: str) -> None:
        """Remember Slack's id of a file before it is shared."""
        ...


def deliver(client: WebClient, attempt: Attempt, content: Message | Upload, lease: Lease) -> str:
    """Make one delivery and return the ts of its message ("" for a file)."""
    if isinstance(content, Upload):
        return _upload(client, attempt, content, lease)
    lease.insist()
    if attempt.kind is Shape.CARD and attempt.ts:
        client.chat_update(
            channel=attempt.channel,
            ts=attempt.ts,
            text=content.text,
            blocks=content.blocks,
            metadata=_metadata(attempt),
            parse="none",  # an update would otherwise link what only looks like a name
            link_names=False,
        )
        return attempt.ts
    answer = client.chat_postMessage(
        channel=attempt.channel,
        thread_ts=attempt.thread_ts or None,
        text=content.text,
        blocks=content.blocks,
        metadata=_metadata(attempt),
        parse="none",
        link_names=False,
        unfurl_links=False,
        unfurl_media=False,
    )
    return text(answer, "ts")


def find(client: WebClient, attempt: Attempt) -> str | None:
    """Return the ts of the message that an uncertain attempt made, None where there is none.

    Replies stand in `conversations.replies` only. A file is recognised by the id that was noted before it was shared.
    """
    if attempt.kind is Shape.FILE:
        return "" if attempt.file and _is_shared(client, attempt) else None
    for message in _since(client, attempt):
        if text(message, "metadata", "event_payload", "id") == attempt.id:
            return text(message, "ts")
    return None


def _since(client: WebClient, attempt: Attempt) -> Iterator[Payload]:
    """Yield the messages where the delivery belongs, from when it was last sent; clocks may differ by a little.

    What was sent before that has been looked up since. A busy channel holds more than anybody would read of the time
    that a bot was gone, so nothing is read of what came long after, either.
    """
    since_s = (attempt.sent_ms or attempt.put_ms) / 1000
    span: dict[str, Any] = {"oldest": f"{since_s - CLOCKS_DIFFER_S:.6f}"}
    if attempt.sent_ms:
        span["latest"] = f"{since_s + ARRIVES_WITHIN_S:.6f}"
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        options: dict[str, Any] = {"limit": 200, "cursor": cursor, "include_all_metadata": True, **span}
        if attempt.thread_ts:
            answer = client.conversations_replies(channel=attempt.channel, ts=attempt.thread_ts, **options)
        else:
            answer = client.conversations_history(channel=attempt.channel, **options)
        yield from tables(answer, "messages")
        cursor = text(answer, "response_metadata", "next_cursor")
        if not cursor:
            return


def _metadata(attempt: Attempt) -> dict[str, Any]:
    return {"event_type": METADATA_TYPE, "event_payload": {"id": attempt.id}}


def _upload(client: WebClient, attempt: Attempt, upload: Upload, lease: Lease) -> str:
    slot = client.files_getUploadURLExternal(filename=upload.filename, length=upload.size_bytes)
    file = text(slot, "file_id")
    lease.note_file(file)
    request = urllib.request.Request(  # noqa: S310 - the address is Slack's answer
        text(slot, "upload_url"),
        data=upload.content if isinstance(upload.content, bytes) else _held(upload.content, lease),
        method="POST",
        headers={"Content-Type": "application/octet-stream", "Content-Length": str(upload.size_bytes)},
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310
        pass
    reach("file.uploaded")
    lease.insist()
    client.files_completeUploadExternal(
        files=[{"id": file, "title": upload.title}],
        channel_id=attempt.channel,
        thread_ts=attempt.thread_ts or None,
    )
    return ""


def _held(blocks: Iterable[bytes], lease: Lease) -> Iterator[bytes]:
    """Pass blocks on, and hold the channel for as long as they go."""
    held = time.monotonic()
    for block in blocks:
        if time.monotonic() - held > HOLD_AGAIN_S:
            lease.insist()
            held = time.monotonic()
        yield block


def _is_shared(client: WebClient, attempt: Attempt) -> bool:
    try:
        shares = table(client.files_info(file=attempt.file), "file", "shares")
    except SlackApiError as error:
        if classify(error).reason.startswith("file_not_found"):
            return False  # Slack has the bytes, and knows the file only once its upload is completed
        raise
    return any(attempt.channel in table(shares, kind) for kind in shares)
