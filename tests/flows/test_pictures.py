"""The picture of a dataset's tokens: asked for by a button, posted once, in the thread of its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.flows.conversation import PATIENCE_S, Conversation, rows

if TYPE_CHECKING:
    from sandbox.client import Message, Workspace


def pictures(talk: Conversation, thread: Message) -> list[str]:
    return [file["id"] for m in talk.replies(thread) for file in m.files if file["name"].endswith("-tokens.png")]


def a_picture(talk: Conversation, thread: Message) -> bytes:
    def look(workspace: Workspace) -> bytes | None:
        found = pictures(talk, thread)
        return workspace.file_content(found[0]) if found else None

    return talk.stack.workspace.wait_for(look, PATIENCE_S)


def test_a_button_puts_the_picture_into_the_thread_once(talk: Conversation) -> None:
    dropped = talk.drop(rows(talk.name, 40), filename=f"{talk.name} 티켓.jsonl")
    report = talk.report(dropped)
    assert len(talk.replies(dropped)) == 1
    talk.press(report, "Tokens")
    assert a_picture(talk, dropped).startswith(b"\x89PNG")
    talk.person.ephemeral("tokens stands in its thread")
    talk.press(report, "Tokens")
    talk.stack.workspace.wait_for_quiet()
    assert len(pictures(talk, dropped)) == 1


def test_the_same_bytes_again_have_their_picture_too(talk: Conversation) -> None:
    talk.report(talk.drop())
    again = talk.drop()
    talk.press(talk.report(again, "Already checked"), "Tokens")
    assert a_picture(talk, again).startswith(b"\x89PNG")


def test_a_report_that_is_a_message_of_its_own_has_the_picture_below_it(talk: Conversation) -> None:
    before = [m.ts for m in talk.stack.workspace.messages(talk.channel)]
    talk.person.command("/tune", "templates support-conversations-ja", channel=talk.channel)
    report = talk.stack.workspace.wait_for_message(
        talk.channel,
        "Ready to train",
        where=lambda m: "support-conversations-ja" in m.text and m.ts not in before,
        timeout_s=PATIENCE_S,
    )
    talk.press(report, "Tokens")
    assert a_picture(talk, report).startswith(b"\x89PNG")


def test_what_cannot_be_read_has_no_picture(talk: Conversation) -> None:
    report = talk.report(talk.drop(b"neither this\nnor that\n"), "No row can be read")
    assert "Tokens" not in report.buttons
