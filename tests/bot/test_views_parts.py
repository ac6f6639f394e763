"""The parts of a split, as a person reads them."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from bot.views.datasets import dataset_card
from bot.views.parts import split_asked
from finetune.splitting.division import PARTS, Parts
from jobstore.records import Made
from jobstore.refusals import Refusal
from tests.bot.block_limits import problems_of_message
from tests.bot.cards import LABELS, a_dataset, a_report, shown

MADE = Made(parent="d3", original="d3", number="2", source="ab", source_name="tickets.csv", recipe="cd", part="test")
CAME = Parts(part="test", seed=7, train_rows=960, valid_rows=122, test_rows=122, classes=6, alike=31)


def test_a_part_says_what_it_is_for_and_where_the_others_went() -> None:
    record = a_dataset("accepted", filename="tickets-test.jsonl", made=MADE)
    said = shown(dataset_card(record, a_report(), model_labels=LABELS, difference=CAME))
    assert said.startswith(
        "*Test rows* of *tickets.csv* (d3), which is untouched.\n"
        "122 of 1,204 rows; 960 to train on, 122 to validate with while it trains. Drawn with seed 7, in proportion"
        " from 6 labels.\n"
        "31 rows resemble another one, and stay on its side."
    )
    assert "Split:" not in said
    assert "Ready to measure a model with." in said
    assert "Train" not in said
    assert "$" not in said


def test_the_training_rows_are_offered_for_training() -> None:
    came = dataclasses.replace(CAME, part="train")
    record = a_dataset("accepted", made=dataclasses.replace(MADE, part="train"))
    said = shown(dataset_card(record, a_report(), model_labels=LABELS, difference=came))
    assert "Ready to train." in said
    assert "[Train…]" in said


def test_what_could_not_be_kept_apart_is_said() -> None:
    came = Parts(part="train", seed=1, train_rows=90, valid_rows=10, test_rows=0, parted=60, one_in=4)
    record = a_dataset("accepted", made=MADE)
    said = shown(dataset_card(record, a_report(), model_labels=LABELS, difference=came))
    assert "60 rows are of one template" in said
    assert "Of 4 rows, one was compared" in said


def test_a_part_on_its_way_and_one_that_could_not_be_made_are_named() -> None:
    going = dataset_card(a_dataset("mending", made=MADE), None, model_labels=LABELS)
    assert shown(going) == "Making the test rows of *tickets.csv*."
    refusal = Refusal(code="nothing-left", message="No row is left for it.", hint="Add rows.")
    failed = dataset_card(a_dataset("unreadable", made=MADE, refusal=refusal), None, model_labels=LABELS)
    assert shown(failed).startswith("I could not make the test rows of *tickets.csv*. No row is left for it.")


def test_a_split_says_how_to_train_with_its_parts() -> None:
    handles = {"train": "d13", "valid": "d14", "test": "d15"}
    said = shown(split_asked(a_dataset("accepted"), handles, is_new=True))
    assert said == (
        "Splitting *d12*: *d13* to train on, *d14* to validate with while it trains,"
        " *d15* to test the finished model with.\n"
        "To train with them: `/tune train d13 valid=d14`"
    )
    alone = shown(split_asked(a_dataset("accepted"), {"train": "d13", "test": "d15"}, is_new=False))
    assert alone.endswith("`/tune train d13`")


@given(
    st.builds(
        Parts,
        part=st.sampled_from(PARTS),
        seed=st.integers(0, 2**31 - 1),
        train_rows=st.integers(0, 10**9),
        valid_rows=st.integers(0, 10**9),
        test_rows=st.integers(0, 10**9),
        classes=st.integers(0, 200),
        alike=st.integers(0, 10**9),
        parted=st.integers(0, 10**9),
        one_in=st.sampled_from([1, 2, 1024]),
    )
)
def test_parts_keep_the_limits(came: Parts) -> None:
    card = dataset_card(a_dataset("accepted", made=MADE), a_report(), model_labels=LABELS, difference=came)
    assert problems_of_message(card) == []
