"""Ports for processes that are told where to listen before they start."""

from __future__ import annotations

import contextlib
import secrets
import socket
from typing import Final

LOWEST: Final = 15_000
HOW_MANY: Final = 15_000


def free_port(in_a_row: int = 1) -> int:
    """Return a port that nobody listens on; the first of so many.

    Below those that a kernel hands out (Linux from 32,768, macOS from 49,152): until the process listens, no connection
    of another test is given it by chance.
    """
    while True:
        first = LOWEST + secrets.randbelow(HOW_MANY)
        with contextlib.suppress(OSError), contextlib.ExitStack() as taken:
            for port in range(first, first + in_a_row):
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
