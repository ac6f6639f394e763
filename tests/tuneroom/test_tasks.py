"""RQ runs our one callable and nothing else: write access to Redis must not be execution."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rq import Queue, SimpleWorker
from rq.job import Callback
from rq.serializers import JSONSerializer

from jobstore.doorbell import PERFORM, ref_of_task
from jobstore.records import Ref
from jobstore.states import Kind
from tests.support.samples import TEAM, recorded
from tuneroom.tasks import Task, let_go

if TYPE_CHECKING:
    from pathlib import Path

    import redis

    from jobstore.store import Store


def work_off(connection: redis.Redis) -> None:
    queue = Queue("checks", connection=connection, serializer=JSONSerializer, job_class=Task)
    worker = SimpleWorker([queue], connection=connection, serializer=JSONSerializer, job_class=Task)
    worker.work(burst=True, logging_level="CRITICAL")


def test_a_queued_shell_command_is_refused(rq_connection: redis.Redis, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    queue = Queue("checks", connection=rq_connection, serializer=JSONSerializer)
    job = queue.enqueue_call("os.system", args=(f"touch {proof}",))
    work_off(rq_connection)
    assert not proof.exists()
    job.refresh()
    assert job.is_failed


def test_a_queued_callback_is_not_run_either(rq_connection: redis.Redis, tmp_path: Path) -> None:
    calls = [dict.fromkeys(("on_success", "on_failure", "on_stopped"), Callback("os.abort"))]
    queue = Queue("checks", connection=rq_connection, serializer=JSONSerializer)
    options: dict[str, Any] = calls[0]
    queue.enqueue_call("os.getpid", **options)
    work_off(rq_connection)  # an abort would have ended this process
    assert os.getpid()


def test_the_callable_that_is_rung_for_is_ours() -> None:
    module, _, name = PERFORM.rpartition(".")
    assert callable(getattr(sys.modules[module], name))


@pytest.mark.parametrize(("kind", "name"), [("job", "T1.j42"), ("dataset", "T.with.dots.d7")])
def test_a_task_names_its_record(kind: str, name: str) -> None:
    team, _, handle = name.rpartition(".")
    assert ref_of_task(kind, name) == Ref(team, Kind(kind), handle)


def test_what_a_dead_task_held_is_due_at_once(store: Store, rq_connection: redis.Redis) -> None:
    ref = recorded(store)
    assert store.claim(ref, ["requested"], 3_600_000) is not None
    task = Task.create(PERFORM, args=[ref.kind.value, f"{ref.team}.{ref.id}"], connection=rq_connection)

    let_go(store, task, os.getpid() + 1, 9)
    assert store.ring_again(TEAM) == []
    let_go(store, task, os.getpid(), 9)
    assert store.ring_again(TEAM) == [ref]
