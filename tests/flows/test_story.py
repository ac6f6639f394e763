"""The whole way, from a dropped file to an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation


def test_dropped_file_becomes_a_model_that_answers(talk: Conversation) -> None:
    talk.train()
    card = talk.finish()

    talk.ask(card, f"{talk.name} ticket 1")
    answer = talk.answer(card)

    assert f"> {talk.name} ticket 1" in answer.text
    assert " tokens · free" in answer.text
    assert [talk.events(prompt) for prompt in talk.prompts()] == [["PromptAsked", "PromptAnswered"]]
    talk.insist_on_one_of_everything(answers=1)


def test_two_events_for_one_file_make_one_reply(talk: Conversation) -> None:
    dropped = talk.drop()
    talk.report(dropped)

    talk.stack.workspace.wait_for_quiet()
    told = {d["what"] for d in talk.stack.workspace.deliveries() if d["kind"] == "events_api"}

    assert {"message.file_share", "file_shared"} <= told
    assert len(talk.replies(dropped)) == 1
    assert talk.dataset().state == "accepted"
