"""Uploaded files and result files: bytes on disk, each with a small record beside it."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trainer.disk import read_json, write_bytes, write_json
from trainer.identifiers import new_id
from trainer.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file's record; `created_at` in Unix seconds, kept exactly so that lists have one order."""

    id: str
    filename: str
    purpose: str
    size_bytes: int
    created_at: float
    expires_at: float | None = None

    def public(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.size_bytes,
            "created_at": int(self.created_at),
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            **({} if self.expires_at is None else {"expires_at": int(self.expires_at)}),
        }


class FileStore:
    """The files under one directory. The record is written after the bytes: what has a record is whole."""

    def __init__(self, home: Path, now: Callable[[], float] = time.time) -> None:
        self._home, self._now = home, now
        home.mkdir(parents=True, exist_ok=True)
        for leftover in [*home.glob("*.part"), *home.glob(".*.new")]:
            leftover.unlink()
        records = [StoredFile(**read_json(path)) for path in home.glob("*.json")]
        self._files = {record.id: record for record in sorted(records, key=lambda one: one.created_at)}

    def part(self, file_id: str) -> Path:
        """Where an upload is collected until it is whole."""
        return self._home / f"{file_id}.part"

    def add(self, file_id: str, filename: str, purpose: str, lifetime_s: int | None = None) -> StoredFile:
        """Take in what was collected in `part(file_id)`, for good or for so many seconds."""
        part = self.part(file_id)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        now = self._now()
        expires_at = None if lifetime_s is None else now + lifetime_s
        record = StoredFile(file_id, filename, purpose, part.stat().st_size, now, expires_at)
        part.replace(self.path(file_id))
        self._keep(record)
        return record

    def put(self, file_id: str, filename: str, purpose: str, data: bytes) -> StoredFile:
        """Store bytes under an id; storing them again changes nothing."""
        if file_id in self._files:
            return self._files[file_id]
        write_bytes(self.path(file_id), data)
        record = StoredFile(file_id, filename, purpose, len(data), self._now())
        self._keep(record)
        return record

    def _keep(self, record: StoredFile) -> None:
        write_json(self._home / f"{record.id}.json", asdict(record))
        self._files[record.id] = record

    def get(self, file_id: str, *, status: int = 404, param: str = "id") -> StoredFile:
        """The record of a file. Raises Refusal with the given status."""
        self._expire()
        found = self._files.get(file_id)
        if found is None:
            raise Refusal(status, f"No such File object: {file_id[:100]}", param=param)
        return found

    def _expire(self) -> None:
        now = self._now()
        for record in list(self._files.values()):
            if record.expires_at is not None and now >= record.expires_at:
                self._remove(record.id)

    def path(self, file_id: str) -> Path:
        return self._home / f"{file_id}.bin"

    def delete(self, file_id: str) -> None:
        self.get(file_id)
        self._remove(file_id)

    def _remove(self, file_id: str) -> None:
        (self._home / f"{file_id}.json").unlink()
        self.path(file_id).unlink(missing_ok=True)
        del self._files[file_id]

    def all(self) -> list[StoredFile]:
        """Every file, oldest first."""
        self._expire()
        return list(self._files.values())


def new_file_id() -> str:
    return new_id("file-")
