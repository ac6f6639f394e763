"""A second process that counts tokens while this one reads rows and looks at them: two cores for one large file.

The two speak through the companion's standard input and output, in frames: eight bytes of length, then MessagePack.
When the one who started it is gone, its input ends and so does it. It is started with `python -c`, not by
multiprocessing, which would run the caller's main module again.
"""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import sys
from collections import deque
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, TYPE_CHECKING

import msgspec

from finetune.checking.study import Looks, Studied, TokenStudy, look_at
from finetune.counting.tokens import EncodingName, TokenCounter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LENGTH_BYTES = 8
_IN_FLIGHT_MAX = 16
_BUSY = 3
"""Batches: so many may be on their way; from so many on the companion has enough to do."""
_EXIT_TIMEOUT_S = 10
_PIPE_BYTES = 1024 * 1024
"""What Linux allows anybody; a batch is about 200 kB, a pipe by itself 64 kB."""
_START = "import sys; sys.path[:] = {path!r}; from finetune.checking.companion import serve; serve()"

_encode = msgspec.msgpack.Encoder().encode


class CompanionLostError(Exception):
    """The companion has ended before its work was done."""


class _Task(msgspec.Struct):
    encodings: tuple[EncodingName, ...]
    tiktoken_cache: str | None


class _Work(msgspec.Struct, gc=False):
    rows: list[list[bytes]]
    with_looks: bool


class _Found(msgspec.Struct, gc=False):
    tokens: list[list[int]]
    looks: Looks | None


_work = msgspec.msgpack.Decoder(_Work).decode
_found = msgspec.msgpack.Decoder(_Found).decode


class Companion:
    """Counts the tokens of batches in another process; what is found comes back in their order.

    The one who asks looks at the rows meanwhile; when the companion has too little to do, it looks at them too.
    """

    def __init__(self, encodings: Sequence[EncodingName], tiktoken_cache: Path | None) -> None:
        command = [sys.executable, "-c", _START.format(path=sys.path)]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input = self._process.stdin
        _widen(self._input)
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._found: SimpleQueue[bytes | None] = SimpleQueue()
        self._lost = False
        self._threads = [
            Thread(target=self._write, daemon=True),
            Thread(target=self._read, args=(self._process.stdout,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self._looks: deque[Looks | None] = deque()
        self._outgoing.put(_encode(_Task(tuple(encodings), None if tiktoken_cache is None else str(tiktoken_cache))))

    @property
    def process_id(self) -> int:
        """Return the number the system knows the companion by."""
        return self._process.pid

    def study(self, rows: list[list[bytes]]) -> list[Studied]:
        """Hand over a batch; return what has been found of earlier ones. CompanionLostError where it has ended."""
        looks = look_at(rows) if len(self._looks) - self._found.qsize() >= _BUSY else None
        self._looks.append(looks)
        self._outgoing.put(_encode(_Work(rows, with_looks=looks is None)))
        found: list[Studied] = []
        while len(self._looks) > _IN_FLIGHT_MAX or not self._found.empty():
            found.append(self._next())
        return found

    def rest(self) -> Iterator[Studied]:
        """Yield what is found of the batches that are still being studied."""
        while self._looks:
            yield self._next()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._looks:
            self._process.kill()
        self._outgoing.put(None)
        try:
            self._process.wait(_EXIT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _next(self) -> Studied:
        content = self._found.get()
        if content is None:
            raise CompanionLostError
        found = _found(content)
        looks = self._looks.popleft() or found.looks
        assert looks is not None
        return Studied(found.tokens, looks)

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            while (content := self._outgoing.get()) is not None:
                _write(self._input, content)
        with contextlib.suppress(OSError):
            self._input.close()

    def _read(self, output: IO[bytes]) -> None:
        for content in _frames(output):
            self._found.put(content)
        self._found.put(None)


def serve() -> None:
    """Study what comes on standard input until it ends."""
    frames = _frames(sys.stdin.buffer)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        task = msgspec.msgpack.decode(next(frames), type=_Task)
        cache = None if task.tiktoken_cache is None else Path(task.tiktoken_cache)
        study = TokenStudy([TokenCounter.load_for_much(encoding, cache) for encoding in task.encodings])
        for content in frames:
            work = _work(content)
            looks = look_at(work.rows) if work.with_looks else None
            _write(sys.stdout.buffer, _encode(_Found(study.of(work.rows), looks)))


def _widen(pipe: IO[bytes]) -> None:
    """Let a few batches lie in a pipe, so that neither side waits for the other at every one; only Linux can."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # more than this user may have
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _write(output: IO[bytes], content: bytes) -> None:
    output.write(len(content).to_bytes(_LENGTH_BYTES, "little"))
    output.write(content)
    output.flush()


def _frames(given: IO[bytes]) -> Iterator[bytes]:
    while len(length := given.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        size = int.from_bytes(length, "little")
        content = given.read(size)
        if len(content) < size:
            return
        yield content
