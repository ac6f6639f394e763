"""The picture of a confusion matrix."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.metrics import confusion
from workers.confusion_chart import CLASSES_MAX, confusion_chart, shown


def test_classes_stand_in_their_order_with_their_counts() -> None:
    names, counts = shown(confusion(["yes", "no", "no"], ["yes", "yes", "no"]))
    assert (names, counts) == (["no", "yes"], [[1, 1], [0, 1]])


def test_answers_that_are_no_class_have_a_column_where_there_are_any() -> None:
    names, counts = shown(confusion(["yes", "no"], ["maybe", "no"]))
    assert (names, counts) == (["no", "yes", "no class"], [[1, 0, 0], [0, 0, 1]])


def test_of_many_classes_the_most_frequent_are_drawn_and_the_others_together() -> None:
    expected = [f"class {number:02}" for number in range(20) for _ in range(number + 1)]
    names, counts = shown(confusion(expected, ["nothing", *expected[1:]]))
    assert names == [f"class {number:02}" for number in range(8, 20)] + ["8 others", "no class"]
    assert counts[-1] == [0] * CLASSES_MAX + [35, 1]
    assert sum(map(sum, counts)) == len(expected)


@pytest.mark.parametrize(
    "labels", [("긍정", "부정"), ("はい", "いいえ"), ("$x_1$", "$$"), ("a" * 64, "b\nc"), ("\u202e", " ")]
)
def test_any_labels_are_drawn(labels: tuple[str, str]) -> None:
    png = confusion_chart(confusion(labels * 3, labels[::-1] * 3), title=labels[0])
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG")
    assert width == height >= 800


@given(
    st.lists(st.tuples(st.sampled_from([str(one) for one in range(30)]), st.sampled_from("0123456789x")), min_size=1)
)
@settings(max_examples=50)
def test_every_row_is_drawn_once(pairs: list[tuple[str, str]]) -> None:
    names, counts = shown(confusion([want for want, _ in pairs], [got for _, got in pairs]))
    assert sum(map(sum, counts)) == len(pairs)
    assert {len(row) for row in counts} == {len(names)}
    assert len(counts) in {len(names), len(names) - 1}
