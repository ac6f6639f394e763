"""From likeliest tokens to the probability of each class."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.class_odds import TokenOdds, class_odds


def place(token: str, **likeliest: float) -> TokenOdds:
    """One token of an answer; `likeliest` are probabilities, `_` standing for a space."""
    odds = {text.replace("_", " "): share for text, share in likeliest.items()}
    return TokenOdds(token.encode(), tuple((text.encode(), math.log(share)) for text, share in odds.items()))


def test_one_token_a_class_is_read_off() -> None:
    assert class_odds([place("yes", yes=0.8, no=0.2)], ["no", "yes"]) == pytest.approx({"yes": 0.8, "no": 0.2})


def test_what_is_no_class_is_left_out_of_the_sum() -> None:
    odds = class_odds([place("yes", yes=0.6, no=0.2, maybe=0.2)], ["no", "yes"])
    assert odds == pytest.approx({"yes": 0.75, "no": 0.25})


def test_white_space_before_a_class_is_ignored() -> None:
    tokens = [place(" ", _=0.9, yes=0.05, no=0.05), place("no", yes=0.25, no=0.75)]
    assert class_odds(tokens, ["no", "yes"]) == pytest.approx({"yes": 0.05 + 0.225, "no": 0.05 + 0.675})


def test_classes_that_begin_alike_are_told_apart_where_they_part() -> None:
    tokens = [TokenOdds(b"not", ((b"not", -0.02), (b"x", -4.0))), place(" spam", _spam=0.7, _ham=0.3)]
    assert class_odds(tokens, ["not ham", "not spam"]) == pytest.approx({"not spam": 0.7, "not ham": 0.3})


def test_a_class_that_another_begins_with_is_told_by_the_end() -> None:
    assert class_odds([place("no", no=1.0)], ["no", "none"]) == pytest.approx({"no": 1.0, "none": 0.0})
    assert class_odds([place("no", no=1.0), place("ne", ne=1.0)], ["no", "none"]) == {"no": 0.0, "none": 1.0}


def test_half_a_character_leads_where_its_bytes_do() -> None:
    first, rest = "긍".encode()[:1], "긍정".encode()[1:]
    tokens = [TokenOdds(first, ((first, 0.0),)), TokenOdds(rest, ((rest, math.log(0.9)), ("부정".encode()[1:], -3.0)))]
    odds = class_odds(tokens, ["긍정", "부정"])
    assert odds is not None
    assert odds["긍정"] > 0.9


@pytest.mark.parametrize("tokens", [[], [place("maybe", maybe=1.0)], [place("y", y=1.0)]])
def test_an_answer_that_is_no_class_tells_nothing(tokens: list[TokenOdds]) -> None:
    assert class_odds(tokens, ["no", "yes maybe", "yes"]) is None


TEXTS = st.sampled_from(["yes", "no", "y", "n", "e", "es", "o", " ", "", "none"])
PLACES = st.builds(
    lambda token, others: TokenOdds(
        token.encode(), ((token.encode(), -0.5), *((text.encode(), -2.0) for text in others if text != token))
    ),
    TEXTS,
    st.sets(TEXTS, max_size=5),
)


@given(st.lists(PLACES, max_size=6), st.sets(st.sampled_from(["yes", "no", "none", "yes no"]), min_size=2))
def test_odds_are_shares_of_one_over_all_classes(tokens: list[TokenOdds], labels: set[str]) -> None:
    odds = class_odds(tokens, sorted(labels))
    if odds is not None:
        assert set(odds) == labels
        assert sum(odds.values()) == pytest.approx(1)
        assert all(0 <= share <= 1 for share in odds.values())
