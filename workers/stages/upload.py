"""uploading → creating: bring the rows to the provider, unless it has them already.

A file's name at the provider carries the hash of its bytes. What was uploaded before is used again: where we remember
its id, or where the provider lists it, as after a crash between the upload and our writing it down. Before the first
byte goes out, the provider is asked whether the account may train at all, where it says so for nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from jobstore.deliveries import Rank, card
from jobstore.faults import reach
from jobstore.store import Mark
from workers.provider import Rows
from workers.stages.endings import cancelled

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from workers.provider import Provider
    from workers.workshop import Workshop

PROGRESS_EVERY_MS: Final = 2_000


class CancelledError(Exception):
    """Somebody cancelled the job while its rows were on their way."""


def upload(shop: Workshop, record: Record[Job]) -> Record[Job]:
    """Upload the training rows and, where there are some, the validation rows."""
    if record.cancel:
        return cancelled(shop, record)
    uploading = _Uploading(shop, record)
    try:
        files = {blob: uploading.file_of(blob) for blob in _blobs(record.data)}
    except CancelledError:
        return cancelled(shop, uploading.record)
    reach("upload.done")
    job = uploading.record.data
    return shop.store.transition(
        uploading.record,
        "creating",
        uploading.record.having(train_file=files[job.train_blob], valid_file=files.get(job.valid_blob, ""), note=""),
        event={"type": "RowsUploaded", "provider": job.request.provider},
        deliveries=[card(record.ref, channel=job.channel, rank=Rank.PROGRESS)],
        marks=[Mark(hash=uploading.known, field=blob, value=file) for blob, file in files.items()],
    )


def _blobs(job: Job) -> list[str]:
    return list(dict.fromkeys(blob for blob in (job.train_blob, job.valid_blob) if blob))


class _Uploading:
    """One job's files on their way; `record` is the job as its last amendment left it."""

    def __init__(self, shop: Workshop, record: Record[Job]) -> None:
        self.record = record
        self._shop = shop
        self._provider: Provider = shop.providers[record.data.request.provider]
        self._team = record.ref.team
        self._sizes = {blob: self._size(blob) for blob in _blobs(record.data)}
        self._arrived = 0
        self._may_train = False
        self._said_ms = shop.store.now_ms()

    @property
    def known(self) -> str:
        """The look-up of what this provider has: blob → file."""
        return f"files:{self._provider.name}"

    def file_of(self, blob: str) -> str:
        """Return the provider's id for a blob; the same bytes are not uploaded twice."""
        file = self._shop.store.marked(self._team, self.known, blob)
        if not (file and self._provider.has_file(file)):
            with self._shop.blobs.open(self._team, blob) as content:
                rows = Rows(file=content, name=f"tuneroom-{blob[:32]}.jsonl", size_bytes=self._sizes[blob])
                file = self._provider.find_file(rows) or self._uploaded(rows)
        self._arrived += self._sizes[blob]
        return file

    def _uploaded(self, rows: Rows) -> str:
        if not self._may_train:
            request = self.record.data.request
            self._provider.may_train(request.parent.name if request.parent else request.model)
            self._may_train = True
        return self._provider.upload(rows, self._tell)

    def _tell(self, sent_bytes: int) -> None:
        """Say on the card how far it is, now and then, and hear of a cancellation."""
        now_ms = self._shop.store.now_ms()
        if now_ms - self._said_ms < PROGRESS_EVERY_MS:
            return
        self._said_ms = now_ms
        changed = self.record.having(sent_bytes=self._arrived + sent_bytes, send_bytes=sum(self._sizes.values()))
        shown = card(self.record.ref, channel=changed.channel, rank=Rank.PROGRESS)
        self.record = self._shop.store.transition(
            self.record, "uploading", changed, deliveries=[shown], keep_lease=True
        )
        if self.record.cancel:
            raise CancelledError

    def _size(self, blob: str) -> int:
        with self._shop.blobs.open(self._team, blob) as content:
            return content.seek(0, os.SEEK_END)
