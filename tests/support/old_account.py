"""An account with fine-tunes of years, in the shapes that OpenAI answers in: many pages, days of shutdown, files gone.

What our trainer cannot be: it counts every request by its method, so that a test can say that nothing but reading was
done.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qs, urlsplit

RESULTS: Final = (
    b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.1,0.3,,\n2,1.4,0.5,1.5,0.5\n"
)
BASE: Final = "gpt-4o-mini-2024-07-18"
CREATED: Final = 1_767_225_600  # 2026-01-01
DAY: Final = 86_400


def rows(label: str, count: int = 12) -> bytes:
    """Return rows of chat that can be trained on."""
    lines = [
        {"messages": [{"role": "user", "content": f"{label} ticket {number}"}, {"role": "assistant", "content": "ok"}]}
        for number in range(count)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def a_run(number: int, **changes: Any) -> dict[str, Any]:
    """Return a finished run's object, as the API lists it."""
    suffix = changes.get("user_provided_suffix", f"bot-{number}")
    model = f"ft:{changes.get('model', BASE)}:acme:{suffix}:{number:08d}"
    return {
        "object": "fine_tuning.job",
        "id": f"ftjob-{number:08d}",
        "model": BASE,
        "created_at": CREATED + number * DAY,
        "finished_at": CREATED + number * DAY + 3_600,
        "fine_tuned_model": model,
        "organization_id": "org-acme",
        "result_files": [f"file-results-{number:08d}"],
        "status": "succeeded",
        "validation_file": None,
        "training_file": f"file-rows-{number:08d}",
        "hyperparameters": {"n_epochs": 3, "batch_size": 1, "learning_rate_multiplier": 1.8},
        "trained_tokens": 1_000 + number,
        "error": {},
        "user_provided_suffix": suffix,
        "seed": number,
        "estimated_finish": None,
        "integrations": [],
        "metadata": None,
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
    } | changes


def an_event(run: str, step: int) -> dict[str, Any]:
    """Return a metrics event."""
    return {
        "object": "fine_tuning.job.event",
        "id": f"ftevent-{run}-{step}",
        "created_at": CREATED + step,
        "level": "info",
        "message": f"Step {step}/2: training loss=1.00",
        "type": "metrics",
        "data": {"step": step, "total_steps": 2, "train_loss": 1.0, "train_mean_token_accuracy": 0.5},
    }


@dataclass
class OldAccount:
    """The account, served until the block ends. `faults`: (status, code, message) for a path, so many times each."""

    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, "tuple[str, bytes]"])
    shutdowns: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    faults: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict[str, "list[tuple[int, str, str]]"])
    short: set[str] = field(default_factory=set[str])
    asked: Counter[tuple[str, str]] = field(default_factory=Counter["tuple[str, str]"])

    def add(self, run: dict[str, Any], training: bytes | None = None, filename: str = "rows.jsonl") -> dict[str, Any]:
        """Add a run whose training and result files are still there; the newest is listed first."""
        number = int(run["seed"])
        self.runs.insert(0, run)
        if training is not None:
            self.files[run["training_file"]] = (filename, training)
        for file in run["result_files"]:
            self.files[file] = (f"results_{number}.csv", base64.b64encode(RESULTS))
        if run["fine_tuned_model"]:
            self.shutdowns[run["fine_tuned_model"]] = None
        return run

    def __enter__(self) -> Self:
        account = self

        class Bound(_Handler):
            told = account

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="old-account")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(10)

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def methods(self) -> set[str]:
        """Return how it was asked."""
        return {method for method, _ in self.asked}

    def downloads(self) -> Counter[str]:
        """Return how often the bytes of each file were asked for."""
        found = {path: count for (_, path), count in self.asked.items() if path.endswith("/content")}
        return Counter({path.split("/")[-2]: count for path, count in found.items()})

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """Return status and body; bytes go out as they are."""
        if left := self.faults.get(path):
            status, code, message = left.pop(0)
            return status, {"error": {"message": message, "type": "t", "param": None, "code": code or None}}
        thing = self._thing(path.removeprefix("/v1/").split("/"), query)
        if thing is None:
            return 404, {"error": {"message": "No such thing.", "type": "invalid_request_error", "code": None}}
        return 200, thing

    def _thing(self, parts: list[str], query: dict[str, list[str]]) -> Any:
        match parts:
            case ["models"]:
                found: Any = {"object": "list", "data": [self._model(name) for name in self.shutdowns]}
            case ["fine_tuning", "jobs"]:
                found = _page(self.runs, query)
            case ["fine_tuning", "jobs", run]:
                found = next((one for one in self.runs if one["id"] == run), None)
            case ["fine_tuning", "jobs", run, "events"]:
                found = _page([an_event(run, 2), an_event(run, 1)], query)
            case ["fine_tuning", "jobs", run, "checkpoints"]:
                found = _page([_checkpoint(run)], query)
            case ["files", file]:
                found = self._file(file)
            case ["files", file, "content"]:
                found = self.files[file][1] if file in self.files else None
            case _:
                found = None
        return found

    def _model(self, name: str) -> dict[str, Any]:
        told = {"shutdown_date": self.shutdowns[name]}
        return {"id": name, "object": "model", "created": CREATED, "owned_by": "org-acme"} | told

    def _file(self, file: str) -> dict[str, Any] | None:
        if file not in self.files:
            return None
        name, content = self.files[file]
        size = len(content) + (1_000 if file in self.short else 0)
        about = {"id": file, "object": "file", "bytes": size, "created_at": CREATED, "filename": name}
        return about | {"purpose": "fine-tune", "status": "processed"}


def _page(things: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    limit, after = int(query.get("limit", ["20"])[0]), query.get("after", [""])[0]
    ids = [thing["id"] for thing in things]
    start = ids.index(after) + 1 if after else 0
    page = things[start : start + limit]
    return {"object": "list", "data": page, "has_more": start + limit < len(things)}


def _checkpoint(run: str) -> dict[str, Any]:
    return {
        "object": "fine_tuning.job.checkpoint",
        "id": f"ftckpt-{run}",
        "created_at": CREATED,
        "fine_tuned_model_checkpoint": f"ft:{BASE}:acme::{run}:ckpt-step-2",
        "step_number": 2,
        "metrics": {"step": 2, "train_loss": 1.4},
        "fine_tuning_job_id": run,
    }


class _Handler(BaseHTTPRequestHandler):
    told: ClassVar[OldAccount]

    def _do(self) -> None:
        split = urlsplit(self.path)
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.told.asked[self.command, split.path] += 1
        status, body = self.told.answer(split.path, parse_qs(split.query))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/octet-stream" if isinstance(body, bytes) else "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _do  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay quiet."""
