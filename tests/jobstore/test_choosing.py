"""Which of a run's models answers: a person's choice, recorded once and told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from finetune.errors import UserError
from jobstore.choosing import use_checkpoint
from jobstore.jobs import Checkpoint
from tests.support.samples import TEAM, a_job, recorded

if TYPE_CHECKING:
    import redis

    from jobstore.jobs import Job
    from jobstore.outbox import Outbox
    from jobstore.records import Record, Ref
    from jobstore.store import Store

PATH = ("uploading", "creating", "queued", "training", "analysing", "probing", "ready")
CHECKPOINTS = (Checkpoint(name="ft:x:ckpt-step-90", step=90), Checkpoint(name="ft:x:ckpt-step-60", step=60))


def stand_at(store: Store, state: str) -> Record[Job]:
    """Return a job with two checkpoints in a state."""
    ref = recorded(store, a_job(model="ft:x", checkpoints=CHECKPOINTS))
    for step in PATH[: PATH.index(state) + 1]:
        store.transition(now(store, ref), step, now(store, ref).data)
    return now(store, ref)


def now(store: Store, ref: Ref) -> Record[Job]:
    record = store.get(ref)
    assert record is not None
    return record


def test_a_checkpoint_answers_until_the_finished_model_does_again(store: Store, outbox: Outbox) -> None:
    record = stand_at(store, "ready")
    before = outbox.pending(TEAM)
    use_checkpoint(store, record, "U1", 60)
    assert (now(store, record.ref).state, now(store, record.ref).data.answering) == ("ready", "ft:x:ckpt-step-60")
    use_checkpoint(store, now(store, record.ref), "U1", 0)
    assert now(store, record.ref).data.answering == "ft:x"
    assert outbox.pending(TEAM) == before + 3  # the card, and a post for each choice
    assert [entry["step"] for entry in store.audit(TEAM)] == [60, 0]
    chosen = [event for event in store.events(record.ref) if event["type"] == "CheckpointChosen"]
    assert [(event["person"], event["step"]) for event in chosen] == [("U1", 60), ("U1", 0)]


def test_choosing_what_answers_already_changes_nothing(store: Store) -> None:
    record = stand_at(store, "ready")
    assert use_checkpoint(store, record, "U1", 0).version == record.version
    assert store.audit(TEAM) == []


def test_a_kept_model_is_kept_after_a_choice(store: Store, peek: redis.Redis) -> None:
    record = stand_at(store, "ready")
    use_checkpoint(store, record, "U1", 60)
    assert peek.ttl(f"tuneroom:{{{TEAM}}}:{record.ref.member}") == -1


@pytest.mark.parametrize(("state", "step", "code"), [("probing", 60, "not-ready"), ("ready", 75, "checkpoint-gone")])
def test_what_cannot_be_chosen_is_said(store: Store, state: str, step: int, code: str) -> None:
    with pytest.raises(UserError) as raised:
        use_checkpoint(store, stand_at(store, state), "U1", step)
    assert raised.value.code == code


def test_the_second_of_two_who_choose_at_once_is_told(store: Store) -> None:
    record = stand_at(store, "ready")
    use_checkpoint(store, record, "U1", 60)
    with pytest.raises(UserError) as raised:
        use_checkpoint(store, record, "U2", 90)
    assert raised.value.code == "chosen-meanwhile"
    assert now(store, record.ref).data.used_step == 60
