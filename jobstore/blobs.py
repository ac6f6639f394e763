"""Bytes by the hash of their content: a directory, or any fsspec URL. Never in Redis, never in a log."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Protocol, cast

import fsspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BLOCK_BYTES: Final = 1 << 20
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class BlobMissingError(Exception):
    """The store has no such blob (any more)."""


class _FileSystem(Protocol):
    """The part of fsspec's interface that is used here; fsspec itself has no types."""

    def makedirs(self, path: str, exist_ok: bool) -> None: ...  # noqa: FBT001
    def open(self, path: str, mode: str) -> IO[bytes]: ...
    def mv(self, path1: str, path2: str) -> None: ...
    def rm(self, path: str) -> None: ...
    def exists(self, path: str) -> bool: ...
    def size(self, path: str) -> int: ...


class Blobs:
    """`{team}/{sha256}` below a URL. Written beside and renamed, so a name that exists is whole."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made, self._root = self._connect()
        self._pid = os.getpid()

    def _connect(self) -> tuple[_FileSystem, str]:
        files, root = cast("tuple[_FileSystem, str]", fsspec.core.url_to_fs(self._url))
        return files, root.rstrip("/")

    @property
    def _files(self) -> _FileSystem:
        """The store as this process reaches it: a worker forks for each task, and s3fs refuses what its parent made."""
        if self._pid != os.getpid():
            (self._made, _), self._pid = self._connect(), os.getpid()
        return self._made

    def put(self, team: str, blocks: Iterable[bytes]) -> tuple[str, int]:
        """Store bytes as they come; return their SHA-256 and how many they were."""
        digest = hashlib.sha256()
        size = 0
        self._files.makedirs(f"{self._root}/{team}", exist_ok=True)
        beside = f"{self._root}/{team}/.{secrets.token_hex(8)}"
        try:
            with self._files.open(beside, "wb") as file:
                for block in blocks:
                    digest.update(block)
                    size += len(block)
                    file.write(block)
                is_of_this_machine = _sync(file)
            self._files.mv(beside, self._path(team, digest.hexdigest()))
            if is_of_this_machine:
                _sync_folder(f"{self._root}/{team}")
        except BaseException:
            if self._files.exists(beside):
                self._files.rm(beside)
            raise
        return digest.hexdigest(), size

    def put_text(self, team: str, text: str) -> str:
        """Store text as UTF-8; return its SHA-256. Lone surrogates are kept out as U+FFFD."""
        return self.put(team, [_LONE_SURROGATE.sub("\ufffd", text).encode()])[0]

    def blocks(self, team: str, sha256: str) -> Blob:
        """Return a blob in blocks of 1 MiB, to be read as often as wanted; BlobMissingError where there is none."""
        return Blob(lambda: self.open(team, sha256))

    def open(self, team: str, sha256: str) -> IO[bytes]:
        """Open a blob for reading; BlobMissingError where there is none."""
        try:
            return self._files.open(self._path(team, sha256), "rb")
        except FileNotFoundError as error:
            msg = f"no blob {team}/{sha256}"
            raise BlobMissingError(msg) from error

    def read(self, team: str, sha256: str) -> bytes:
        """Return a whole blob; for what is known to be small."""
        return b"".join(self.blocks(team, sha256))

    def _path(self, team: str, sha256: str) -> str:
        return f"{self._root}/{team}/{sha256}"


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that is opened anew each time it is iterated over."""

    _open: Callable[[], IO[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in blocks of 1 MiB."""
        with self._open() as file:
            while block := file.read(BLOCK_BYTES):
                yield block


def _sync(file: IO[bytes]) -> bool:
    """Bring a file of this machine to its disk: the record that will name it is fsynced too."""
    file.flush()
    try:
        descriptor = file.fileno()
    except (OSError, AttributeError):  # a remote or in-memory file, which has none
        return False
    os.fsync(descriptor)
    return True


def _sync_folder(path: str) -> None:
    """Bring the new name itself to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
