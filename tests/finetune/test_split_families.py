"""No part of a split knows another: whatever belongs together stays together, and every class goes everywhere."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.split import TRAIN_MIN, Split, split_jsonl, usual_share
from finetune.splitting.drawing import TEST, TRAIN, VALID, Family, draw
from finetune.splitting.likeness import folded, likeness_of
from tests.finetune.rows import jsonl, message

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = (  # noqa: SIM905 - words are easier read so
    "harbour lantern invoice parcel orchard engine velvet thunder pepper window gravel ribbon canvas mirror saddle"
    " turbine meadow copper whistle basket marble pocket ladder saffron anchor planet hammer button cactus drawer"
).split()
Row = dict[str, Any]


def text(number: int, length: int = 30) -> str:
    """Return words that no other number has in this order."""
    return " ".join(random.Random(number).choices(WORDS, k=length))


def ask(question: str, answer: str, **more: Any) -> Row:
    return {"messages": [message("user", question), message("assistant", answer)], **more}


def copy(number: int) -> list[Row]:
    row = ask(text(number), text(-number))
    return [row, dict(reversed([*row.items()])) | {"messages": [dict(reversed([*m.items()])) for m in row["messages"]]}]


def other_letters(number: int) -> list[Row]:
    said = text(number)
    wide = said.translate({ord(letter): ord(letter) + 0xFEE0 for letter in "abcdefghijklmnopqrstuvwxyz"})
    return [ask(said, "Yes."), ask(said.upper() + " !?", "yes"), ask(f"  {wide}…", "YES")]


def near(number: int) -> list[Row]:
    words = text(number, 60).split()
    changed = [*words[:40], "elephant", *words[41:]]
    return [ask(" ".join(words), text(-number, 8)), ask(" ".join(changed), text(-number, 8))]


def other_answer(number: int) -> list[Row]:
    return [ask(text(number, 6), text(-number * 3 - turn, 20)) for turn in range(3)]


def cut_conversation(number: int) -> list[Row]:
    said = [message(role, text(number * 100 + turn, 25)) for turn in range(4) for role in ("user", "assistant")]
    return [{"messages": [message("system", "Be kind."), *said[:end]]} for end in (2, 4, 6, 8)]


def by_column(number: int) -> list[Row]:
    return [ask(text(number * 10 + turn), "Noted.", conversation_id=f"c{number}") for turn in range(3)]


KINDS: dict[str, Callable[[int], list[Row]]] = {
    "copies": copy,
    "other letters": other_letters,
    "near-duplicates": near,
    "other answers": other_answer,
    "a conversation": cut_conversation,
    "a column says so": by_column,
}


def parts_of(split: Split) -> dict[str, list[str]]:
    parts = {"train": split.train, "valid": split.valid, "test": split.test}
    return {name: [line.decode().rstrip("\n") for line in lines] for name, lines in parts.items()}


def shuffled(families: list[list[Row]], seed: int) -> list[Row]:
    rows = [row for family in families for row in family]
    random.Random(seed).shuffle(rows)
    return rows


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**31 - 1), shares=st.sampled_from([(0.1, 0.1), (0.2, 0.0), (0.0, 0.3), (0.25, 0.25)]))
def test_what_belongs_together_stays_together_and_every_row_is_somewhere_once(
    kind: str, seed: int, shares: tuple[float, float]
) -> None:
    families = [KINDS[kind](number) for number in range(1, 31)]
    rows = shuffled(families, seed)
    split = split_jsonl([jsonl([*rows])], shares[0], seed, test=shares[1])
    parts = parts_of(split)
    assert Counter(line for lines in parts.values() for line in lines) == Counter(map(json.dumps, rows))
    assert (split.train_rows, split.valid_rows, split.test_rows) == tuple(map(len, parts.values()))
    for family in families:
        lines = {json.dumps(row) for row in family}
        assert sum(bool(lines & set(part)) for part in parts.values()) == 1
    wanted = dict(zip(("valid", "test"), shares, strict=True))
    for name, share in wanted.items():
        assert bool(parts[name]) == bool(share)
        assert len(parts[name]) <= max(1, round(share * len(rows)))


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31 - 1))
def test_the_same_seed_gives_the_same_parts_whatever_the_order_of_the_file(seed: int) -> None:
    families = [make(number) for number in range(1, 8) for make in KINDS.values()]
    first = parts_of(split_jsonl([jsonl([*shuffled(families, 1)])], 0.2, seed, test=0.1))
    again = parts_of(split_jsonl([jsonl([*shuffled(families, 1)])], 0.2, seed, test=0.1))
    other = parts_of(split_jsonl([jsonl([*shuffled(families, 2)])], 0.2, seed, test=0.1))
    assert first == again
    assert {name: sorted(lines) for name, lines in first.items()} == {name: sorted(o) for name, o in other.items()}


def test_the_test_rows_are_frozen_whatever_is_held_out_for_validation() -> None:
    content = jsonl([ask(text(number), text(-number)) for number in range(120)])
    tests = [parts_of(split_jsonl([content], valid, 7, test=0.1))["test"] for valid in (0.0, 0.1, 0.4, None)]
    assert len(tests[0]) == 12
    assert tests[1:] == tests[:1] * 3


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.integers(10, 60), min_size=2, max_size=5),
    st.integers(0, 2**31 - 1),
    st.sampled_from([(0.1, 0.1), (0.2, 0.2), (0.3, 0.0)]),
)
def test_classes_go_into_every_part_in_proportion(sizes: list[int], seed: int, shares: tuple[float, float]) -> None:
    rows = [ask(text(100 * label + n), f"label {label}") for label, size in enumerate(sizes) for n in range(size)]
    split = split_jsonl([jsonl([*rows])], shares[0], seed, test=shares[1])
    assert split.classes == len(sizes)
    for part, share in zip(("valid", "test"), shares, strict=True):
        drawn = Counter(json.loads(line)["messages"][-1]["content"] for line in parts_of(split)[part])
        for label, size in enumerate(sizes):
            assert abs(drawn[f"label {label}"] - share * size) <= 1


def test_the_only_row_of_a_class_is_trained_on() -> None:
    rows = [ask(text(number), "common") for number in range(40)] + [ask(text(99), "rare")]
    split = split_jsonl([jsonl([*rows])], 0.3, 3, test=0.3)
    assert sum('"rare"' in line for line in parts_of(split)["train"]) == 1


@pytest.mark.parametrize(
    ("rows", "has_classes", "trained"),
    [(100, True, 80), (10_000, True, 9_000), (4_999, True, 3_999), (33, True, 26), (100, False, 90), (0, True, 0)],
)
def test_nobody_need_choose_how_many_rows_validate(rows: int, has_classes: bool, trained: int) -> None:  # noqa: FBT001
    assert round(rows - rows * usual_share(rows, has_classes=has_classes)) == trained


def test_a_classifiers_rows_are_divided_by_the_rule_of_the_removed_tool() -> None:
    rows = [ask(text(number), ("yes", "no")[number % 2]) for number in range(100)]
    assert split_jsonl([jsonl([*rows])], None, 1).valid_rows == 20
    assert split_jsonl([jsonl([ask(text(n), text(-n)) for n in range(100)])], None, 1).valid_rows == 10


def test_rows_of_one_template_are_parted_and_counted() -> None:
    base = text(1, 60)
    names = [text(1000 + number, 3) for number in range(50)]
    rows = [ask(f"{base} {name}", f"{name} {base}") for name in names]
    split = split_jsonl([jsonl([*rows])], 0.2, 5)
    assert split.valid_rows == 10
    assert split.parted == 50


def test_a_question_that_all_rows_ask_keeps_none_of_them_together() -> None:
    rows = [ask("Write a joke.", text(number)) for number in range(60)]
    assert split_jsonl([jsonl([*rows])], 0.2, 5).valid_rows == 12


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from("abc")), max_size=40),
    st.floats(0, 0.9),
    st.floats(0, 0.9),
    st.integers(0, 9),
)
def test_a_draw_leaves_enough_to_train_on(sizes: list[tuple[int, str]], valid: float, test: float, seed: int) -> None:
    families = [Family(number, size, label) for number, (size, label) in enumerate(sizes)]
    if valid + test >= 1:
        with pytest.raises(ValueError, match="shares"):
            draw(families, valid=valid, test=test, seed=seed)
        return
    parts = draw(families, valid=valid, test=test, seed=seed)
    rows = Counter[int]()
    for family, part in zip(families, parts, strict=True):
        rows[part] += family.size
    assert len(parts) == len(families)
    assert rows[TRAIN] >= min(TRAIN_MIN, rows.total())
    learnt = {family.label for family, part in zip(families, parts, strict=True) if part == TRAIN}
    assert learnt == {family.label for family in families}
    for part, share in ((VALID, valid), (TEST, test)):
        assert rows[part] <= (max(1, round(share * rows.total())) if share else 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello,  World!", "hello world"),
        ("\uff21\uff22\uff23 \uff11\uff12", "abc 12"),
        ("안녕하세요。", "안녕하세요"),
        ("ﾃｽﾄ", "テスト"),
    ],
)
def test_texts_are_the_same_but_for_what_makes_no_difference(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_a_system_message_makes_no_rows_alike() -> None:
    one, other = (
        likeness_of(json.dumps({"messages": [message("system", system), *ask("q", "a")["messages"]]}).encode())
        for system in ("Be kind.", "Be brief.")
    )
    assert one.key != other.key
    assert (one.said, one.asked, one.talk) == (other.said, other.asked, other.talk)


@settings(deadline=None)
@given(st.binary(max_size=60) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_any_line_is_like_something(line: bytes | str) -> None:
    content = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
    assert likeness_of(content) == likeness_of(content)


def test_a_very_long_conversation_takes_no_longer_for_its_beginnings() -> None:
    turns = [message(role, "and then") for _ in range(20_000) for role in ("user", "assistant")]
    likeness = likeness_of(json.dumps({"messages": turns}).encode())
    assert len(set(likeness.begins)) == 19_999


@pytest.mark.parametrize("depth", [50, 500, 100_000])
def test_deep_nesting_is_like_itself(depth: int) -> None:
    line = b'{"a":' * depth + b'"x"' + b"}" * depth
    assert likeness_of(line) == likeness_of(line)


def test_nothing_held_out_is_every_row_as_it_stands() -> None:
    content = jsonl([ask(text(number), text(-number)) for number in range(30)])
    split = split_jsonl([content], 0.0, 1)
    assert (split.train_rows, split.valid_rows, split.test_rows) == (30, 0, 0)
    assert b"".join(split.train) == content + b"\n"
