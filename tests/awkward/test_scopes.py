"""A scope is missing: who can be told is told what to mend, and what waited is done once it is mended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.flows.conversation import PATIENCE_S, training
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation
    from tests.support.stack import Stack

MENDED_S = 60.0


def test_without_files_read_the_person_is_told_and_a_new_drop_is_checked_once_mended(talk: Conversation) -> None:
    talk.stack.workspace.switch(missing_scope=["files:read"])
    dropped = talk.drop()
    told = talk.report(dropped, "files:read scope")
    assert "Ask whoever runs me" in told.text
    assert talk.dataset().state == "unreadable"

    talk.stack.workspace.switch(missing_scope=[])
    again = talk.drop()

    talk.report(again)
    assert len(talk.replies(dropped)) == 1
    assert len(talk.replies(again)) == 1


def test_without_chat_write_nothing_is_lost_and_everything_is_said_once_mended(talk: Conversation) -> None:
    talk.stack.workspace.switch(missing_scope=["chat:write"])
    dropped = talk.drop()
    wait_for(lambda: logged(talk.stack, "delivery.failed", "missing_scope"), timeout_s=PATIENCE_S)
    wait_for(lambda: talk.dataset().state == "accepted", timeout_s=PATIENCE_S)
    assert talk.replies(dropped) == []

    talk.stack.workspace.switch(missing_scope=[])

    talk.report(dropped, timeout_s=MENDED_S)
    assert len(talk.replies(dropped)) == 1
    assert talk.stack.outbox.dead_letters(talk.dataset().ref.team) == []


def test_scope_that_goes_missing_in_mid_training_costs_the_news_of_that_time_only(talk: Conversation) -> None:
    training(talk)
    talk.stack.workspace.switch(missing_scope=["chat:write"])
    wait_for(lambda: talk.job().state == "ready", timeout_s=PATIENCE_S)

    talk.stack.workspace.switch(missing_scope=[])

    talk.card("Ready.", timeout_s=MENDED_S)
    talk.finish()
    talk.insist_on_one_of_everything()


def test_without_reactions_write_a_dataset_is_checked_all_the_same(talk: Conversation) -> None:
    talk.stack.workspace.switch(missing_scope=["reactions:write"])
    dropped = talk.drop()
    talk.report(dropped)
    shown = talk.stack.workspace.message(dropped)
    assert shown is not None
    assert shown.reactions == []


def test_without_users_read_nobody_is_let_in_and_the_person_is_told(talk: Conversation) -> None:
    jun = talk.stack.workspace.as_user("jun")
    talk.stack.kill("bot")  # it remembers for a while who somebody is
    talk.stack.workspace.wait_for_app(PATIENCE_S)
    talk.stack.workspace.switch(missing_scope=["users:read"])
    jun.command("/tune", "list")
    told = jun.ephemeral("I could not find out who may use me here", timeout_s=PATIENCE_S)
    assert "users:read" in told.text

    talk.stack.workspace.switch(missing_scope=[])
    talk.report(talk.drop())
    jun.command("/tune", "list")
    jun.ephemeral(talk.name, timeout_s=PATIENCE_S)


def logged(stack: Stack, event: str, reason: str) -> bool:
    """Whether the bot has logged an event with a reason."""
    lines = (stack.home / "logs" / "bot.log").read_text(errors="replace").splitlines()
    entries = [json.loads(line) for line in lines if line.startswith("{") and event in line]
    return any(entry.get("reason") == reason for entry in entries)
