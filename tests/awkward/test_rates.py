"""Slack says "too many": what was to be said is said later, once, and not before Slack allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.conversation import rows, training

if TYPE_CHECKING:
    from tests.flows.conversation import Conversation

    Json = dict[str, Any]

RETRY_AFTER_S = 2


@pytest.mark.parametrize(
    "method",
    ["chat.postMessage", "chat.update", "files.getUploadURLExternal", "files.completeUploadExternal"],
)
def test_job_whose_messages_slack_limits_loses_and_doubles_nothing(talk: Conversation, method: str) -> None:
    report = talk.report(talk.drop())
    limit = {"method": method, "count": 2, "retry_after": RETRY_AFTER_S}
    talk.stack.workspace.switch(rate_limit=limit)
    before = {call["id"] for call in talk.stack.workspace.calls(method)}

    assert talk.launch(report).closed
    talk.finish()

    calls = talk.stack.workspace.wait_for(lambda w: served(w.calls(method), before) or None)
    refused = [number for number, call in enumerate(calls) if call["error"] == "ratelimited"]
    assert len(refused) == 2
    for number in refused:
        waited_s = calls[number + 1]["at"] - calls[number]["at"]  # of whole seconds
        assert waited_s >= RETRY_AFTER_S - 1, "Retry-After was not waited for"
    talk.insist_on_one_of_everything()


def served(calls: list[Json], before: set[str]) -> list[Json]:
    """What was called since, once the last of it was answered."""
    since = [call for call in calls if call["id"] not in before]
    return since if since and since[-1]["ok"] else []


def test_edit_that_slack_limits_does_not_hold_back_a_report(talk: Conversation) -> None:
    training(talk)
    talk.stack.workspace.switch(rate_limit={"method": "chat.update", "count": 1, "retry_after": 20})
    talk.stack.workspace.wait_for(lambda w: any(call["error"] == "ratelimited" for call in w.calls("chat.update")))

    dropped = talk.drop(rows(f"{talk.name}-other"), filename=f"{talk.name}-other.jsonl")

    talk.stack.workspace.wait_for(lambda w: len(w.messages("#tuning", dropped.ts)) > 1, 10)
    talk.report(dropped)  # an edit: as late as Slack will have it
    talk.finish()
