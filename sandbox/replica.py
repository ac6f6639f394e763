"""A live copy of the workspace's state, fed by its stream of changes."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

Json = dict[str, Any]
Value = TypeVar("Value")


class Replica:
    """The state as last heard of. Readers wait for a change instead of asking again."""

    def __init__(self, base_url: str) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._tables: dict[str, dict[str, Json]] = {}
        self._seq = -1
        self._gone = False
        address = base_url.replace("http", "ws", 1) + "/sandbox/live"
        self._open = contextlib.ExitStack()
        self._connection: ClientConnection = self._open.enter_context(connect(address, max_size=None, proxy=None))
        self._thread = threading.Thread(target=self._listen, name="sandbox-replica", daemon=True)
        self._thread.start()

    def table(self, kind: str) -> dict[str, Json]:
        """Return a copy of one table."""
        with self._changed:
            return dict(self._tables.get(kind, {}))

    def get(self, kind: str, key: str) -> Json | None:
        """Return one value, or None."""
        with self._changed:
            return self._tables.get(kind, {}).get(key)

    def wait_for(self, look: Callable[[], Value | None], timeout_s: float) -> Value | None:
        """Call `look` after every change until it returns something true; None when time is up."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                if found := look():
                    return found
                left_s = deadline - time.monotonic()
                if left_s <= 0 or self._gone:
                    return None
                self._changed.wait(left_s)

    def catch_up(self, seq: int, timeout_s: float = 60.0) -> None:
        """Wait until the change numbered `seq` has arrived, so that one reads what one wrote."""
        if not self.wait_for(lambda: self._seq >= seq, timeout_s):
            raise ConnectionError("the workspace's live stream has ended" if self._gone else "it has fallen behind")

    def close(self) -> None:
        """Stop listening."""
        self._open.close()
        self._thread.join(5)

    def _listen(self) -> None:
        try:
            for text in self._connection:
                self._apply(json.loads(text))
        except (WebSocketException, OSError):
            pass
        finally:
            with self._changed:
                self._gone = True
                self._changed.notify_all()

    def _apply(self, change: Json) -> None:
        with self._changed:
            self._seq = change["seq"]
            if "tables" in change:
                self._tables = change["tables"]
            elif change["value"] is None:
                self._tables.get(change["kind"], {}).pop(change["key"], None)
            else:
                self._tables.setdefault(change["kind"], {})[change["key"]] = change["value"]
            self._changed.notify_all()
