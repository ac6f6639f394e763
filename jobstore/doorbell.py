"""RQ as the doorbell: it says "look at this record", and nothing else. Rung twice, late or never, it is harmless."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, cast

from rq import Queue
from rq.job import Job as Task
from rq.serializers import JSONSerializer

from jobstore.keys import prefix
from jobstore.records import Ref
from jobstore.scripts import Scripts
from jobstore.states import Kind

if TYPE_CHECKING:
    from redis import Redis

    from jobstore.connections import Redis as Connection

PERFORM: Final = "tuneroom.tasks.perform"
QUEUES: Final[dict[Kind, str]] = {
    Kind.DATASET: "checks",
    Kind.JOB: "runs",
    Kind.PROMPT: "prompts",
    Kind.COMPARISON: "runs",  # it asks in turns of some seconds, for which a person's prompt must not wait
}
TASK_TIMEOUT_S: Final[dict[Kind, int]] = {
    Kind.DATASET: 1800,
    Kind.JOB: 3600,
    Kind.PROMPT: 300,
    Kind.COMPARISON: 3600,
}
WAITS_S: Final = 3600
"""How long a ring may wait in line, from when it was last rung."""


class Doorbell:
    """Rings for a record on the queue of its kind. `redis` must not decode its answers: RQ reads bytes."""

    def __init__(self, redis: Redis) -> None:
        self._queues = {kind: Queue(name, connection=redis, serializer=JSONSerializer) for kind, name in QUEUES.items()}
        self._run = Scripts(cast("Connection", redis))

    def ring(self, ref: Ref) -> None:
        """Ask a worker to look at a record. A ring that waits in line already is enough: it will see what is new."""
        queue = self._queues[ref.kind]
        # an id of its own each time: RQ would forget a ring that has the id of a task being done when that one ends
        task = f"{ref.team}-{ref.id}-{secrets.token_hex(6)}"
        rung = f"{prefix(ref.team)}rung:{ref.member}"
        if not self._run("ring_once", rung, queue.key, Task.redis_job_namespace_prefix, task, WAITS_S):
            return
        queue.enqueue_call(
            PERFORM,
            args=(ref.kind.value, f"{ref.team}.{ref.id}"),
            timeout=TASK_TIMEOUT_S[ref.kind],
            result_ttl=0,
            failure_ttl=3600,
            ttl=WAITS_S,
            job_id=task,
        )


def ref_of_task(kind: str, name: str) -> Ref:
    """Return the record that a task's arguments name."""
    team, _, handle = name.rpartition(".")
    return Ref(team, Kind(kind), handle)
