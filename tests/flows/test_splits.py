"""A dataset divided in its thread: three parts that do not know one another, each a dataset to train or test with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from finetune.contract import PromptContract
from finetune.splitting.likeness import likeness_of
from jobstore.states import Kind
from tests.flows.conversation import PATIENCE_S, Conversation
from tests.support.waiting import wait_for

if TYPE_CHECKING:
    from jobstore.records import Dataset, Record
    from sandbox.client import Message

LABELS = ("billing", "shipping", "account")


def some_rows(name: str, count: int = 90) -> bytes:
    """Return rows of three classes, some of which repeat others in other letters."""
    said = [f"{name} ticket {number}" for number in range(count)] + [f"{name.upper()} Ticket {n}!" for n in range(10)]
    answers = [LABELS[number % len(LABELS)] for number in range(count)] + [LABELS[n % len(LABELS)] for n in range(10)]
    lines = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]}
        for asked, answer in zip(said, answers, strict=True)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def parts(talk: Conversation) -> dict[str, Record[Dataset]]:
    """Return the parts that were made in this conversation, by what they are for."""
    found = [one for one in talk.stack.listed(Kind.DATASET) if one.data.made and one.data.made.part]
    mine = [one for one in found if one.data.made and one.data.made.source_name.startswith(talk.name)]
    assert len({one.data.made.part for one in mine if one.data.made}) == len(mine), [one.ref.id for one in mine]
    return {one.data.made.part: one for one in mine if one.data.made}


def lines_of(talk: Conversation, part: Record[Dataset]) -> list[bytes]:
    (path,) = (talk.stack.home / "blobs").rglob(part.data.sha256)
    return path.read_bytes().splitlines()


def all_checked(talk: Conversation, count: int = 3) -> dict[str, Record[Dataset]]:
    """Wait until every part is there, checked and said, with its file."""
    wait_for(lambda: [one.state for one in parts(talk).values()] == ["accepted"] * count, timeout_s=2 * PATIENCE_S)
    wait_for(lambda: talk.stack.outbox.pending(talk.dataset().ref.team) == 0, timeout_s=PATIENCE_S)
    return parts(talk)


def dropped_and_checked(talk: Conversation, **more: Any) -> tuple[Message, Message]:
    dropped = talk.drop(some_rows(talk.name, **more))
    return dropped, talk.report(dropped)


def test_a_line_divides_a_dataset_into_parts_that_are_trained_and_validated_with(talk: Conversation) -> None:
    dropped, _ = dropped_and_checked(talk)
    handle = talk.dataset().ref.id
    talk.person.command("/tune", f"split {handle} valid=10 test=20 seed=7", channel=talk.channel)
    told = talk.person.ephemeral("to validate with").text
    made = all_checked(talk)

    rows = {part: lines_of(talk, one) for part, one in made.items()}
    assert sorted(line for part in rows.values() for line in part) == sorted(some_rows(talk.name).splitlines())
    assert (len(rows["valid"]), len(rows["test"])) == (10, 20)
    said = {part: {likeness_of(line).said for line in lines} for part, lines in rows.items()}
    assert not said["train"] & said["valid"]
    assert not said["test"] & (said["train"] | said["valid"])
    card = talk.report(dropped, "Test rows")
    assert "20 of 100 rows; 70 to train on, 10 to validate with while it trains." in card.text
    assert "seed 7, in proportion from 3 labels" in card.text
    assert "10 rows resemble another one" in card.text
    names = {f"{talk.name}-{part}.jsonl" for part in ("train", "valid", "test")}
    wait_for(lambda: {file["name"] for m in talk.replies(dropped) for file in m.files} == names, timeout_s=PATIENCE_S)

    train, valid = made["train"].ref.id, made["valid"].ref.id
    assert f"/tune train {train} valid={valid}" in told
    line = f"train {train} valid={valid} suffix={talk.name} epochs=1"
    talk.person.command("/tune", line, channel=talk.channel)
    card = talk.finish()
    talk.notice(card, "20 of 20 test rows asked")
    job = talk.job().data
    assert (job.request.dataset, job.valid_blob) == (train, made["valid"].data.sha256)
    contract = PromptContract.from_json(next((talk.stack.home / "blobs").rglob(job.contract)).read_bytes())
    assert {label.text for label in contract.labels} == set(LABELS)


def test_the_menu_of_a_report_divides_it_the_same_way_again(talk: Conversation) -> None:
    _, report = dropped_and_checked(talk)
    talk.press(report, "Split: train, validation, test")
    talk.person.ephemeral("Splitting")
    made = all_checked(talk)
    talk.press(report, "Split: train, validation, test")
    talk.person.ephemeral("That split is there already")
    talk.stack.workspace.wait_for_quiet()

    assert {part: one.ref.id for part, one in parts(talk).items()} == {p: one.ref.id for p, one in made.items()}
    assert len(lines_of(talk, made["valid"])) == 20  # the rule for classes: a fifth
    assert len(lines_of(talk, made["test"])) == 10


def test_what_cannot_be_split_is_said_with_what_to_write(talk: Conversation) -> None:
    dropped_and_checked(talk)
    handle = talk.dataset().ref.id
    for line, said in {
        f"split {handle} valid=90": "is a percentage",
        f"split {handle} valid=none test=none": "in one part",
        f"split {handle} vaild=10": "Did you mean valid=?",
        "split": "which one you mean",
    }.items():
        talk.person.command("/tune", line, channel=talk.channel)
        talk.person.ephemeral(said)
    assert parts(talk) == {}


def test_too_few_rows_leave_a_part_empty_and_it_says_so(talk: Conversation) -> None:
    dropped = talk.drop()
    talk.report(dropped)
    talk.person.command("/tune", f"split {talk.dataset().ref.id} valid=20 test=40", channel=talk.channel)
    few = talk.report(dropped, "Test rows")
    assert "Ready to measure a model with" in few.text  # four rows are few to train on, and not to test with
    assert not any("Train" in button for button in few.buttons)
    talk.report(dropped, "I could not make the validation rows")


def test_death_while_splitting_loses_nothing(talk: Conversation) -> None:
    dropped, _ = dropped_and_checked(talk)
    wait_for(lambda: talk.stack.outbox.pending(talk.dataset().ref.team) == 0)
    talk.stack.strike("mend.done")
    talk.person.command("/tune", f"split {talk.dataset().ref.id} test=10", channel=talk.channel)
    talk.stack.wait_until_struck("mend.done")
    made = all_checked(talk)

    assert sum(len(lines_of(talk, one)) for one in made.values()) == 100
    wait_for(lambda: len(talk.replies(dropped)) == 1 + 2 * 3, timeout_s=PATIENCE_S)
    talk.stack.workspace.wait_for_quiet()
    assert len(talk.replies(dropped)) == 1 + 2 * 3
