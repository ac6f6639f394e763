"""Files that are whole or not there: written beside their place, then renamed into it."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def write_bytes(path: Path, data: bytes) -> None:
    """Replace path by data, durably: a reader sees the old bytes or the new, also after a crash."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_directory(path.parent)


def write_json(path: Path, value: dict[str, Any]) -> None:
    write_bytes(path, json.dumps(value, indent=1).encode())


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


def sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_tree(path: Path) -> None:
    """Take a directory out of sight at once, then delete it; a crash between leaves only a hidden leftover."""
    if path.exists():
        hidden = path.with_name(f".{path.name}.gone")
        shutil.rmtree(hidden, ignore_errors=True)
        path.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)
