"""The socket is cut without a word: what happens meanwhile is told after it has come back, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.conversation import PATIENCE_S, rows, training

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation


def test_socket_cut_again_and_again_in_mid_training_costs_nothing(talk: Conversation) -> None:
    training(talk)
    for _ in range(3):
        talk.stack.workspace.disconnect("abrupt")
        talk.stack.workspace.wait_for_app(PATIENCE_S)

    card = talk.finish()
    talk.ask(card, f"{talk.name} ticket 1")
    talk.answer(card)

    talk.insist_on_one_of_everything(answers=1)


def test_file_dropped_while_the_socket_is_cut_is_checked_once(talk: Conversation) -> None:
    talk.stack.workspace.disconnect("abrupt")
    dropped = talk.drop(rows(talk.name))

    talk.report(dropped)

    assert len(talk.replies(dropped)) == 1


def test_socket_cut_between_a_submission_and_its_acknowledgement_starts_one_job(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    talk.person.click(report, "train")
    form = talk.person.view("Train")
    values = {"suffix": talk.name, "epochs": "1"}
    talk.stack.workspace.switch(redeliver_interactions=3)
    assert talk.person.submit(form, values).closed
    talk.stack.workspace.disconnect("abrupt")

    talk.finish()

    talk.insist_on_one_of_everything()
