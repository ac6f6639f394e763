"""A Slack that refuses the newer blocks: the bot speaks in blocks that every Slack knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation


def test_whole_story_is_told_without_newer_blocks(talk: Conversation) -> None:
    talk.stack.workspace.switch(older_blocks=True)
    before = len(talk.stack.workspace.calls())

    talk.train()
    card = talk.finish()
    talk.ask(card, f"{talk.name} ticket 1")
    talk.answer(card)
    talk.person.command("/tune", "help")
    talk.person.ephemeral("/tune train")
    talk.person.command("/tune", f"show {talk.job().ref.id}")
    talk.person.ephemeral(talk.name)

    refused = [call for call in talk.stack.workspace.calls()[before:] if call["error"] == "invalid_blocks"]
    assert refused == []
    talk.insist_on_one_of_everything(answers=1)
