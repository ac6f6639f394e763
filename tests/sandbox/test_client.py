"""The person's client: what it says when something is not there, and what it makes of what is."""

import pytest
from slack_sdk import WebClient

from sandbox.client import Person, RefusedError, WaitedInVainError, Workspace
from sandbox.transcript import readable


def test_waiting_in_vain_shows_what_was_said_instead(workspace: Workspace, mina: Person) -> None:
    dropped = mina.drop("#tuning", "tickets.jsonl", b"{}\n")
    mina.say("#tuning", "anybody?", thread_ts=dropped.ts)
    with pytest.raises(WaitedInVainError) as failed:
        workspace.wait_for_message("#tuning", "Ready to train", timeout_s=0.1)
    assert "== tuning\nmina: [file: tickets.jsonl]\n  ↳ mina: anybody?" in str(failed.value)


def test_what_cannot_be_pressed_is_named_with_what_can(slack: WebClient, workspace: Workspace, mina: Person) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Train…"}, "action_id": "train"}
    slack.chat_postMessage(channel="#tuning", text="report", blocks=[{"type": "actions", "elements": [button]}])
    report = workspace.wait_for_message("#tuning")
    assert report.buttons == ["Train…"]
    with pytest.raises(LookupError, match=r"nothing here is called 'Sing'; there are 'Train…', 'train'"):
        mina.click(report, "Sing")


def test_people_only_act_where_they_are(workspace: Workspace) -> None:
    with pytest.raises(RefusedError, match="gil is not in partners"):
        workspace.as_user("gil").say("#partners", "hello")
    with pytest.raises(LookupError, match="no user 'nobody'; there are mina, jun, gil, ext, tuneroom"):
        workspace.as_user("nobody")


def test_a_mention_notifies_and_escaped_text_does_not(slack: WebClient, workspace: Workspace, mina: Person) -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "row 1: &lt;!channel&gt;"}}]
    plain = [{"type": "section", "text": {"type": "plain_text", "text": "row 1: <!channel>"}}]
    slack.chat_postMessage(channel="#tuning", text="escaped", blocks=blocks)
    slack.chat_postMessage(channel="#tuning", text="plain", blocks=plain)
    last = slack.chat_postMessage(channel="#tuning", text=f"<@{mina.id}> trained")
    workspace.wait_for_message("#tuning", "@mina trained")
    assert [message.ts for message in workspace.mentions("mina")] == [last["ts"]]
    slack.chat_postMessage(channel="#tuning", text="row 2: <!channel>")
    workspace.wait_for(lambda w: len(w.mentions("mina")) == 2)
    assert "row 1: <!channel>" in workspace.transcript("#tuning")
    assert "row 2: @channel" in workspace.transcript("#tuning")


def test_switches_have_names(workspace: Workspace) -> None:
    with pytest.raises(RefusedError, match="no such switch: colour"):
        workspace.switch(colour="red")


def test_the_transcript_reads_blocks_as_a_person_would(slack: WebClient, workspace: Workspace) -> None:
    def cell(text: str) -> dict[str, str]:
        return {"type": "raw_text", "text": text}

    task = {"type": "task_card", "task_id": "1", "title": "Train", "status": "in_progress"}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Report"}},
        {"type": "table", "rows": [[cell("Row"), cell("Finding")], [cell("17"), cell("Empty reply")]]},
        {"type": "plan", "title": "j42", "tasks": [task]},
        {"type": "divider"},
    ]
    slack.chat_postMessage(channel="#tuning", text="report", blocks=blocks)
    message = workspace.wait_for_message("#tuning", "Report")
    assert message.text.split("\n") == ["Report", "Row | Finding", "17 | Empty reply", "j42", "◐ Train", "---"]


def test_a_transcript_shows_a_dates_fallback() -> None:
    assert readable("since <!date^1763700000^{date} at {time}|21 November> <!here>") == "since 21 November @here"
    assert readable("<!date^1763700000^{date}>") == "{date}"
