"""Promise 3: rung late, twice or never is harmless, because the due entry rings again."""

from __future__ import annotations

import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rq import Queue
from rq.serializers import JSONSerializer

from jobstore.connections import connect_rq
from jobstore.doorbell import PERFORM, QUEUES, WAITS_S, Doorbell, ref_of_task
from jobstore.records import Ref
from jobstore.states import Actor, Kind
from tests.support.samples import TEAM, a_job, a_prompt, recorded
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    import redis

    from jobstore.store import Store

DUE = "tuneroom:{T1}:due:worker"


def make_due(peek: redis.Redis, ref: Ref) -> None:
    """Let the time pass until the record is due."""
    peek.zadd(DUE, {ref.member: 1})


def test_ring_that_was_lost_is_made_again(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    assert store.ring_again(TEAM) == [], "whoever recorded it has just rung"
    make_due(peek, ref)
    assert store.ring_again(TEAM) == [ref]
    assert store.ring_again(TEAM) == []


def test_waiting_in_line_backs_off_from_10_s_to_5_min(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    waits_s = []
    for _ in range(8):
        make_due(peek, ref)
        assert store.ring_again(TEAM) == [ref]
        waits_s.append(round((store.next_due_ms(TEAM, Actor.WORKER) or 0) / 1000))
    assert waits_s == [10, 20, 40, 80, 160, 300, 300, 300]


def test_lapsed_lease_rings_at_once_and_backs_off_from_the_start(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    for _ in range(5):
        make_due(peek, ref)
        store.ring_again(TEAM)
    assert store.claim(ref, ["requested"], 30) is not None
    assert wait_for(lambda: store.ring_again(TEAM)) == [ref]
    assert (store.next_due_ms(TEAM, Actor.WORKER) or 0) <= 10_000, "the claim proved that rings are heard"


def test_ghost_is_not_rung(store: Store, peek: redis.Redis) -> None:
    ref, ghost = recorded(store), recorded(store)
    peek.delete("tuneroom:{T1}:" + ghost.member)
    make_due(peek, ref)
    make_due(peek, ghost)
    assert store.ring_again(TEAM) == [ref]
    assert peek.zscore(DUE, ghost.member) is None


def test_only_workers_are_rung_for(store: Store, peek: redis.Redis) -> None:
    ref = recorded(store)
    record = store.get(ref)
    assert record is not None
    for state in ("uploading", "creating", "queued"):
        record = store.transition(record, state, a_job())
    assert store.due(TEAM, Actor.FOLLOWER) == [ref]
    assert store.ring_again(TEAM) == []


def test_finished_record_is_never_rung(store: Store) -> None:
    record = store.get(recorded(store, a_prompt()))
    assert record is not None
    store.transition(record, "failed", a_prompt(), due_in_ms=0)
    assert store.ring_again(TEAM) == []
    assert all(store.next_due_ms(TEAM, actor) is None for actor in Actor)


def test_sweep_takes_the_longest_due_first(store: Store, peek: redis.Redis) -> None:
    refs = [recorded(store) for _ in range(3)]
    for number, ref in enumerate(reversed(refs)):
        peek.zadd(DUE, {ref.member: 1 + number})
    assert store.ring_again(TEAM, limit=2) == refs[:0:-1]
    assert store.ring_again(TEAM) == refs[:1]


def test_doorbell_names_the_one_callable_on_the_queue_of_the_kind(rq_connection: redis.Redis) -> None:
    doorbell = Doorbell(rq_connection)
    refs = [Ref("T1", kind, f"{kind.value[0]}7") for kind in Kind]
    for ref in refs:
        doorbell.ring(ref)
        queue = Queue(QUEUES[ref.kind], connection=rq_connection, serializer=JSONSerializer)
        task = queue.get_jobs()[-1]
        assert (task.func_name, task.args, task.kwargs) == (PERFORM, [ref.kind.value, f"T1.{ref.id}"], {})
        assert ref_of_task(*task.args) == ref
        assert task.timeout
    assert {QUEUES[kind] for kind in Kind} == {"checks", "runs", "prompts"}


JOB = Ref("T1", Kind.JOB, "j1")
RUNG = "tuneroom:{T1}:rung:job:j1"


def in_line(connection: redis.Redis) -> list[str]:
    """The ids of the tasks that wait on the jobs' queue."""
    return Queue("runs", connection=connection, serializer=JSONSerializer).get_job_ids()


def take(connection: redis.Redis) -> str:
    """Take the first task, as a worker does; it goes on while the test does."""
    taken = Queue.dequeue_any(
        [Queue("runs", connection=connection, serializer=JSONSerializer)],
        timeout=None,
        connection=connection,
        serializer=JSONSerializer,
    )
    assert taken is not None
    return taken[0].id


def test_ring_that_waits_in_line_is_enough(rq_connection: redis.Redis) -> None:
    """One worker with a long line: the follower rings again and again for what has not had its turn."""
    others = [Ref("T1", Kind.JOB, "j2"), Ref("T2", Kind.JOB, "j1")]
    for ref in (JOB, *others, JOB, *others, JOB):
        Doorbell(rq_connection).ring(ref)
    tasks = Queue("runs", connection=rq_connection, serializer=JSONSerializer).get_jobs()
    assert [ref_of_task(*task.args) for task in tasks] == [JOB, *others]


def test_ring_during_the_task_stands_in_line_behind_it(rq_connection: redis.Redis) -> None:
    """What is done now may have read the record before it changed; and a task rings for the stage after its own."""
    doorbell = Doorbell(rq_connection)
    doorbell.ring(JOB)
    taken = take(rq_connection)
    doorbell.ring(JOB)
    doorbell.ring(JOB)
    [waiting] = in_line(rq_connection)
    assert waiting != taken, "RQ would forget it together with the one that ends"
    assert take(rq_connection) == waiting
    doorbell.ring(JOB)
    assert len(in_line(rq_connection)) == 1


def test_ring_whose_ringer_died_before_it_stood_in_line_is_made_again(
    rq_connection: redis.Redis, peek: redis.Redis
) -> None:
    peek.set(RUNG, "T1-j1-named-and-never-put")
    Doorbell(rq_connection).ring(JOB)
    assert len(in_line(rq_connection)) == 1


def test_ring_that_expired_in_line_is_made_again(rq_connection: redis.Redis, peek: redis.Redis) -> None:
    doorbell = Doorbell(rq_connection)
    doorbell.ring(JOB)
    [expired] = in_line(rq_connection)
    peek.delete(f"rq:job:{expired}")
    doorbell.ring(JOB)
    [_, waiting] = in_line(rq_connection)
    assert take(rq_connection) == waiting, "RQ passes over what has expired"


def test_ring_that_is_made_again_waits_as_long_as_a_new_one(rq_connection: redis.Redis, peek: redis.Redis) -> None:
    doorbell = Doorbell(rq_connection)
    doorbell.ring(JOB)
    [task] = in_line(rq_connection)
    for key in (f"rq:job:{task}", RUNG):
        peek.expire(key, 60)
    doorbell.ring(JOB)
    assert in_line(rq_connection) == [task]
    assert all(peek.ttl(key) > WAITS_S / 2 for key in (f"rq:job:{task}", RUNG))


def test_crowd_of_ringers_leaves_a_ring_in_line(redis_url: str, rq_connection: redis.Redis) -> None:
    def ring(_: int) -> None:
        with connect_rq(redis_url) as connection:
            Doorbell(connection).ring(JOB)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ring, range(24)))
    waiting = in_line(rq_connection)
    assert waiting, "more than one, where they rang in the same moment: that is harmless"
    Doorbell(rq_connection).ring(JOB)
    assert in_line(rq_connection) == waiting


def test_doorbell_pickles_nothing(rq_connection: redis.Redis) -> None:
    Doorbell(rq_connection).ring(Ref("T1", Kind.JOB, "j1"))
    [key] = [key for key in rq_connection.keys(b"rq:job:*") if not key.endswith(b":results")]
    data = JSONSerializer.loads(zlib.decompress(rq_connection.hget(key, "data") or b""))
    assert data == [PERFORM, None, ["job", "T1.j1"], {}]
