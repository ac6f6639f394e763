"""Promise 6: bytes by their hash, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import fsspec
import pytest

from jobstore.blobs import BLOCK_BYTES, BlobMissingError, Blobs
from tests.support.samples import TEAM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["directory", "file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where blobs may be kept: a directory, a file:// URL, and another file system of fsspec's."""
    places = {"directory": str(tmp_path / "blobs"), "file": f"file://{tmp_path}/blobs"}
    return places.get(request.param) or f"memory://{secrets.token_hex(8)}/blobs"


@pytest.fixture
def blobs(url: str) -> Blobs:
    """An empty store."""
    return Blobs(url)


def names(url: str) -> list[str]:
    """Every file's name in the store."""
    files, root = fsspec.core.url_to_fs(url)
    return sorted(path.rsplit("/", 1)[-1] for path in files.find(root))


def test_blob_is_named_by_the_hash_of_its_bytes(blobs: Blobs, url: str) -> None:
    content = os.urandom(3 * BLOCK_BYTES + 17)
    blocks = [content[start : start + 700_001] for start in range(0, len(content), 700_001)]
    sha256, size = blobs.put(TEAM, iter(blocks))
    assert (sha256, size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert blobs.read(TEAM, sha256) == content
    assert [len(block) for block in blobs.blocks(TEAM, sha256)] == [BLOCK_BYTES] * 3 + [17]
    assert names(url) == [sha256]


def test_blob_may_be_read_more_than_once(blobs: Blobs) -> None:
    blocks = blobs.blocks(TEAM, blobs.put(TEAM, [b"abc"])[0])
    assert (list(blocks), list(blocks)) == ([b"abc"], [b"abc"])


def test_nothing_is_a_blob_too(blobs: Blobs) -> None:
    sha256, size = blobs.put(TEAM, [])
    assert (sha256, size) == (hashlib.sha256().hexdigest(), 0)
    assert blobs.read(TEAM, sha256) == b""


def test_same_bytes_are_one_blob(blobs: Blobs, url: str) -> None:
    first = blobs.put(TEAM, [b"ab", b"c"])
    assert blobs.put(TEAM, [b"abc"]) == first
    assert names(url) == [first[0]]
    assert blobs.read(TEAM, first[0]) == b"abc"


@pytest.mark.parametrize("error", [OSError("the line went dead"), KeyboardInterrupt()])
def test_source_that_fails_leaves_nothing(blobs: Blobs, url: str, error: BaseException) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise error

    with pytest.raises(type(error)):
        blobs.put(TEAM, failing())
    assert names(url) == []


def test_blob_half_written_is_under_no_hash(blobs: Blobs, url: str) -> None:
    seen: list[list[str]] = []

    def watching() -> Iterator[bytes]:
        yield b"half"
        seen.append(names(url))
        yield b"whole"

    sha256, _ = blobs.put(TEAM, watching())
    assert all(name.startswith(".") for name in seen[0])
    assert names(url) == [sha256]


def test_same_bytes_from_many_threads_are_whole(blobs: Blobs, url: str) -> None:
    content = os.urandom(BLOCK_BYTES)
    with ThreadPoolExecutor(4) as pool:
        hashes = {sha256 for sha256, _ in pool.map(lambda _: blobs.put(TEAM, [content]), range(8))}
    assert names(url) == sorted(hashes)
    assert blobs.read(TEAM, hashes.pop()) == content


def test_teams_do_not_see_each_others_blobs(blobs: Blobs) -> None:
    sha256, _ = blobs.put("T2", [b"secret"])
    with pytest.raises(BlobMissingError):
        blobs.read(TEAM, sha256)


def test_missing_blob_is_named(blobs: Blobs) -> None:
    with pytest.raises(BlobMissingError, match=f"no blob {TEAM}/{'0' * 64}"):
        blobs.open(TEAM, "0" * 64)


@pytest.mark.parametrize(("text", "kept"), [("표 🎛️", "표 🎛️"), ("a\ud83d!", "a\ufffd!"), ("", "")])
def test_text_is_kept_as_utf8(blobs: Blobs, text: str, kept: str) -> None:
    assert blobs.read(TEAM, blobs.put_text(TEAM, text)).decode() == kept


def test_blob_of_this_machine_is_on_its_disk_before_it_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record that names a blob is fsynced; after a power cut the blob must be there too."""
    synced: list[tuple[bool, int | list[str]]] = []

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, os.listdir(descriptor) if is_folder else os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    sha256, _ = Blobs(str(tmp_path)).put(TEAM, [b"abc", b"def"])
    assert synced == [(False, 6), (True, [sha256])]


FORKS = """
import os, sys
import fsspec
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from fsspec.implementations.local import LocalFileSystem
from jobstore.blobs import Blobs

class Remote(AsyncFileSystemWrapper):
    def __init__(self, **options):
        super().__init__(fs=LocalFileSystem(), asynchronous=False, **options)

    @classmethod
    def _strip_protocol(cls, path):
        return path.removeprefix("remote://")

    def open(self, path, mode):
        return open(self._strip_protocol(path), mode)

    def mv(self, path1, path2):
        os.replace(self._strip_protocol(path1), self._strip_protocol(path2))

fsspec.register_implementation("remote", Remote)
blobs = Blobs("remote://" + sys.argv[1])
sha256, _ = blobs.put("T1", [b"a row"])
child = os.fork()
if not child:
    print(blobs.read("T1", sha256) == b"a row", blobs.put("T1", [b"another"])[1], flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_store_that_talks_on_a_thread_of_its_own_is_reached_from_a_fork(tmp_path: Path) -> None:
    """As s3fs does: a worker makes its parts once and forks for each task."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", FORKS, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "True 7"), done.stderr
