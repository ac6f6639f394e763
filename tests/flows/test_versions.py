"""A report's findings mended at a press: a new version beside the untouched original, with its report and its file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from finetune.mending import Recipe
from jobstore.states import Kind
from tests.finetune.test_containers import table
from tests.flows.conversation import PATIENCE_S, rows
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from jobstore.records import Dataset, Record
    from sandbox.client import Message, Workspace
    from tests.flows.conversation import Conversation

VERSION_STORY: Final = ["VersionAsked", "VersionMade", "DatasetChecked"]


def with_repeats(name: str) -> bytes:
    """14 rows, of which rows 15 and 16 repeat the first two."""
    lines = rows(name).splitlines(keepends=True)
    return b"".join([*lines, *lines[:2]])


def pairs(name: str, **last: str) -> bytes:
    lines = [{"prompt": f"{name} {n} ->", "completion": f" kind {n % 3} END"} for n in range(14)]
    return "".join(json.dumps(line) + "\n" for line in [*lines, *([last] if last else [])]).encode()


def versions(talk: Conversation) -> list[Record[Dataset]]:
    """Return the versions that were made in this conversation, newest first."""
    made = [dataset for dataset in talk.stack.listed(Kind.DATASET) if dataset.data.made]
    return [dataset for dataset in made if dataset.data.filename.startswith(talk.name)]


def version(talk: Conversation) -> Record[Dataset]:
    """Return the one version that was made in this conversation."""
    found = [
        d for d in talk.stack.listed(Kind.DATASET) if d.data.made and d.data.made.source_name.startswith(talk.name)
    ]
    assert len(found) == 1, [d.ref.id for d in found]
    return found[0]


def stored(talk: Conversation, sha256: str) -> bytes:
    (path,) = (talk.stack.home / "blobs").rglob(sha256)
    return path.read_bytes()


def the_file(talk: Conversation, dropped: Message, name: str) -> Message:
    """Wait for the version's rows to stand in the thread."""

    def look(workspace: Workspace) -> Message | None:
        thread = workspace.messages(talk.channel, dropped.ts)
        return next((m for m in thread if any(file["name"] == name for file in m.files)), None)

    return talk.stack.workspace.wait_for(look, PATIENCE_S)


def insist_on_one_card_and_one_file(talk: Conversation, dropped: Message) -> None:
    name = f"{talk.name}-v2.jsonl"
    the_file(talk, dropped, name)
    said = talk.replies(dropped)
    assert sum("Version 2" in message.text for message in said) == 1
    assert sum(file["name"] == name for message in said for file in message.files) == 1


def test_repeated_rows_are_deleted_in_a_version_that_is_trained(talk: Conversation) -> None:
    content = with_repeats(talk.name)
    dropped = talk.drop(content)
    report = talk.report(dropped)
    talk.press(report, "Apply 1 safe fix")
    card = talk.report(dropped, "Version 2")

    assert "2 repeated rows deleted: rows 15 and 16." in card.text
    assert "14 rows" in card.text
    assert "untouched" in card.text
    made = version(talk)
    assert (made.state, made.data.filename) == ("accepted", f"{talk.name}-v2.jsonl")
    assert talk.events(made) == VERSION_STORY
    assert stored(talk, made.data.sha256) == rows(talk.name)
    original = talk.dataset()
    assert stored(talk, original.data.sha256) == content
    assert made.data.made is not None
    assert made.data.made.parent == original.ref.id
    assert Recipe.from_json(stored(talk, made.data.made.recipe)).fixes == ("duplicate-row",)
    insist_on_one_card_and_one_file(talk, dropped)

    assert talk.launch(card).closed
    talk.finish()
    assert talk.job().data.request.dataset == made.ref.id


def test_the_same_fix_again_is_the_same_version(talk: Conversation) -> None:
    dropped = talk.drop(with_repeats(talk.name))
    report = talk.report(dropped)
    talk.press(report, "Apply 1 safe fix")
    talk.report(dropped, "Version 2")
    talk.press(report, "Apply 1 safe fix")

    talk.person.ephemeral(f"That is *{version(talk).ref.id}* already")
    assert talk.events(version(talk)) == VERSION_STORY


def test_rows_that_only_a_person_can_mend_are_named_as_in_the_original(talk: Conversation) -> None:
    lines = with_repeats(talk.name).splitlines(keepends=True)
    bad = b'{"messages": [{"role": "user", "content": "and?"}]}\n'
    dropped = talk.drop(b"".join([lines[0], *lines, bad]))
    report = talk.report(dropped, "blocks training")
    talk.press(report, "Apply 1 safe fix")
    card = talk.report(dropped, "Version 2")

    assert f"Row 18 of {talk.filename} still needs you." in card.text
    assert version(talk).state == "rejected"


def test_rows_with_empty_answers_are_deleted_where_that_is_chosen(talk: Conversation) -> None:
    dropped = talk.drop(pairs(talk.name, prompt="why ->", completion=""))
    report = talk.report(dropped, "blocks training")
    assert "Apply" not in " ".join(report.buttons)
    talk.press(report, "Delete 1 row with empty answers")

    card = talk.report(dropped, "Version 2")
    assert "1 row with an empty answer deleted: row 15." in card.text
    assert "Ready to train" in card.text


def test_pairs_become_chat_with_the_system_message_of_a_form(talk: Conversation) -> None:
    dropped = talk.drop(pairs(talk.name))
    talk.press(talk.report(dropped), "Convert to chat…")
    assert talk.person.submit(talk.person.view("Convert"), {"system": "Sort."}).closed
    talk.report(dropped, "Version 2")

    first: Any = json.loads(stored(talk, version(talk).data.sha256).splitlines()[0])
    assert first["messages"] == [
        {"role": "system", "content": "Sort."},
        {"role": "user", "content": f"{talk.name} 0"},
        {"role": "assistant", "content": "kind 0"},
    ]


def test_korean_columns_are_mapped_and_trained(talk: Conversation) -> None:
    lines = [{"번호": str(n), "질문": f"{talk.name} 문의 {n}", "답변": f"환불 {n % 3}"} for n in range(40)]
    dropped = talk.drop(table(lines).encode("cp949"), filename=f"{talk.name}.csv")
    report = talk.report(dropped, "or map them")
    talk.press(report, "Map columns…")
    form = talk.person.view("Map columns")
    assert (form.values["What is asked"], form.values["The answer to learn"]) == ("질문", "답변")
    refused = talk.person.submit(form, {"The answer to learn": "(none)"})
    assert "one the answer" in refused.errors["completion"]
    assert talk.person.submit(form, {"The answer to learn": "답변", "System message": "짧게 답하세요."}).closed
    card = talk.report(dropped, "Version 2")

    assert "Columns mapped in 40 rows." in card.text
    assert "Ready to train" in card.text
    assert talk.launch(card).closed
    talk.finish()
    job = talk.job().data
    trained = [json.loads(line) for blob in filter(None, (job.train_blob, job.valid_blob))
               for line in stored(talk, blob).splitlines()]  # fmt: skip
    assert {row["messages"][0]["content"] for row in trained} == {"짧게 답하세요."}
    asked = {row["messages"][1]["content"]: row["messages"][2]["content"] for row in trained}
    assert asked == {line["질문"]: line["답변"] for line in lines}


def test_versions_by_command_and_versions_of_versions(talk: Conversation) -> None:
    lines = pairs(talk.name).splitlines(keepends=True)
    dropped = talk.drop(b"".join([*lines, lines[0]]))
    talk.report(dropped)
    first = talk.dataset().ref.id
    talk.person.command("/tune", f"fix {first}")
    talk.person.ephemeral(f"Making a new version of *{first}*")
    talk.report(dropped, "Version 2")
    second = version(talk).ref.id
    talk.person.command("/tune", f"convert {second} to=chat system=Sort these.")
    talk.person.ephemeral(f"Making a new version of *{second}*")
    card = talk.report(dropped, "Version 3")

    assert f"{talk.name}-v2.jsonl" in card.text
    the_file(talk, dropped, f"{talk.name}-v3.jsonl")
    talk.person.command("/tune", f"fix {second}")
    talk.person.ephemeral("nothing here that I can mend safely")
    talk.person.command("/tune", f"convert {second} to=turns")
    talk.person.ephemeral("They can become to=chat")
    talk.person.command("/tune", f"fix {first}")
    talk.person.ephemeral(f"That is *{second}* already")


def test_rows_are_shown_to_the_one_who_asks_alone(talk: Conversation) -> None:
    dropped = talk.drop(pairs(talk.name, prompt=f"why {talk.name} ->", completion=""))
    report = talk.report(dropped, "blocks training")
    talk.press(report, "Show rows")

    assert "Row 15." in talk.person.ephemeral(f"why {talk.name} ->").text
    assert not any(f"why {talk.name}" in reply.text for reply in talk.replies(dropped))


@pytest.mark.parametrize("point", ["task.claimed", "mend.done", "check.done", "file.uploaded"])
def test_death_while_mending_loses_nothing(talk: Conversation, point: str) -> None:
    dropped = talk.drop(with_repeats(talk.name))
    report = talk.report(dropped)
    wait_for(lambda: talk.stack.outbox.pending(talk.dataset().ref.team) == 0)  # or the report's own post is struck
    talk.stack.strike(point)
    talk.press(report, "Apply 1 safe fix")
    talk.stack.wait_until_struck(point)
    talk.report(dropped, "Version 2")

    insist_on_one_card_and_one_file(talk, dropped)
    assert talk.events(version(talk)) == VERSION_STORY


def test_a_version_of_a_sample_stands_in_the_thread_of_its_card(talk: Conversation) -> None:
    before = [m.ts for m in talk.stack.workspace.messages(talk.channel)]
    talk.person.command("/tune", "templates sentiment", channel=talk.channel)
    report = talk.stack.workspace.wait_for_message(
        talk.channel, "Ready to train", where=lambda m: "sentiment" in m.text and m.ts not in before,
        timeout_s=PATIENCE_S,
    )  # fmt: skip
    talk.press(report, "Convert to prompt and completion")

    card = talk.report(report, "Version 2")
    assert "written as prompt and completion" in card.text
    assert "prompt-completion" in card.text
