"""Rows to begin from, dropped by a button, checked and trained like anybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from finetune.contract import PromptContract
from finetune.templates.shelf import TEMPLATES, find_sample
from jobstore.blobs import Blobs
from jobstore.states import Kind
from tests.flows.conversation import PATIENCE_S, Conversation
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from sandbox.client import Message


def offered(talk: Conversation, typed: str) -> Message:
    """Ask for the list and return it."""
    talk.stack.workspace.wait_for_app(PATIENCE_S)
    talk.person.command("/tune", typed, channel=talk.channel)
    return talk.person.ephemeral("Rows to begin from")


def dropped(talk: Conversation, filename: str, before: list[str]) -> Message:
    """Wait for the report of a sample, which is a message of its own."""
    return talk.stack.workspace.wait_for_message(
        talk.channel, "Ready to train", where=lambda m: filename in m.text and m.ts not in before, timeout_s=PATIENCE_S
    )


def roots(talk: Conversation) -> list[str]:
    return [m.ts for m in talk.stack.workspace.messages(talk.channel)]


def test_every_template_is_offered_with_a_button_for_each_language(talk: Conversation) -> None:
    shown = offered(talk, "list templates")
    samples = [sample for template in TEMPLATES for sample in template.samples]
    assert len(shown.buttons) == len(samples)
    assert any("한국어" in button for button in shown.buttons)
    assert any("日本語" in button for button in shown.buttons)


def test_a_button_drops_rows_that_are_checked_and_can_be_trained(talk: Conversation) -> None:
    shown, before = offered(talk, "templates"), roots(talk)
    talk.person.click(shown, "template_email-categories-ja")

    report = dropped(talk, "email-categories-ja.jsonl", before)
    assert "42 rows · chat" in report.text
    assert "Error" not in report.text
    file = wait_for(lambda: [f for m in talk.replies(report) for f in m.files], timeout_s=PATIENCE_S)[0]
    assert talk.stack.workspace.file_content(file["id"]) == find_sample("email-categories-ja")[1].content()
    assert "One category, always spelt the same" in talk.person.ephemeral("comes into this channel").text

    assert talk.launch(report).closed
    card = talk.finish()
    talk.ask(card, "荷物がまだ届きません")
    talk.answer(card)
    job = talk.job()
    contract = PromptContract.from_json(Blobs(str(talk.stack.home / "blobs")).read(job.ref.team, job.data.contract))
    assert {"billing", "shipping"} <= {label.text for label in contract.labels}


def test_a_newly_joined_channel_is_offered_a_sample(talk: Conversation) -> None:
    talk.person.invite_bot("#general")
    welcome = talk.stack.workspace.wait_for_message("#general", "I'm Tuneroom.", timeout_s=PATIENCE_S)
    before = [m.ts for m in talk.stack.workspace.messages("#general")]
    talk.person.click(welcome, "Try a sample")
    talk.stack.workspace.wait_for_message(
        "#general",
        "Ready to train",
        where=lambda m: "email-categories.jsonl" in m.text and m.ts not in before,
        timeout_s=PATIENCE_S,
    )


def test_a_template_is_dropped_by_its_name_and_once(talk: Conversation) -> None:
    talk.stack.workspace.switch(redeliver=3, redeliver_interactions=3)
    before = roots(talk)
    talk.person.command("/tune", "templates sentiment-ko", channel=talk.channel)
    report = dropped(talk, "sentiment-ko.jsonl", before)
    talk.stack.workspace.wait_for_quiet()

    found = [d for d in talk.stack.listed(Kind.DATASET) if d.data.filename == "sentiment-ko.jsonl"]
    assert len([d for d in found if talk.stack.outbox.ts(d.ref.team, f"card:{d.ref.member}") == report.ts]) == 1
    assert len([ts for ts in roots(talk) if ts not in before]) == 1
    wait_for(lambda: [f for m in talk.replies(report) for f in m.files], timeout_s=PATIENCE_S)


def test_a_template_that_there_is_not_is_answered_with_what_was_meant(talk: Conversation) -> None:
    talk.person.command("/tune", "templates sentimental", channel=talk.channel)
    assert "Did you mean sentiment?" in talk.person.ephemeral("no template of that name").text


def test_what_the_rows_teach_can_be_said_when_a_report_is_shown(talk: Conversation) -> None:
    talk.report(talk.drop())
    handle = talk.dataset().ref.id
    talk.person.command("/tune", f"show {handle} task=entity extraction", channel=talk.channel)
    assert "one of classification" in talk.person.ephemeral("no task of that name").text
    talk.person.command("/tune", f"show {handle} task=extraction", channel=talk.channel)
    assert "in the order of the text" in talk.person.ephemeral("This is extraction").text
