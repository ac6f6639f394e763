"""The workspace's state: tables of JSON values, kept in a journal and published to whoever watches."""

import asyncio
import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# What survives a restart. The rest (open views, ephemeral messages, deliveries) lives as long as the server does.
DURABLE = frozenset({"user", "channel", "message", "file", "home", "bytes"})


class Store:
    """Tables `kind -> key -> value`, one writer (the event loop), every write numbered.

    Values are never changed in place: a change is a `put` of a new value. The journal holds one line a write,
    flushed before `put` returns, so a killed server loses nothing it has answered; it is compacted at start.
    """

    def __init__(self, journal: Path) -> None:
        self._tables: dict[str, dict[str, Json]] = {}
        self._watchers: set[asyncio.Queue[str | None]] = set()
        self.seq = 0
        journal.parent.mkdir(parents=True, exist_ok=True)
        self._replay(journal)
        self._compact(journal)
        self._journal = journal.open("a", encoding="utf-8")

    def get(self, kind: str, key: str) -> Json | None:
        """Return the value under `key`, or None."""
        return self._tables.get(kind, {}).get(key)

    def table(self, kind: str) -> dict[str, Json]:
        """Return one table; the caller does not change it."""
        return self._tables.get(kind, {})

    def put(self, kind: str, key: str, value: Json) -> Json:
        """Write one value, in the journal when its kind is durable, and tell the watchers."""
        self._tables.setdefault(kind, {})[key] = value
        self._record(kind, key, value)
        return value

    def delete(self, kind: str, key: str) -> None:
        """Remove one value if it is there."""
        if self._tables.get(kind, {}).pop(key, None) is not None:
            self._record(kind, key, None)

    def watch(self) -> asyncio.Queue[str | None]:
        """Return a queue that receives the whole state first, then every change, as JSON texts."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        queue.put_nowait(json.dumps({"seq": self.seq, "tables": self._tables}))
        self._watchers.add(queue)
        return queue

    def unwatch(self, queue: asyncio.Queue[str | None]) -> None:
        """Stop feeding a queue."""
        self._watchers.discard(queue)

    def snapshot(self) -> Json:
        """Return the number of the last write and every table."""
        return {"seq": self.seq, "tables": self._tables}

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _record(self, kind: str, key: str, value: Json | None) -> None:
        self.seq += 1
        line = json.dumps({"seq": self.seq, "kind": kind, "key": key, "value": value})
        if kind in DURABLE:
            self._journal.write(line + "\n")
            self._journal.flush()
        for watcher in self._watchers:
            watcher.put_nowait(line)

    def _replay(self, journal: Path) -> None:
        if not journal.exists():
            return
        for line in journal.read_text(encoding="utf-8").splitlines():
            try:
                change: Json = json.loads(line)
            except ValueError:
                break  # the server was killed in the middle of its last line
            table = self._tables.setdefault(change["kind"], {})
            if change["value"] is None:
                table.pop(change["key"], None)
            else:
                table[change["key"]] = change["value"]

    def _compact(self, journal: Path) -> None:
        beside = journal.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as out:
            for kind, table in self._tables.items():
                for key, value in table.items():
                    out.write(json.dumps({"kind": kind, "key": key, "value": value}) + "\n")
        beside.replace(journal)
