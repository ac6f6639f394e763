"""Uploads by parts: what has arrived of a large file, until it is completed, cancelled, or an hour old."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from trainer.disk import read_json, sync_directory, write_json
from trainer.file_store import new_file_id
from trainer.identifiers import new_id
from trainer.refusals import Refusal
from trainer.requests import UPLOAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.datastructures import UploadFile

    from trainer.file_store import FileStore
    from trainer.requests import UploadRequest

LIFETIME_S = 3600
BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload's record; `file_id` is what its file will be called, `file_lifetime_s` how long that will be kept."""

    id: str
    created_at: float
    filename: str
    size_bytes: int
    purpose: str
    file_id: str
    file_lifetime_s: int | None
    status: str = "pending"

    @property
    def expires_at(self) -> float:
        return self.created_at + LIFETIME_S

    def public(self) -> dict[str, Any]:
        """The upload in OpenAI's form, but for its file."""
        return {
            "id": self.id,
            "object": "upload",
            "bytes": self.size_bytes,
            "created_at": int(self.created_at),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": self.status,
            "expires_at": int(self.expires_at),
        }


class UploadStore:
    """The uploads under one directory, a directory each, with a file for each part that is whole."""

    def __init__(self, home: Path, files: FileStore, now: Callable[[], float] = time.time) -> None:
        self._home, self._files, self._now = home, files, now
        home.mkdir(parents=True, exist_ok=True)
        self._uploads = {path.parent.name: Upload(**read_json(path)) for path in home.glob("*/upload.json")}
        self._completing = set[str]()
        for leftover in home.glob("*/.*.new"):
            leftover.unlink()
        for upload in self._uploads.values():
            if upload.status != "pending":
                self._drop_parts(upload)

    def create(self, asked: UploadRequest) -> Upload:
        self._expire()
        lifetime = asked.expires_after.seconds if asked.expires_after else None
        upload = Upload(
            new_id("upload_"), self._now(), asked.filename, asked.bytes, asked.purpose, new_file_id(), lifetime
        )
        (self._home / upload.id).mkdir()
        return self._keep(upload)

    def pending(self, upload_id: str) -> Upload:
        """An upload that still takes parts. Raises Refusal."""
        self._expire()
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise Refusal(404, f"No such Upload object: {upload_id[:100]}", param="upload_id")
        if upload.status != "pending" or upload_id in self._completing:
            status = upload.status if upload.status != "pending" else "being completed"
            raise Refusal(400, f"The Upload is {status}.", code="invalid_state", param="upload_id")
        return upload

    def add_part(self, upload: Upload, data: UploadFile, copy: Callable[[UploadFile, Path], None]) -> dict[str, Any]:
        """Keep a part. Raises Refusal where the parts together would be larger than any file may be."""
        if sum(path.stat().st_size for path in self._parts(upload).values()) + (data.size or 0) > UPLOAD_BYTES:
            raise Refusal(400, "The parts of this Upload are larger than 8 GB.", code="file_too_large", param="data")
        part_id, created_at = new_id("part_"), self._now()
        beside = self._home / upload.id / f".{part_id}.new"
        copy(data, beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.rename(self._home / upload.id / f"{part_id}.bin")
        sync_directory(self._home / upload.id)
        return {"id": part_id, "object": "upload.part", "created_at": int(created_at), "upload_id": upload.id}

    async def complete(self, upload: Upload, part_ids: Sequence[str], md5: str | None) -> dict[str, Any]:
        """Make a file of the parts, in this order; done again after a crash in between, it makes the same file.

        Raises Refusal for parts that are not there, and where their bytes are not those that were announced.
        """
        self._completing.add(upload.id)
        try:
            await asyncio.to_thread(self._assemble, upload, self._chosen(upload, part_ids), md5)
            stored = self._files.add(upload.file_id, upload.filename, upload.purpose, upload.file_lifetime_s)
            return {**self._end(upload, "completed").public(), "file": stored.public()}
        finally:
            self._completing.discard(upload.id)

    def cancel(self, upload: Upload) -> Upload:
        return self._end(upload, "cancelled")

    def _chosen(self, upload: Upload, part_ids: Sequence[str]) -> list[Path]:
        there = self._parts(upload)
        for part_id in part_ids:
            if part_id not in there:
                raise Refusal(400, f"This Upload has no part {part_id[:100]}.", code="invalid_value", param="part_ids")
        if len(set(part_ids)) < len(part_ids):
            raise Refusal(400, "A part is named twice.", code="invalid_value", param="part_ids")
        chosen = [there[part_id] for part_id in part_ids]
        if (size := sum(path.stat().st_size for path in chosen)) != upload.size_bytes:
            said = f"The parts have {size} bytes together, and {upload.size_bytes} were announced."
            raise Refusal(400, said, code="invalid_value", param="part_ids")
        return chosen

    def _assemble(self, upload: Upload, chosen: Sequence[Path], md5: str | None) -> None:
        digest = hashlib.md5(usedforsecurity=False)
        target = self._files.part(upload.file_id)
        with target.open("wb") as whole:
            for path in chosen:
                with path.open("rb") as part:
                    while block := part.read(BLOCK_BYTES):
                        digest.update(block)
                        whole.write(block)
            whole.flush()
            os.fsync(whole.fileno())
        if md5 is not None and md5.lower() != digest.hexdigest():
            target.unlink()
            raise Refusal(400, "The parts together do not have this MD5.", code="checksum_mismatch", param="md5")

    def _parts(self, upload: Upload) -> dict[str, Path]:
        return {path.stem: path for path in (self._home / upload.id).glob("part_*.bin")}

    def _expire(self) -> None:
        for upload in list(self._uploads.values()):
            late = upload.status == "pending" and self._now() >= upload.expires_at
            if late and upload.id not in self._completing:
                self._end(upload, "expired")

    def _end(self, upload: Upload, status: str) -> Upload:
        ended = self._keep(replace(upload, status=status))
        self._drop_parts(ended)
        return ended

    def _drop_parts(self, upload: Upload) -> None:
        for path in self._parts(upload).values():
            path.unlink()

    def _keep(self, upload: Upload) -> Upload:
        write_json(self._home / upload.id / "upload.json", asdict(upload))
        self._uploads[upload.id] = upload
        return upload
