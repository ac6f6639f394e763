"""RQ as the doorbell: it says "look at this record", and nothing else. Rung twice, late or never, it is harmless."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from rq import Queue
from rq.serializers import JSONSerializer

from jobstore.records import Ref
from jobstore.states import Kind

if TYPE_CHECKING:
    from redis import Redis

PERFORM: Final = "tuneroom.tasks.perform"
QUEUES: Final[dict[Kind, str]] = {Kind.DATASET: "checks", Kind.JOB: "runs", Kind.PROMPT: "prompts"}
TASK_TIMEOUT_S: Final[dict[Kind, int]] = {Kind.DATASET: 1800, Kind.JOB: 3600, Kind.PROMPT: 300}


class Doorbell:
    """Rings for a record on the queue of its kind. `redis` must not decode its answers: RQ reads bytes."""

    def __init__(self, redis: Redis) -> None:
        self._queues = {kind: Queue(name, connection=redis, serializer=JSONSerializer) for kind, name in QUEUES.items()}

    def ring(self, ref: Ref) -> None:
        """Ask a worker to look at a record."""
        self._queues[ref.kind].enqueue_call(
            PERFORM,
            args=(ref.kind.value, f"{ref.team}.{ref.id}"),
            timeout=TASK_TIMEOUT_S[ref.kind],
            result_ttl=0,
            failure_ttl=3600,
            ttl=3600,
            # a new id each time: an id that is rung again would stand in the list twice
            job_id=f"{ref.team}-{ref.id}-{secrets.token_hex(6)}",
        )


def ref_of_task(kind: str, name: str) -> Ref:
    """Return the record that a task's arguments name."""
    team, _, handle = name.rpartition(".")
    return Ref(team, Kind(kind), handle)
