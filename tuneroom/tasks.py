"""Where RQ calls in: one callable, and nothing else runs."""

from __future__ import annotations

import functools
import gc
import logging
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from rq import Queue, SimpleWorker, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from finetune.check import check
from jobstore.connections import UNAVAILABLE, connect_rq
from jobstore.doorbell import PERFORM, ref_of_task
from tuneroom import wiring
from tuneroom.settings import Settings
from workers import curves_chart, preloading, tokens_chart
from workers.perform import perform as perform_stage

if TYPE_CHECKING:
    from jobstore.store import Store
    from workers.workshop import Workshop

log = logging.getLogger(__name__)

# RQ notices a dead worker after about a minute with these; the lease and the follower ring much sooner.
WORKER_TTL_S: Final = 30
MAINTENANCE_S: Final = 10
MONITORING_S: Final = 5
# RQ doubles its wait for Redis up to a minute: after an outage of 30 s, work would lie for half a minute more
RECONNECT_S: Final = 2.0


@functools.cache
def _workshop() -> Workshop:
    return wiring.workshop(Settings.from_environment())


def perform(kind: str, name: str) -> None:
    """Do the stage that a record stands in. RQ's only callable; both arguments are ids."""
    perform_stage(_workshop(), ref_of_task(kind, name))


class Task(Job):
    """RQ's record of a ring. Write access to Redis must not be execution: a queued `os.system` is refused.

    RQ imports whatever name stands in the record, for the function and for three callbacks; here there is one.
    """

    @property
    def func(self) -> Any:
        """The one callable."""
        if self.func_name != PERFORM or self.instance:
            msg = f"refused to run {self.func_name!r}"
            raise PermissionError(msg)
        return perform

    @property
    def success_callback(self) -> Any:
        """None."""
        return None

    @property
    def failure_callback(self) -> Any:
        """None."""
        return None

    @property
    def stopped_callback(self) -> Any:
        """None."""
        return None


def work(queue: str, redis_url: str) -> None:
    """Work on one queue until told to stop. One queue a process: a worker on two can lose a task between them."""
    warm(queue)  # before the fork: what a child inherits it does not build again
    connection = connect_rq(redis_url)
    # a fork for each task, so that a crash in a check takes nothing else with it; not on macOS, where a forked child
    # of a process with threads may hang: there a crash ends the worker, which its supervisor restarts
    forks = sys.platform != "darwin"
    kind = Worker if forks else SimpleWorker
    worker = kind(
        [Queue(queue, connection=connection, serializer=JSONSerializer, job_class=Task)],
        job_class=Task,
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        maintenance_interval=MAINTENANCE_S,
        job_monitoring_interval=MONITORING_S,
        log_job_description=False,
        work_horse_killed_handler=functools.partial(let_go, _workshop().store),
    )
    worker.max_connection_wait_time = RECONNECT_S
    worker.work(logging_level="WARNING")


def let_go(store: Store, task: Job, pid: int, *_: Any) -> None:
    """A task's process has died: what it held is due at once, and need not wait for its lease to lapse."""
    kind, name = cast("tuple[str, str]", task.args)
    ref = ref_of_task(kind, name)
    try:
        if store.lapse(ref, pid):
            log.info("lease.ended", extra={"team": ref.team, "ref": ref.member})
    except UNAVAILABLE:
        log.warning("redis.unavailable")  # it lapses by itself


def warm(queue: str) -> None:
    """Load what every child would otherwise load anew: the tokenizer's ranks and the plotting take a second each."""
    shop = _workshop()
    preloading.load_sdk()
    if queue == "runs":
        curves_chart.warm()
    if queue == "checks":
        row = b'{"prompt": "a", "completion": "b"}\n'
        check([row], filename="warm.jsonl", models=shop.models, catalogue=shop.catalogue)
        tokens_chart.warm()
    gc.freeze()  # a collection in a child would write to every page that it shares with this process
