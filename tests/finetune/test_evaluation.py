"""What a model's answers to held-out rows come to."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.evaluation import Given, Plan, Scores, positive_of, scores_of
from finetune.held_out import HeldOutRow
from finetune.metrics import Share


def plan(expected: str, positive: str = "s") -> Plan:
    rows = tuple(HeldOutRow(f"question {number}", label) for number, label in enumerate(expected))
    return Plan(rows=rows, labels=("h", "s"), positive=positive)


def test_answers_are_compared_row_by_row_without_their_blanks() -> None:
    scores = scores_of(plan("sshh"), [Given(" s\n", 0.9), Given("h", 0.4), Given("h", 0.1), Given("spam", None)])
    assert scores is not None
    assert scores.right == Share(2, 4)
    assert (scores.matrix.labels, scores.matrix.counts) == (("h", "s"), ((1, 0, 1), (1, 1, 0)))
    assert (scores.commonest, scores.commonest_label) == (Share(2, 4), "h")
    assert scores.two is not None
    assert (scores.two.positive, scores.two.precision, scores.two.recall) == ("s", 1.0, 0.5)
    assert (scores.two.auroc, scores.two.auprc) == (1.0, 1.0)


def test_rows_that_were_refused_or_not_asked_are_left_out() -> None:
    scores = scores_of(plan("sshh"), [Given("s"), Given(None), Given("h")])
    assert scores is not None
    assert (scores.right, scores.refused) == (Share(2, 2), 1)
    assert scores.two is not None
    assert scores.two.auroc is None


@pytest.mark.parametrize("given_", [[], [Given(None), Given(None)]])
def test_no_answers_come_to_nothing(given_: list[Given]) -> None:
    assert scores_of(plan("sh"), given_) is None


def test_more_than_two_classes_have_no_positive_one() -> None:
    three = Plan(rows=(HeldOutRow("q", "a"), HeldOutRow("r", "b")), labels=("a", "b", "c"))
    scores = scores_of(three, [Given("a"), Given("a")])
    assert scores is not None
    assert scores.two is None
    assert scores.matrix.labels == ("a", "b", "c")


@pytest.mark.parametrize(
    ("counts", "positive"),
    [
        ({"ham": 90, "spam": 10}, "spam"),
        ({"no": 50, "yes": 50}, "yes"),
        ({"yes": 50, "no": 50}, "yes"),
        ({"a": 1, "b": 2, "c": 3}, ""),
        ({}, ""),
    ],
)
def test_figures_are_about_the_rarer_class(counts: dict[str, int], positive: str) -> None:
    assert positive_of(counts) == positive


def test_enough_tokens_are_asked_for_in_any_tokenizer() -> None:
    assert Plan(rows=(), labels=("긍정", "no")).max_tokens == 6 + 4


@given(st.text("hs", min_size=1, max_size=30), st.data())
def test_scores_survive_json_and_are_shares(expected: str, data: st.DataObject) -> None:
    answers = st.builds(Given, st.none() | st.sampled_from(["h", "s", "x", ""]), st.none() | st.floats(0, 1))
    given_ = data.draw(st.lists(answers, max_size=len(expected)))
    scores = scores_of(plan(expected), given_)
    if scores is None:
        assert all(one.answer is None for one in given_)
        return
    assert msgspec.json.decode(msgspec.json.encode(scores), type=Scores) == scores
    assert scores.right.total + scores.refused == len(given_)
    assert scores.right.right <= scores.right.total
