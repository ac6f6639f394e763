"""A provider for `follow.py`: OpenAI's fine-tuning routes over HTTP, for thousands of runs that train for ever.

Every answer takes 20 ms longer than it would. Every run tells a metric every ten seconds. Nothing is kept but when each
run was last shown: by a look at it or in a list (its status), and with its events (its figures).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

LATENCY_S = 0.02
STEP_S = 10.0
STEPS = 900


class Runs:
    """The runs, all alike but for their age, and who was shown when."""

    def __init__(self, count: int) -> None:
        self.began = time.time() - 600
        self.ids = [f"ftjob-{number:06d}" for number in range(count)]
        self.places = {name: place for place, name in enumerate(self.ids)}
        self.calls: Counter[str] = Counter()
        self.untold = set(self.ids)
        self.reset()

    def reset(self) -> None:
        """Count from now on."""
        self.calls.clear()
        now = time.time()
        self.status_at = dict.fromkeys(self.ids, now)
        self.events_at = dict.fromkeys(self.ids, now)

    def answer(self, path: str) -> dict[str, Any]:
        """Answer one call."""
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        names = parts.path.removeprefix("/v1/fine_tuning/jobs").strip("/").split("/")
        if parts.path == "/figures":
            return self.figures()
        if parts.path == "/reset":
            self.reset()
            if "anew" in query:
                self.untold.update(self.ids)
            return {}
        if names == [""]:
            return self._page(query)
        return self._events(names[0], query) if names[1:] else self._run(names[0])

    def figures(self) -> dict[str, Any]:
        """The calls so far, and how long ago each run was shown, in seconds."""
        now = time.time()
        return {
            "calls": dict(self.calls),
            "never_asked_after": len(self.untold),
            "status_age_s": [round(now - at, 2) for at in self.status_at.values()],
            "events_age_s": [round(now - at, 2) for at in self.events_at.values()],
        }

    def _run(self, name: str) -> dict[str, Any]:
        self.calls["retrieve"] += 1
        self.status_at[name] = time.time()
        return self._shown(name)

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        self.calls["list"] += 1
        limit, after = int(query.get("limit", 20)), query.get("after", "")
        start = self.places[after] + 1 if after else 0
        names = self.ids[start : start + limit]
        now = time.time()
        for name in names:
            self.status_at[name] = now
        more = start + limit < len(self.ids)
        return {"object": "list", "data": [self._shown(name) for name in names], "has_more": more}

    def _events(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        self.calls["events"] += 1
        self.events_at[name] = time.time()
        self.untold.discard(name)
        limit, after = int(query.get("limit", 20)), query.get("after", "")
        last = int((time.time() - self.began) / STEP_S)
        newest = int(after.rpartition("-")[2]) - 1 if after else last
        steps = range(newest, max(0, newest - limit), -1)
        return {"object": "list", "data": [self._event(name, step) for step in steps], "has_more": newest - limit > 0}

    def _event(self, name: str, step: int) -> dict[str, Any]:
        figures = {"step": step, "total_steps": STEPS, "train_loss": round(3 / (1 + step / 50), 4)}
        return {
            "object": "fine_tuning.job.event", "id": f"ftevent-{name}-{step}", "level": "info", "type": "metrics",
            "created_at": int(self.began + step * STEP_S), "message": f"Step {step}/{STEPS}", "data": figures,
        }  # fmt: skip

    def _shown(self, name: str) -> dict[str, Any]:
        parameters = {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.0}
        return {
            "object": "fine_tuning.job", "id": name, "model": "gpt-4o-mini-2024-07-18", "created_at": int(self.began),
            "finished_at": None, "fine_tuned_model": None, "organization_id": "org-1", "result_files": [],
            "status": "running", "validation_file": None, "training_file": "file-1", "hyperparameters": parameters,
            "trained_tokens": None, "error": {}, "user_provided_suffix": "bench", "seed": 1, "integrations": [],
            "metadata": {"tuneroom_intent": name * 3}, "estimated_finish": None,
            "method": {"type": "supervised", "supervised": {"hyperparameters": parameters}},
        }  # fmt: skip


async def serve(count: int) -> None:
    """Serve until ended; the port is the first line printed."""
    runs = Runs(count)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].decode()
                if path.startswith("/v1"):
                    await asyncio.sleep(LATENCY_S)
                body = json.dumps(runs.answer(path)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
