"""A job's life besides the straight way: pause and resume, lineage, the same again, a model that is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobstore.states import Kind
from sandbox.people import TEAM_ID
from tests.flows.conversation import PATIENCE_S, Conversation, training
from tests.support.provider_front import CREATE
from tests.support.stack import fresh_name
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from jobstore.jobs import Job
    from jobstore.records import Record
    from sandbox.client import Message

PAUSE = ("POST", "/v1/fine_tuning/jobs/*/pause")


def told(talk: Conversation, line: str) -> str:
    """Type a command; return what only the one who typed it is told."""
    name = talk.person.name
    before = len(talk.stack.workspace.ephemerals(name))
    talk.person.command("/tune", line)
    talk.stack.workspace.wait_for(lambda w: len(w.ephemerals(name)) > before or None, PATIENCE_S)
    return talk.stack.workspace.ephemerals(name)[-1].text


def started(talk: Conversation) -> Record[Job]:
    """The newest job of this conversation's name."""
    return talk.stack.jobs(talk.name)[0]


def pausable(talk: Conversation) -> Message:
    """Start a run of a while; return its card once it can be paused there."""
    training(talk, epochs=50)
    return talk.stack.workspace.wait_for_message(
        talk.channel, where=lambda m: talk.name in m.text and "Pause" in m.buttons, timeout_s=PATIENCE_S
    )


def run_status(talk: Conversation) -> str:
    return talk.stack.runs(talk.name)[0]["status"]


def audited(talk: Conversation, act: str) -> list[dict[str, Any]]:
    member = started(talk).ref.member
    return [one for one in talk.stack.store.audit(TEAM_ID) if one.get("act") == act and one.get("on") == member]


def test_run_is_paused_from_its_card_and_goes_on_by_command(talk: Conversation) -> None:
    talk.press(pausable(talk), "Pause")
    card = talk.card("Paused")
    assert run_status(talk) == "paused"
    assert "Resume" in card.buttons
    assert "is paused already" in told(talk, f"pause {started(talk).ref.id}")

    assert "Resuming" in told(talk, f"resume {started(talk).ref.id}")
    wait_for(lambda: run_status(talk) in {"running", "succeeded"}, timeout_s=PATIENCE_S)
    talk.finish()
    assert [len(audited(talk, act)) for act in ("pause", "resume")] == [1, 1]
    assert {"PauseRequested", "ResumeRequested"} <= set(talk.events(started(talk)))
    assert "no run that could be paused" in told(talk, f"pause {started(talk).ref.id}")


def test_wish_to_pause_is_kept_while_the_provider_does_not_answer(talk: Conversation) -> None:
    """Its answer is lost after it paused: the wish is told again, and the run is paused once."""
    card = pausable(talk)
    talk.stack.front.drop_reply(PAUSE, times=1)
    talk.press(card, "Pause")
    talk.card("Paused")
    assert run_status(talk) == "paused"
    assert started(talk).data.wish == ""
    told(talk, f"cancel {started(talk).ref.id}")
    talk.card("Cancelled.")


def test_follower_that_dies_with_a_wish_at_hand_costs_time_only(talk: Conversation) -> None:
    card = pausable(talk)
    talk.stack.strike("follow.polled")
    talk.press(card, "Pause")
    talk.stack.wait_until_struck("follow.polled")
    talk.card("Paused")
    assert run_status(talk) == "paused"
    told(talk, f"cancel {started(talk).ref.id}")
    talk.card("Cancelled.")


def test_only_who_started_it_or_an_admin_may_pause_or_delete(talk: Conversation) -> None:
    """Jun, an admin, starts a job; Mina is no admin."""
    jun = Conversation(talk.stack, talk.stack.workspace.as_user("jun"), talk.name)
    training(jun, epochs=50)
    job = started(jun).ref.id
    for line in (f"pause {job}", f"resume {job}", f"delete {job.replace('j', 'm')}"):
        assert "Only the person who started this job or an admin" in told(talk, line)
    assert run_status(jun) == "running"
    told(jun, f"cancel {job}")
    jun.card("Cancelled.")


def test_lineage_tells_where_a_model_comes_from(talk: Conversation) -> None:
    talk.train()
    talk.finish()
    record = started(talk)
    job, model = record.data, record.ref.id.replace("j", "m")
    said = told(talk, f"show {model}")

    for fact in (
        job.request.sha256, job.digest, job.run, job.model, job.train_file, job.request.dataset, job.result_file,
        job.checkpoints[0].name, f"*Split seed:* {job.request.seed}", "*Quoted:* free",
        "*Method:* example (supervised)",
    ):  # fmt: skip
        assert fact in said, said


def test_same_request_is_made_again_for_a_new_confirmation(talk: Conversation) -> None:
    assert talk.launch(talk.report(talk.drop()), epochs="1", lr="x0.5", seed="5").closed
    talk.finish()
    first = started(talk)
    talk.person.command("/tune", f"reproduce {first.ref.id.replace('j', 'm')}")
    form = talk.person.view(f"The same as {first.ref.id}")
    assert len(talk.stack.jobs(talk.name)) == 1, "nothing is started before it is confirmed"
    assert talk.person.submit(form).closed

    wait_for(lambda: len(talk.stack.jobs(talk.name)) == 2 or None, timeout_s=PATIENCE_S)
    again = started(talk)
    wait_for(lambda: talk.stack.get(again.ref.id).state == "ready" or None, timeout_s=PATIENCE_S)
    assert again.data.request == first.data.request
    assert again.data.digest == first.data.digest
    assert len({run["id"] for run in talk.stack.runs(talk.name)}) == 2
    assert talk.stack.front.count(CREATE) == 2
    blobs = [talk.stack.get(job.ref.id).data.train_blob for job in (first, again)]
    assert blobs[0] == blobs[1]


def test_model_is_deleted_only_when_its_name_is_typed(talk: Conversation) -> None:
    talk.train()
    talk.finish()
    record = started(talk)
    model = record.ref.id.replace("j", "m")
    talk.person.command("/tune", f"delete {model}")
    form = talk.person.view("Delete a model")
    answer = talk.person.submit(form, {"model": "m99999"})
    assert "Nothing is deleted yet." in answer.errors["model"]
    assert models_like(talk, record.data.model) != []

    assert talk.person.submit(talk.person.view("Delete a model"), {"model": model}).closed
    card = talk.card("The model is deleted.")
    assert "Try it" not in card.buttons
    assert "is deleted at the provider" in talk.notice(card, "is deleted").text
    assert models_like(talk, record.data.model) == []
    assert [one["model"] for one in audited(talk, "delete-model")] == [record.data.model]
    assert "is deleted already" in told(talk, f"delete {model}")
    assert "has no model" in told(talk, f"try {model} hello")


def models_like(talk: Conversation, name: str) -> list[str]:
    return [model["id"] for model in talk.stack.ask_trainer("/models")["data"] if model["id"].startswith(name)]


def test_deletion_is_done_again_after_a_lost_answer(talk: Conversation) -> None:
    talk.train()
    talk.finish()
    record = started(talk)
    model = record.ref.id.replace("j", "m")
    talk.stack.front.drop_reply(("DELETE", "/v1/models/*"), times=2)
    talk.person.command("/tune", f"delete {model}")
    assert talk.person.submit(talk.person.view("Delete a model"), {"model": model}).closed
    talk.card("The model is deleted.")
    assert models_like(talk, record.data.model) == []


@pytest.mark.parametrize("line", ["pause j99999", "resume d1", "delete j1", "reproduce", "pause"])
def test_near_misses_are_told_what_to_name(talk: Conversation, line: str) -> None:
    said = told(talk, line)
    assert "I know no" in said or "I don't know which one you mean." in said


def test_list_mine_is_of_the_one_who_asks(talk: Conversation) -> None:
    talk.report(talk.drop())
    jun = Conversation(talk.stack, talk.stack.workspace.as_user("jun"), fresh_name("mine-of-jun"))
    jun.report(jun.drop())
    said = told(jun, "list mine")
    assert jun.name[:30] in said
    assert talk.name[:30] not in said
    assert {record.data.person for record in talk.stack.listed(Kind.DATASET)} >= {talk.person.id, jun.person.id}
