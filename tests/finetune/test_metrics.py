"""Metrics of held-out rows: scikit-learn 1.9.1's and statsmodels' own figures, the definitions, and what always holds.

The figures were printed by those libraries for these very rows; neither is needed to run this.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.metrics import (
    Share,
    accuracy,
    auprc,
    auroc,
    confusion,
    sequence_accuracy,
    token_accuracy,
    two_classes,
    weighted_f1,
    wilson,
)

CLASSES = [
    (
        "cabbcabaaaabbaacbbbbcaabababaaacababccba",
        "cabccababaabbbacbbbacaababababacacabccba",
        0.85,
        0.8501838235294118,
        [[15, 3, 0], [1, 12, 2], [0, 0, 7]],
    ),
    (  # x and y are no classes
        "babbaccbcaacaacccbcccabcbcccbc",
        "cabbcaabcabcycccaayxcbycbccybc",
        0.5333333333333333,
        0.582905982905983,
        [[2, 2, 2], [1, 5, 1], [3, 0, 9]],
    ),
    (
        "bbcbccbedcaeabebdececdaecbecccaeaeddacdecdaacbaeedbadcbeeadc",
        "bdcaacbeecedbbcbddabcdeeebabccacbebdacddccedceaebaeadeaecedc",
        0.5,
        0.500191570881226,
        [[4, 2, 0, 1, 4], [2, 5, 0, 1, 2], [2, 1, 10, 0, 2], [1, 1, 1, 6, 1], [1, 2, 3, 3, 5]],
    ),
    ("abbbabbabbaa", "aaaaaaaaaaaa", 0.4166666666666667, 0.2450980392156863, [[5, 0], [7, 0]]),
]
SCORED = [
    (
        "00101000001110100101100100011100011110110100100100",
        [
            0.199, 0.898, 0.214, 0.386, 0.559, 0.278, 0.306, 0.399, 0.653, 0.203, 0.291, 0.763, 0.384, 0.701, 0.55,
            0.649, 0.353, 0.618, 0.316, 0.701, 0.995, 0.441, 0.963, 0.63, 0.323, 0.073, 0.135, 0.682, 0.638, 0.786,
            0.15, 0.146, 0.039, 0.348, 0.605, 0.366, 0.997, 0.679, 0.355, 0.915, 0.994, 0.21, 0.028, 0.425, 0.062,
            0.766, 0.16, 0.632, 0.976, 0.254,
        ],
        (0.6086956521739131, 0.6363636363636364, 0.6222222222222222, 0.6420454545454546, 0.572587981453842),
    ),
    (  # many ties
        "0010000001000101000100001000001000011001",
        [
            0.6, 0.8, 0.4, 0.6, 0.0, 0.2, 0.8, 0.2, 0.0, 0.6, 0.6, 0.0, 0.2, 0.4, 0.8, 0.4, 0.6, 0.2, 0.8, 0.4, 0.0,
            0.0, 0.8, 0.4, 0.2, 0.4, 0.0, 0.2, 0.8, 0.0, 0.4, 0.2, 0.2, 0.4, 0.2, 0.6, 0.0, 0.6, 0.2, 0.0,
        ],
        (0.15384615384615385, 0.2, 0.17391304347826086, 0.4966666666666667, 0.2732423490488006),
    ),
    ("110000", [0.285, 0.497, 0.064, 0.122, 0.799, 0.892], (0.0, 0.0, 0.0, 0.5, 0.41666666666666663)),
    (
        "1111000000",
        [0.735, 0.626, 0.684, 0.728, 0.003, 0.04, 0.323, 0.495, 0.331, 0.238],
        (1.0, 1.0, 1.0, 1.0, 1.0),
    ),
    (
        "1111000000",
        [0.285, 0.246, 0.408, 0.017, 0.916, 0.861, 0.779, 0.767, 0.936, 0.973],
        (0.0, 0.0, 0.0, 0.0, 0.28154761904761905),
    ),
]  # fmt: skip
INTERVALS = [
    (182, 200, 0.8622342812328346, 0.9423125511378069),
    (91, 100, 0.8377378714728368, 0.9519274599974349),
    (0, 10, 0.0, 0.27753279986288926),
    (10, 10, 0.7224672001371106, 1.0),
    (1, 1, 0.2065493143772374, 1.0),
    (5, 6, 0.43649717781352965, 0.9699466302516933),
    (1, 400, 0.0004414477868016353, 0.014023285075823394),
]

LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcx")), min_size=1, max_size=60)
TRUTHS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0])), max_size=40)


@pytest.mark.parametrize(("expected", "answered", "right", "f1", "counts"), CLASSES)
def test_classes_are_counted_as_scikit_learn_counts_them(
    expected: str, answered: str, right: float, f1: float, counts: list[list[int]]
) -> None:
    matrix = confusion(expected, answered)
    assert accuracy(expected, answered).value == pytest.approx(right, abs=1e-12)
    assert weighted_f1(matrix) == pytest.approx(f1, abs=1e-12)
    assert [list(row[:-1]) for row in matrix.counts] == counts


@pytest.mark.parametrize(("truths", "scores", "figures"), SCORED)
def test_two_classes_have_scikit_learn_s_figures(
    truths: str, scores: list[float], figures: tuple[float, float, float, float, float]
) -> None:
    answered = ["1" if score >= 0.5 else "0" for score in scores]
    found = two_classes(confusion(truths, answered), "1", expected=truths, scores=scores)
    named = (found.precision or 0.0, found.recall, found.f1, found.auroc, found.auprc)
    assert named == pytest.approx(figures, abs=1e-12)


@pytest.mark.parametrize(("right", "total", "low", "high"), INTERVALS)
def test_the_interval_is_wilson_s(right: int, total: int, low: float, high: float) -> None:
    found = wilson(right, total)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_sequence_and_token_accuracy_are_as_defined() -> None:
    expected, answered = [[1, 2], [0, 5], [4, 2]], [[1, 1], [0, 5], [4, 2]]
    assert sequence_accuracy(expected, answered) == Share(2, 3)
    assert token_accuracy(expected, answered) == Share(5, 6)


def test_answers_of_other_lengths_are_held_to_what_was_expected() -> None:
    assert token_accuracy([[1, 2, 3], [4]], [[1], [4, 5, 6]]) == Share(2, 4)
    assert sequence_accuracy([[1, 2, 3], [4]], [[1], [4, 5, 6]]) == Share(0, 2)


def test_an_answer_that_is_no_class_has_a_column_of_its_own() -> None:
    matrix = confusion(["no", "yes", "yes"], ["no", "maybe", "yes"])
    assert (matrix.labels, matrix.counts) == (("no", "yes"), ((1, 0, 0), (0, 1, 1)))


def test_a_class_that_no_row_has_is_kept_where_it_is_known() -> None:
    assert confusion(["no"], ["yes"], ("yes", "no")).counts == ((0, 1, 0), (0, 0, 0))


def test_figures_that_do_not_exist_are_none() -> None:
    found = two_classes(
        confusion(["no", "no"], ["no", "no"], ("yes", "no")), "yes", expected=["no", "no"], scores=[1, 0]
    )
    assert (found.precision, found.recall, found.f1, found.auroc, found.auprc) == (None, None, None, None, None)
    assert (auroc([], []), auprc([], []), weighted_f1(confusion([], []))) == (None, None, None)
    assert (Share(0, 0).value, wilson(0, 0).low, wilson(0, 0).high) == (0.0, 0.0, 1.0)


def test_rows_without_a_score_are_left_out_of_the_curves_only() -> None:
    expected, scores = ["yes", "no", "yes"], [0.9, 0.2, None]
    found = two_classes(confusion(expected, ["yes", "no", "no"]), "yes", expected=expected, scores=scores)
    assert (found.auroc, found.auprc, found.recall) == (1.0, 1.0, 0.5)


def test_three_classes_have_no_positive_one() -> None:
    with pytest.raises(ValueError, match="3 classes"):
        two_classes(confusion("abc", "abc"), "a")


@given(LABELS)
def test_every_row_is_in_the_matrix_once(pairs: list[tuple[str, str]]) -> None:
    expected, answered = [want for want, _ in pairs], [got for _, got in pairs]
    matrix, share = confusion(expected, answered), accuracy(expected, answered)
    assert sum(map(sum, matrix.counts)) == len(pairs)
    assert sum(matrix.hits(label) for label in matrix.labels) == share.right
    assert 0 <= (weighted_f1(matrix) or 0.0) <= 1


@given(LABELS)
def test_the_order_of_rows_changes_nothing(pairs: list[tuple[str, str]]) -> None:
    there = confusion([want for want, _ in pairs], [got for _, got in pairs])
    back = confusion([want for want, _ in pairs[::-1]], [got for _, got in pairs[::-1]])
    assert there == back
    assert weighted_f1(there) == weighted_f1(back)


@given(TRUTHS)
def test_auroc_turned_round_is_its_rest_to_one(rows: list[tuple[bool, float]]) -> None:
    truths, scores = [truth for truth, _ in rows], [score for _, score in rows]
    area = auroc(truths, scores)
    if area is None:
        assert len(set(truths)) < 2
        return
    assert auroc(truths, [-score for score in scores]) == pytest.approx(1 - area)
    assert auroc([not truth for truth in truths], scores) == pytest.approx(1 - area)
    # and it is the share of pairs that stand in the right order, ties counting half
    pairs = [(up > down) + (up == down) / 2 for is_up, up in rows if is_up for is_down, down in rows if not is_down]
    assert area == pytest.approx(sum(pairs) / len(pairs))


@given(TRUTHS)
def test_auprc_lies_between_nothing_and_one(rows: list[tuple[bool, float]]) -> None:
    truths = [truth for truth, _ in rows]
    area = auprc(truths, [score for _, score in rows])
    assert area is None or 0 < area <= 1
    if area is not None:  # scores that say nothing give the share of positives
        assert auprc(truths, [0.5] * len(truths)) == pytest.approx(sum(truths) / len(truths))


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_interval_holds_its_share_and_narrows_with_rows(right: int, wrong: int) -> None:
    total = right + wrong
    found, more = wilson(right, total), wilson(right * 10, total * 10)
    assert 0 <= found.low <= (right / total if total else 0.5) <= found.high <= 1
    assert more.high - more.low <= found.high - found.low
    turned = wilson(wrong, total)
    assert math.isclose(1 - turned.high, found.low, abs_tol=1e-12)


@given(st.lists(st.tuples(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3))), max_size=20))
def test_whole_sequences_are_right_only_where_their_tokens_are(pairs: list[tuple[list[int], list[int]]]) -> None:
    expected, answered = [want for want, _ in pairs], [got for _, got in pairs]
    whole, tokens = sequence_accuracy(expected, answered), token_accuracy(expected, answered)
    assert 0 <= tokens.right <= tokens.total
    assert tokens.right >= sum(len(want) for want, got in pairs if want == got)
    assert whole.right == sum(want == got for want, got in pairs)
