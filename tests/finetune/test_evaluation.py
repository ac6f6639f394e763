"""What a model's answers to held-out rows come to."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.counting.tokens import token_ids
from finetune.evaluation import Classes, Given, Plan, Scores, positive_of, scores_of
from finetune.held_out import HeldOutRow
from finetune.metrics import Share


def plan(expected: str, positive: str = "s") -> Plan:
    rows = tuple(HeldOutRow(f"question {number}", label) for number, label in enumerate(expected))
    return Plan(rows=rows, labels=("h", "s"), positive=positive)


def classes_of(scores: Scores) -> Classes:
    assert scores.classes is not None
    return scores.classes


def test_answers_without_classes_are_right_word_for_word_and_token_by_token() -> None:
    rows = (HeldOutRow("q", "1 2"), HeldOutRow("r", "0 5"), HeldOutRow("s", "4 2"))
    given_ = [Given("1 1"), Given(" 0 5\n"), Given("4 2")]
    scores = scores_of(Plan(rows=rows), given_, lambda text: [int(number) for number in text.split()])
    assert scores == Scores(right=Share(2, 3), tokens=Share(5, 6))


def test_labels_of_one_token_have_no_token_accuracy() -> None:
    scores = scores_of(plan("sh"), [Given("s"), Given("spam spam")], lambda text: [len(text)])
    assert scores is not None
    assert scores.tokens is None


def test_tokens_are_those_of_the_models_encoding() -> None:
    ids = token_ids("o200k_base")
    if ids is None:
        pytest.skip("no ranks on this machine")
    rows = (HeldOutRow("q", "Berlin, 14 May"),)
    scores = scores_of(Plan(rows=rows), [Given("Berlin, 15 May")], ids)
    assert scores is not None
    assert scores.tokens is not None
    assert (scores.tokens.total - scores.tokens.right, scores.right.right) == (1, 0)
    assert len(ids("half \ud83d <|endoftext|>")) > 3


def test_answers_are_compared_row_by_row_without_their_blanks() -> None:
    scores = scores_of(plan("sshh"), [Given(" s\n", 0.9), Given("h", 0.4), Given("h", 0.1), Given("spam", None)])
    assert scores is not None
    assert scores.right == Share(2, 4)
    assert scores.tokens is None  # tokens were not asked for
    classes = classes_of(scores)
    assert (classes.matrix.labels, classes.matrix.counts) == (("h", "s"), ((1, 0, 1), (1, 1, 0)))
    assert (classes.commonest, classes.commonest_label) == (Share(2, 4), "h")
    assert classes.two is not None
    assert (classes.two.positive, classes.two.precision, classes.two.recall) == ("s", 1.0, 0.5)
    assert (classes.two.auroc, classes.two.auprc) == (1.0, 1.0)


def test_rows_that_were_refused_or_not_asked_are_left_out() -> None:
    scores = scores_of(plan("sshh"), [Given("s"), Given(None), Given("h")])
    assert scores is not None
    assert (scores.right, scores.refused) == (Share(2, 2), 1)
    two = classes_of(scores).two
    assert two is not None
    assert two.auroc is None


@pytest.mark.parametrize("given_", [[], [Given(None), Given(None)]])
def test_no_answers_come_to_nothing(given_: list[Given]) -> None:
    assert scores_of(plan("sh"), given_) is None


def test_more_than_two_classes_have_no_positive_one() -> None:
    three = Plan(rows=(HeldOutRow("q", "a"), HeldOutRow("r", "b")), labels=("a", "b", "c"))
    scores = scores_of(three, [Given("a"), Given("a")])
    assert scores is not None
    assert classes_of(scores).two is None
    assert classes_of(scores).matrix.labels == ("a", "b", "c")


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
