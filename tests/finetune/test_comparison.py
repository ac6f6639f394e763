"""Two models on the same rows: the interval against published figures, its coverage counted out, and the verdicts."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.comparison import ROWS_MIN, WORTH, Paired, Verdict, compared, gain, is_right
from finetune.evaluation import Given
from finetune.held_out import HeldOutRow

# only, other, rows, and the limits as they were published
PUBLISHED = [
    # Fagerland, Lydersen and Laake 2014 on Bentur et al. 2009: 1 and 7 of 21 children
    pytest.param(1, 7, 21, -0.517, -0.026, 3, id="airways"),
    # the figures of R's contingencytables 3 on Cavo et al. 2012: 6 and 16 of 161 patients
    pytest.param(6, 16, 161, -0.1240, -0.0054, 4, id="complete response"),
]


@pytest.mark.parametrize(("only", "other", "rows", "low", "high", "places"), PUBLISHED)
def test_limits_are_the_published_ones(only: int, other: int, rows: int, low: float, high: float, places: int) -> None:
    found = gain(only, other, rows)
    assert found.value == pytest.approx((only - other) / rows)
    assert (round(found.low, places), round(found.high, places)) == (low, high)


@given(st.data())
def test_an_interval_holds_its_gain_and_mirrors_when_the_models_change_places(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 400))
    only = data.draw(st.integers(0, rows))
    other = data.draw(st.integers(0, rows - only))
    found, mirrored = gain(only, other, rows), gain(other, only, rows)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert mirrored.low == pytest.approx(-found.high, abs=1e-9)
    assert mirrored.high == pytest.approx(-found.low, abs=1e-9)


@given(only=st.integers(0, 200), other=st.integers(0, 200), same=st.integers(1, 200))
def test_zero_is_left_out_just_where_mcnemars_test_is_significant(only: int, other: int, same: int) -> None:
    found = gain(only, other, only + other + same)
    chi_square = (only - other) ** 2 / (only + other) if only + other else 0.0
    if abs(chi_square - 3.841458820694124) > 1e-6:
        assert (found.low > 0 or found.high < 0) == (chi_square > 3.841458820694124)


CHANCES = [(0.02, 0.02), (0.1, 0.1), (0.3, 0.3), (0.25, 0.05), (0.2, 0.02), (0.6, 0.1)]


@pytest.mark.parametrize("chances", CHANCES, ids=str)
def test_the_true_gain_is_held_as_often_as_is_said(chances: tuple[float, float]) -> None:
    """Counted out over every table of thirty rows, not drawn: what is held has at least 92.5% of the chance."""
    rows, (only, other) = 30, chances
    held = false_gain = 0.0
    for first, second in product(range(rows + 1), repeat=2):
        if first + second > rows:
            continue
        found, chance = gain(first, second, rows), _chance(rows, (first, second), chances)
        held += chance if found.low <= only - other <= found.high else 0.0
        false_gain += chance if found.low > 0 else 0.0
    assert 0.925 <= held <= 1.0
    if only == other:
        assert false_gain <= 0.03, "a gain is claimed where there is none"


def _chance(rows: int, counts: tuple[int, int], chances: tuple[float, float]) -> float:
    both, rest = (*counts, rows - sum(counts)), (*chances, 1 - sum(chances))
    ways = math.lgamma(rows + 1) - sum(math.lgamma(count + 1) for count in both)
    return math.exp(ways + sum(count * math.log(chance) for count, chance in zip(both, rest, strict=True) if count))


VERDICTS = [
    (Paired(both=144, only=38, other=4, none=14), Verdict.BETTER),
    (Paired(both=170, only=6, other=5, none=19), Verdict.NO_GAIN),
    (Paired(both=144, only=4, other=38, none=14), Verdict.WORSE),
    (Paired(both=20, only=9, other=4, none=7), Verdict.TOO_FEW),
    (Paired(only=ROWS_MIN - 1), Verdict.TOO_FEW),
    (Paired(both=ROWS_MIN), Verdict.TOO_FEW),
    (Paired(both=60), Verdict.NO_GAIN),
    (Paired(), Verdict.TOO_FEW),
]


@pytest.mark.parametrize(("paired", "verdict"), VERDICTS, ids=str)
def test_the_verdict_is_what_the_interval_allows(paired: Paired, verdict: Verdict) -> None:
    assert paired.verdict is verdict


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_no_gain_is_said_only_where_a_large_one_is_ruled_out(both: int, only: int, other: int) -> None:
    paired = Paired(both=both, only=only, other=other)
    if paired.verdict is Verdict.NO_GAIN:
        assert paired.gain.low <= 0 <= paired.gain.high < WORTH
    if paired.rows < ROWS_MIN:
        assert paired.verdict is Verdict.TOO_FEW


def test_rows_are_paired_and_those_without_both_answers_count_nowhere() -> None:
    rows = [HeldOutRow(f"q{number}", "spam") for number in range(6)]
    tuned = [Given("spam"), Given("spam"), Given("ham"), Given("ham"), Given(None), Given("spam")]
    other = [Given("spam"), Given("ham"), Given("spam"), Given("ham"), Given("spam")]
    found = compared(rows, tuned, other)
    assert found == Paired(both=1, only=1, other=1, none=1, refused=1, commonest=4)
    assert (found.rows, found.tuned_right, found.other_right) == (4, 2, 2)


@pytest.mark.parametrize(("commonest", "is_more"), [(60, True), (172, False), (0, True)])
def test_more_than_habit_is_more_than_always_giving_the_commonest_answer(commonest: int, *, is_more: bool) -> None:
    assert Paired(both=144, only=36, none=20, commonest=commonest).is_more_than_habit is is_more


@pytest.mark.parametrize(
    ("answer", "expected", "right"),
    [
        (" Spam.\n", "spam", True),
        ('"spam"', "spam", True),
        ("spam\n\nIt offers a prize.", "spam", True),
        ("It is spam", "spam", False),
        ("", "spam", False),
        ("one\ntwo", "one\ntwo", True),
        ("one", "one\ntwo", False),
        ("14 May", "14  may.", True),
    ],
)
def test_an_answer_is_read_as_a_reader_would(answer: str, expected: str, *, right: bool) -> None:
    assert is_right(answer, expected) is right
