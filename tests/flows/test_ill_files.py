"""Files that are not what they seem: each is answered in words that say what to do, and the next one is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.flows.conversation import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.flows.conversation import Conversation

MB: Final = 1024 * 1024
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


@pytest.fixture(autouse=True)
def next_file_is_checked(talk: Conversation) -> Iterator[None]:
    """Whatever was dropped before, a good file dropped after it is checked, and the bad one has one reply."""
    yield
    talk.stack.workspace.switch(login_page=False, declared_size=None)
    talk.report(talk.drop(rows(f"{talk.name} again"), filename="next.jsonl"))


def test_empty_file(talk: Conversation) -> None:
    reply = talk.report(talk.drop(b""), "The file is empty.")

    assert "Save the examples in it" in reply.text
    assert talk.dataset().state == "unreadable"
    assert "Train" not in " ".join(reply.buttons)


def test_file_declared_as_a_gigabyte_is_not_fetched(talk: Conversation) -> None:
    talk.stack.workspace.switch(declared_size=1024 * MB)
    reply = talk.report(talk.drop(), "larger than 512 MB")

    assert "Split it, or drop a sample of its rows." in reply.text
    assert talk.dataset().data.refusal
    assert talk.dataset().data.sha256 == ""


def test_picture_called_jsonl(talk: Conversation) -> None:
    reply = talk.report(talk.drop(PNG), "This is a picture")

    assert "JSONL" in reply.text
    assert talk.dataset().state == "unreadable"


def test_binary_called_jsonl(talk: Conversation) -> None:
    talk.report(talk.drop(bytes(range(256)) * 400), "This is a binary file, not text")

    assert talk.dataset().state == "unreadable"


def test_login_page_instead_of_the_bytes(talk: Conversation) -> None:
    talk.stack.workspace.switch(login_page=True)
    reply = talk.report(talk.drop(), "a login page in place of the file")

    assert "files:read" in reply.text
    assert talk.dataset().data.sha256 == ""


def test_line_of_20_mb_is_read_and_its_neighbours_too(talk: Conversation) -> None:
    words = b"word " * (4 * MB)
    long = b'{"messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "a"}]}\n' % words
    reply = talk.report(talk.drop(long + rows(talk.name)), "is longer than the model reads")

    assert "15 rows" in reply.text
    assert "Row 1 " in reply.text
    assert talk.dataset().state == "accepted"


def test_bytes_that_are_not_utf8_are_named_by_row(talk: Conversation) -> None:
    bad = b'{"prompt": "caf\xe9 ->", "completion": " yes"}\n'
    lines = rows(talk.name).splitlines(keepends=True)
    reply = talk.report(talk.drop(b"".join([*lines[:4], bad, *lines[4:]])), "not UTF-8")

    assert "Row 5 has bytes that are not UTF-8 text" in reply.text
    assert "Save the file as UTF-8" in reply.text
    assert talk.dataset().state == "rejected"


def test_nine_examples_are_too_few(talk: Conversation) -> None:
    reply = talk.report(talk.drop(rows(talk.name, 9)), "9 examples")

    assert "blocks training" in reply.text
    assert "10" in reply.text
    assert talk.dataset().state == "rejected"
    assert not [button for button in reply.buttons if button.startswith("Train")]


def test_name_that_is_a_broadcast_notifies_nobody(talk: Conversation) -> None:
    name = f"<!channel> {talk.name}.jsonl"
    dropped = talk.drop(filename=name)
    report = talk.report(dropped)
    assert talk.launch(report).closed
    card = talk.finish()

    assert name in report.text
    here = {dropped.ts, card.ts}
    mentioned = [m for m in talk.stack.workspace.mentions("jun") if {m.ts, m.thread_ts} & here]
    assert mentioned == []


def test_file_that_is_no_training_data_is_left_alone(talk: Conversation) -> None:
    dropped = talk.drop(b"%PDF-1.7 minutes of the meeting", filename=f"{talk.name}.pdf")
    said = talk.person.ephemeral(f"{talk.name}.pdf")

    assert "does not look like training data" in said.text
    assert talk.replies(dropped) == []
