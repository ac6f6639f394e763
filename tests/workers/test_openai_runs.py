"""A run as OpenAI's protocol tells of it, whoever speaks it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from workers.openai_dialects import ORIGINAL
from workers.openai_runs import SaidRun, decoded, run_of
from workers.provider import ErrorKind, ProviderError, Run, RunStatus

BECAME = {"n_epochs": 4, "batch_size": 1, "learning_rate_multiplier": 0.3}
AUTO = dict.fromkeys(BECAME, "auto")


def read(**said: Any) -> Run:
    whole = {"id": "ftjob-1", "status": "succeeded", **said}
    return run_of(decoded(json.dumps(whole).encode(), SaidRun), ORIGINAL)


def within(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, kind: {"hyperparameters": settings}}


@pytest.mark.parametrize("kind", ["supervised", "dpo", "reinforcement"])
@pytest.mark.parametrize("beside", [None, {}, AUTO], ids=["null", "empty", "auto"])
def test_what_auto_became_is_read_within_the_method(kind: str, beside: dict[str, Any] | None) -> None:
    """OpenAI's own examples of runs by preference and by reinforcement have it there alone."""
    run = read(hyperparameters=beside, method=within(kind, BECAME))
    assert (run.epochs, run.rate) == (4, 0.3)


@pytest.mark.parametrize("method", [
    None, "dpo", {}, {"type": "dpo"}, within("dpo", AUTO), {"dpo": "auto"}, {"dpo": {"hyperparameters": [1]}}, 7,
])  # fmt: skip
def test_what_auto_became_is_read_beside_the_method(method: Any) -> None:
    run = read(hyperparameters=BECAME, method=method)
    assert (run.epochs, run.rate) == (4, 0.3)


def test_what_is_still_auto_is_not_known() -> None:
    run = read(hyperparameters=AUTO, method=within("supervised", AUTO))
    assert (run.epochs, run.rate) == (None, None)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("validating_files", RunStatus.WAITING), ("queued", RunStatus.WAITING), ("running", RunStatus.RUNNING),
        ("pausing", RunStatus.RUNNING), ("paused", RunStatus.PAUSED), ("succeeded", RunStatus.SUCCEEDED),
        ("failed", RunStatus.FAILED), ("cancelled", RunStatus.CANCELLED), ("of tomorrow", RunStatus.RUNNING),
    ],
)  # fmt: skip
def test_every_status_of_the_protocol_is_known_and_another_is_still_going(said: str, status: RunStatus) -> None:
    assert read(status=said).status is status


def test_a_status_that_is_not_known_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """Once a process: thousands of runs may have it, and each is looked at every minute."""
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            read(status="polishing the weights")
        read(status="running")
    assert [(line.message, getattr(line, "status", "")) for line in caplog.records] == [
        ("run.status_unknown", "polishing the weights")
    ]


@pytest.mark.parametrize("error", [None, {}, {"code": None, "message": None, "param": None}])
def test_run_without_an_error_has_none_however_that_is_told(error: Any) -> None:
    assert (read(error=error).error_code, read(error=error).error_message) == ("", "")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"id": NaN, "status": "running"}', b"[" * 100_000])
def test_what_is_no_run_is_no_answer_where_it_may_be_paid_for(content: bytes) -> None:
    for is_paid, kind in ((False, ErrorKind.RETRY), (True, ErrorKind.UNSURE)):
        with pytest.raises(ProviderError) as raised:
            decoded(content, SaidRun, is_paid=is_paid)
        assert raised.value.kind is kind
