"""The operations of `jobstore/lua/`, loaded once and called by name.

Each file's keys and arguments are documented at its top; `Store` and `Outbox` hold the typed wrappers.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobstore.connections import Redis


@functools.cache
def source(name: str) -> str:
    """Return an operation's Lua text, with the shared part in front."""
    folder = resources.files("jobstore") / "lua"
    return (folder / "lib.lua").read_text() + (folder / f"{name}.lua").read_text()


class Scripts:
    """Every operation, bound to one connection."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._loaded: dict[str, Callable[..., Any]] = {}

    def __call__(self, name: str, key: str, *args: str | float) -> Any:
        """Run operation `name` on `key`; EVALSHA, or EVAL where the server has forgotten it."""
        script = self._loaded.get(name)
        if script is None:
            script = self._loaded[name] = self._redis.register_script(source(name))
        return script(keys=[key], args=args)
