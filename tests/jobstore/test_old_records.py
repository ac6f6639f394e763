"""Records that earlier releases wrote: read as they were meant, and settled where their money was reserved."""

from __future__ import annotations

import json

import msgspec

from jobstore.jobs import Job
from jobstore.records import Ref, read
from jobstore.states import Kind

REQUEST = {
    "dataset": "d1", "sha256": "ab" * 32, "format": "chat", "provider": "openai", "model": "gpt-4o-mini-2024-07-18",
    "suffix": "support-bot", "seed": 7, "epochs": 3, "batch_size": None, "learning_rate_multiplier": None,
    "holdout_percent": 10,
    "quote": {"low_usd": 1.0, "high_usd": 2.0, "epochs": 3, "tokens": 40_000, "prices_as_of": "2026-11-01"},
}  # fmt: skip
DIGEST_1 = "7d47e3c7"
"""The beginning of what the release of schema 1 computed for this request: what its person confirmed."""

JOB = {
    "channel": "C1", "person": "U1", "request": REQUEST, "digest": "", "contract": "cd" * 32, "month": "2026-11",
    "confirmed_ms": 1, "reserved_micros": 2_000_000, "title": "support-bot", "person_name": "Mina", "rows": 14,
    "train_blob": "11" * 32, "valid_blob": "", "sample": "", "train_file": "file-1", "valid_file": "",
    "intent": {"id": "i-1", "posted_ms": 5}, "intents": 0, "run": "ftjob-1", "run_created_ms": 6,
    "progress": {"status": "running", "step": 3, "total_steps": 9, "train_loss": 1.5, "previous_loss": 1.7,
                 "valid_loss": None, "first_step_ms": 1, "last_step_ms": 2, "last_event": "e-9"},
    "model": "", "result_file": "", "trained_tokens": None, "cost_usd": None, "results": None, "probe_since_ms": 0,
    "ready_ms": 0, "refusal": None, "note": "",
}  # fmt: skip


def record_1() -> Job:
    """A job as the release of schema 1 wrote it, in the middle of its run."""
    fields = {
        "schema": "1", "state": "training", "version": "9", "data": json.dumps(JOB), "cancel": "", "attempts": "0",
        "created_ms": "1", "updated_ms": "2",
    }  # fmt: skip
    return read(Ref("T1", Kind.JOB, "j1"), fields).data


def test_job_of_schema_1_is_supervised_and_has_no_accounts() -> None:
    job = record_1()
    assert (job.request.method, job.request.parent, job.request.validation) == ("supervised", None, None)
    assert (job.accounts, job.checkpoints, job.wish) == ((), (), "")
    assert job.progress.step == 3


def test_digest_of_schema_1_still_holds() -> None:
    """A job that waited while the processes were upgraded is not refused as changed."""
    assert record_1().request.digest().startswith(DIGEST_1)


def test_what_is_written_now_is_read_back() -> None:
    job = record_1()
    assert msgspec.json.decode(msgspec.json.encode(job), type=Job) == job
