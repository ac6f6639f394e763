"""Slack does the work and its answer is lost, while its history lags: what was posted is found, and stands once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.conversation import PATIENCE_S, training
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation

LAG_S = 3


def test_root_and_replies_lost_while_history_lags_stand_there_once(talk: Conversation) -> None:
    report = talk.report(talk.drop())
    talk.stack.workspace.switch(drop_reply={"method": "chat.postMessage", "count": 3}, history_lag_s=LAG_S)
    looked_up = len(talk.stack.workspace.calls("conversations.history"))

    assert talk.launch(report).closed  # its card, the results and the notice are each posted into the void
    talk.finish()

    assert len(talk.stack.workspace.calls("conversations.history")) > looked_up
    assert talk.stack.workspace.calls("conversations.replies")
    talk.insist_on_one_of_everything()


def test_answer_lost_while_history_lags_is_given_once(talk: Conversation) -> None:
    talk.train()
    card = talk.finish()
    talk.stack.workspace.switch(drop_reply={"method": "chat.postMessage", "count": 1}, history_lag_s=LAG_S)

    talk.ask(card, f"{talk.name} ticket 1")
    talk.answer(card)

    wait_for(lambda: talk.stack.outbox.pending(talk.job().ref.team) == 0, timeout_s=PATIENCE_S)
    talk.insist_on_one_of_everything(answers=1)


def test_edit_lost_in_mid_training_is_made_again(talk: Conversation) -> None:
    card = training(talk)
    talk.stack.workspace.switch(drop_reply={"method": "chat.update", "count": 2}, history_lag_s=LAG_S)

    talk.finish()

    talk.insist_on_one_of_everything()
    assert [m.ts for m in talk.stack.workspace.messages("#tuning") if talk.name in m.text and m.is_bot] == [card.ts]
