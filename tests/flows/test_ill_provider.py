"""A provider that refuses, fails, or never answers: said in words, never paid twice, never forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.conversation import PATIENCE_S, rows
from tests.support.provider_front import ANSWERS, CREATE, LIST, RETRIEVE, UPLOAD
from tests.support.stack import LEASE_S
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from sandbox.client import Message
    from tests.flows.conversation import Conversation


@pytest.mark.parametrize("where", [UPLOAD, CREATE], ids=["upload", "create"])
def test_401_says_whose_key_must_be_set(talk: Conversation, where: tuple[str, str]) -> None:
    talk.stack.front.answer(where, 401, code="invalid_api_key")
    said = failed(talk)

    assert "The provider refused the API key." in said.text
    assert "OPENAI_API_KEY" in said.text
    assert "othing was charged." in said.text
    assert talk.stack.runs(talk.name) == []


def test_403_training_not_available_is_final(talk: Conversation) -> None:
    talk.stack.front.answer(CREATE, 403, code="training_not_available")
    said = failed(talk)

    assert "This account may not start fine-tunes at this provider any more." in said.text
    assert "choose another provider or your own trainer" in said.text
    assert talk.stack.front.count(CREATE) == 1
    assert talk.job().data.refusal is not None
    assert talk.stack.store.spend(talk.job().ref.team, talk.job().data.month)[0] == 0


def test_account_that_may_not_fine_tune_is_told_so_before_anything_is_uploaded(talk: Conversation) -> None:
    talk.stack.front.answer(LIST, 403, message="Missing scopes: api.fine_tuning.jobs.read")
    said = failed(talk)

    assert "This account, or its key, may not fine-tune at this provider." in said.text
    assert "Nothing was sent or charged." in said.text
    assert (talk.stack.front.count(UPLOAD), talk.stack.front.count(CREATE)) == (0, 0)
    assert talk.stack.store.spend(talk.job().ref.team, talk.job().data.month)[0] == 0


def test_no_credit_left_is_final(talk: Conversation) -> None:
    talk.stack.front.answer(CREATE, 429, code="insufficient_quota")
    said = failed(talk)

    assert "no credit left" in said.text
    assert talk.stack.front.count(CREATE) == 1


def test_429_is_waited_for_as_long_as_it_says(talk: Conversation) -> None:
    talk.stack.front.answer(CREATE, 429, code="rate_limit_exceeded", retry_after_s=1.5, times=1)
    talk.train()
    # from the record: an edit of the card may come after the wait, when there is something newer to show
    wait_for(lambda: "The provider is busy and asked me to wait." in talk.job().data.note, timeout_s=PATIENCE_S)
    talk.finish()

    assert talk.stack.front.count(CREATE) == 2
    assert len(talk.stack.runs(talk.name)) == 1
    times = [event["at_ms"] for event in talk.stack.events(talk.job()) if event["type"] == "RunIntended"]
    assert times[1] - times[0] >= 1500


def test_500_on_create_is_not_tried_again(talk: Conversation) -> None:
    question = unclear(talk)

    assert question.mentions(talk.person.id)
    assert question.buttons == ["Name its run", "Start new (may pay twice)", "Give up"]
    assert talk.stack.front.count(CREATE) == 1
    assert talk.job().state == "unclear"


def test_unclear_run_is_started_anew_when_a_person_says_so(talk: Conversation) -> None:
    question = unclear(talk)
    talk.stack.front.calm()
    talk.person.click(question, "start_anew")
    talk.finish()

    assert talk.stack.front.count(CREATE) == 1
    assert "StartedAnew" in talk.events(talk.job())


def test_question_that_was_answered_pays_for_nothing_once_there_is_another(talk: Conversation) -> None:
    """Its buttons stay in the thread: whoever presses them late has not been asked about the second run."""
    first = unclear(talk)
    talk.person.click(first, "start_anew")
    wait_for(lambda: talk.events(talk.job()).count("RunUnclear") == 2, timeout_s=PATIENCE_S)
    talk.stack.front.calm()
    talk.person.click(first, "start_anew")

    assert "a newer question waits" in talk.person.ephemeral("newer question").text
    assert (talk.job().state, talk.events(talk.job()).count("StartedAnew")) == ("unclear", 1)
    assert talk.stack.front.count(CREATE) == 0
    newest = talk.stack.workspace.wait_for_message(
        talk.channel, "won't risk", thread_ts=talk.card().ts, where=lambda m: m.ts != first.ts, timeout_s=PATIENCE_S
    )
    talk.person.click(newest, "start_anew")
    talk.finish()
    assert len(talk.stack.runs(talk.name)) == 1


def test_unclear_run_is_followed_when_a_person_names_it(talk: Conversation) -> None:
    question = unclear(talk)
    other = talk.stack.start_run(talk.name, rows(talk.name))
    talk.person.click(question, "name_run")
    form = talk.person.view("Which run")
    assert talk.person.submit(form, {"run": "two words"}).errors
    assert talk.person.submit(form, {"run": other}).closed
    talk.finish()

    assert talk.job().data.run == other
    assert talk.stack.front.count(CREATE) == 1


def test_unclear_run_is_given_up_when_a_person_says_so(talk: Conversation) -> None:
    question = unclear(talk)
    talk.person.click(question, "give_up")
    said = talk.notice(talk.card("Failed."), "given up")

    assert "whether the provider made a run is unknown" in said.text
    assert talk.job().state == "failed"
    talk.person.click(question, "give_up")
    assert "decided already" in talk.person.ephemeral("decided already").text


def test_answer_lost_after_the_work_was_done_is_adopted(talk: Conversation) -> None:
    talk.stack.front.drop_reply(CREATE, times=1)
    talk.train()
    talk.finish()

    talk.insist_on_one_of_everything()
    assert talk.stack.front.count(CREATE) == 1
    assert len(talk.stack.runs(talk.name)) == 1


def test_silent_provider_is_looked_up_and_a_person_asked(talk: Conversation) -> None:
    talk.stack.front.hang(CREATE)
    card = talk.train()
    talk.notice(card, "won't risk paying twice")

    assert talk.stack.front.count(CREATE) == 1
    assert talk.stack.runs(talk.name) == []


def test_connection_lost_before_the_work_asks_a_person(talk: Conversation) -> None:
    talk.stack.front.drop(CREATE)
    card = talk.train()
    talk.notice(card, "won't risk paying twice")

    assert talk.stack.front.count(CREATE) == 1
    assert talk.stack.runs(talk.name) == []


def test_500_while_following_is_outlived(talk: Conversation) -> None:
    talk.stack.front.answer(RETRIEVE, 500, times=4)
    talk.train()
    talk.finish()

    talk.insist_on_one_of_everything()


def test_silence_while_following_is_outlived(talk: Conversation) -> None:
    """A poll that is never answered is given up within the lease."""
    talk.stack.front.hang(RETRIEVE, times=1)
    talk.train()
    talk.finish()

    talk.insist_on_one_of_everything()
    assert talk.longest_wait_s(talk.job()) < LEASE_S + 40  # the SDK by itself would wait for a minute


def test_key_refused_while_following_is_said_and_outlived(talk: Conversation) -> None:
    talk.stack.front.answer(RETRIEVE, 401, code="invalid_api_key")
    talk.train()
    talk.card("The run goes on; I keep asking.")
    talk.stack.front.calm()
    talk.finish()

    assert len(talk.stack.runs(talk.name)) == 1


def test_upload_that_fails_is_tried_again(talk: Conversation) -> None:
    talk.stack.front.answer(UPLOAD, 500, times=2)
    talk.train()
    talk.finish()

    talk.insist_on_one_of_everything()


def test_model_that_does_not_answer_yet_is_asked_again(talk: Conversation) -> None:
    talk.stack.front.answer(ANSWERS, 404, code="model_not_found", times=3)
    talk.train()
    talk.finish()

    talk.insist_on_one_of_everything()
    assert talk.stack.front.count(ANSWERS) == 4


def test_prompt_that_the_provider_refuses_is_answered_with_the_reason(talk: Conversation) -> None:
    talk.train()
    card = talk.finish()
    talk.stack.front.answer(ANSWERS, 400, code="no_such_reason", message="Not <this> & not <!channel>.")
    talk.ask(card, "hello")
    said = talk.notice(card, "did not answer")

    assert "The provider refused it" in said.text
    assert "Not <this> & not <!channel>." in said.text
    assert not said.mentions("nobody")
    talk.stack.front.calm()
    talk.person.click(said, "Try again")
    form = talk.person.view("Prompt")
    assert form.values["Prompt"] == "hello"
    assert talk.person.submit(form).closed
    talk.answer(card)


def test_provider_that_cannot_be_reached_is_waited_for(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    with talk.stack.without_front():
        assert talk.launch(report).closed
        talk.card("The provider cannot be reached.")
    talk.finish()

    talk.insist_on_one_of_everything()


def failed(talk: Conversation) -> Message:
    """Train with a provider that refuses; return what is said in the thread."""
    talk.train()
    card = talk.card("Failed.")
    said = talk.notice(card, "failed:")
    assert said.mentions(talk.person.id)
    assert "Cancel" not in card.buttons
    return said


def unclear(talk: Conversation) -> Message:
    """Train with a provider that fails on create; return the question to the person."""
    talk.stack.front.answer(CREATE, 500)
    card = talk.train()
    question = talk.notice(card, "won't risk paying twice")
    wait_for(lambda: talk.job().state == "unclear", timeout_s=PATIENCE_S)
    return question
