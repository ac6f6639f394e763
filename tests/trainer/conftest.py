"""A real trainer process, spoken to by the real openai SDK; one for each test worker, and one job trained on it."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from openai import OpenAI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "finetune" / "samples" / "ticket-routing.jsonl"
KEY = "sk-local-test"
ENDED = ("succeeded", "failed", "cancelled")
Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None], seconds: float = 90.0) -> Found:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"nothing to see after {seconds} s")


@dataclass
class TrainerProcess:
    """`python -m trainer` on a free port, over a directory that outlives it."""

    home: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    client: OpenAI = field(init=False)

    def start(self) -> TrainerProcess:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "key").write_text(KEY + "\n")
        port_file = self.home / "port"
        port_file.unlink(missing_ok=True)
        arguments = ["--port", "0", "--port-file", port_file, "--api-key-file", self.home / "key"]
        # as whoever starts it in earnest does: several threads take longer over matrices this small than one
        command = ["env", "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", sys.executable, "-m", "trainer", *arguments]
        command += ["--data-dir", self.home / "data", *self.options]
        self.process = subprocess.Popen([str(part) for part in command], cwd=ROOT)
        wait_for(lambda: port_file.exists() or self.process.poll() is not None)
        base_url = f"http://127.0.0.1:{int(port_file.read_text())}/v1"
        self.client = OpenAI(base_url=base_url, api_key=KEY, max_retries=0)
        return self

    def switch(self, **changes: Any) -> dict[str, Any]:
        """Make it misbehave."""
        url = str(self.client.base_url.join("/trainer/switches"))
        return self.client.post(url, body=changes, cast_to=dict[str, Any])

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.client.close()
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        self.client.close()
        self.process.kill()
        self.process.wait(30)

    def upload(self, rows: list[dict[str, Any]] | bytes, name: str = "rows.jsonl") -> str:
        raw = rows if isinstance(rows, bytes) else b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        return self.client.files.create(file=(name, raw), purpose="fine-tune").id

    def create(self, file_id: str, epochs: int | str = 1, batch: int | str = 4, **more: Any) -> FineTuningJob:
        hyperparameters = {"n_epochs": epochs, "batch_size": batch}
        method = {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}
        return self.client.fine_tuning.jobs.create(
            **{"model": "toy-gpt", "training_file": file_id, "method": method, **more}
        )

    def wait(self, job_id: str, *statuses: str) -> FineTuningJob:
        """Wait for one of the statuses, by default for the end."""

        def look() -> FineTuningJob | None:
            job = self.client.fine_tuning.jobs.retrieve(job_id)
            return job if job.status in (statuses or ENDED) else None

        return wait_for(look)

    def wait_for_step(self, job_id: str, step: int) -> None:
        wait_for(lambda: any(event.data["step"] >= step for event in self.metrics(job_id)))

    def events(self, job_id: str) -> list[FineTuningJobEvent]:
        """Every event, oldest first."""
        return list(self.client.fine_tuning.jobs.list_events(job_id, limit=100))[::-1]

    def metrics(self, job_id: str) -> list[FineTuningJobEvent]:
        return [event for event in self.events(job_id) if event.type == "metrics"]

    def is_training(self, job_id: str) -> bool:
        """Whether a process holds the lock that every training process holds."""
        lock = self.home / "data" / "jobs" / job_id / "training.lock"
        if not lock.exists():
            return False
        with lock.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


@dataclass(frozen=True)
class Trained:
    """The ticket-routing sample, trained on nine tenths of it and validated on the rest."""

    trainer: TrainerProcess
    job: FineTuningJob
    held_out: list[dict[str, Any]]
    seconds: float


def sample_rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLE.read_text().splitlines()]


def chat_rows(count: int) -> list[dict[str, Any]]:
    """Rows that differ, for tests where quality is not the point."""
    return sample_rows()[:count]


@pytest.fixture(scope="session")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainerProcess]:
    running = TrainerProcess(tmp_path_factory.mktemp("trainer")).start()
    yield running
    running.stop()


@pytest.fixture
def own_trainer(tmp_path: Path) -> Iterator[TrainerProcess]:
    """A trainer that the test may kill."""
    running = TrainerProcess(tmp_path / "trainer").start()
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="session")
def trained(trainer: TrainerProcess) -> Trained:
    rows = sample_rows()
    held_out, rest = rows[:20], rows[20:]
    begun = time.monotonic()
    job = trainer.client.fine_tuning.jobs.create(
        model="toy-gpt",
        training_file=trainer.upload(rest),
        validation_file=trainer.upload(held_out),
        suffix="tickets",
        seed=7,
        metadata={"intent": "sample"},
    )
    done = trainer.wait(job.id)
    assert done.status == "succeeded", done.error
    return Trained(trainer, done, held_out, time.monotonic() - begun)
