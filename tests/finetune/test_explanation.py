"""Each rule by which curves are explained, at its edge, and what holds for all curves (docs/results.md)."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.explanation import NOTICEABLE_NATS, checkpoint_to_use, explain
from finetune.results import Curves

FALLING = (2.0, 1.4, 1.0, 0.8, 0.6, 0.5, 0.42, 0.4)


def curves_of(valid: tuple[float | None, ...], train: tuple[float | None, ...] | None = None) -> Curves:
    """Return a run's curves, validated on all rows every ten steps."""
    nothing = (None,) * len(valid)
    return Curves(
        step=tuple(range(10, 10 * len(valid) + 1, 10)),
        train_loss=FALLING[: len(valid)] + (None,) * (len(valid) - len(FALLING)) if train is None else train,
        valid_loss=nothing,
        train_accuracy=nothing,
        valid_accuracy=nothing,
        full_valid_loss=valid,
        full_valid_accuracy=nothing,
        train_sequence_accuracy=nothing,
        valid_sequence_accuracy=nothing,
    )


@pytest.mark.parametrize(
    ("valid", "diagnosis", "action"),
    [
        # ends above its lowest: by 5% or more, and by 0.02 or more
        ((2.0, 1.2, 1.0, 1.0, 1.0, 1.05), "overfitting", "fewer-epochs"),
        ((2.0, 1.2, 1.0, 1.0, 1.0, 1.04), "fits", "none"),
        ((2.0, 0.5, 0.10, 0.10, 0.10, 0.115), "fits", "none"),
        ((2.0, 0.5, 0.10, 0.10, 0.10, 0.121), "overfitting", "fewer-epochs"),
        # fell over the last quarter
        ((2.0, 1.8, 1.6, 1.4, 1.2, 1.0, 0.9, 0.8), "underfitting", "more-epochs"),
        ((2.0, 1.0, 0.8, 0.7, 0.65, 0.62, 0.61, 0.6), "fits", "none"),
        # ends where it began
        ((1.0, 1.0, 1.0, 1.0, 1.0), "unclear", "none"),
        # too few, or none
        ((1.0, 0.5, None, 0.9), "unclear", "none"),
        ((None, None, None, None), "unclear", "hold-out-rows"),
    ],
)
def test_each_rule_holds_at_its_edge(valid: tuple[float | None, ...], diagnosis: str, action: str) -> None:
    explanation = explain(curves_of(valid))
    assert (explanation.diagnosis, explanation.action) == (diagnosis, action)


@pytest.mark.parametrize(
    ("train", "action"), [((2.0, 1.0, 0.6, 0.6, 0.6, 3.0), "lower-rate"), ((2.0, 1.0, 0.6, 0.6, 0.6, 1.09), "none")]
)
def test_a_training_loss_that_rises_by_half_and_half_a_nat_went_astray(train: tuple[float, ...], action: str) -> None:
    assert explain(curves_of((2.0, 1.2, 1.0, 1.0, 1.0, 1.0), train)).action == action


def test_accuracies_at_the_end_are_told() -> None:
    curves = dataclasses.replace(
        curves_of((1.0, 0.9, 0.8, 0.7)),
        train_accuracy=(0.1, 0.5, 0.9, None),
        valid_accuracy=(0.1, 0.4, None, None),
        full_valid_accuracy=(None, None, None, None),
    )
    explanation = explain(curves)
    assert (explanation.final_train_accuracy, explanation.final_valid_accuracy) == (0.9, 0.4)


RISING = (2.0, 1.2, 0.9, 0.6, 0.7, 0.8, 0.82, 0.84, 0.86)
"""Measured every ten steps: lowest at step 40, over at step 90."""


@pytest.mark.parametrize(
    ("steps", "checkpoint"),
    [
        ([90, 60, 40], 40),
        ([90, 60, 30], 60),  # 0.8 against 0.9
        ([90, 45], 45),  # what was measured before it
        ([90, 85, 80], None),  # no better than the end
        ([90, 70], None),  # 0.82 is less than 5% better
        ([90], None),
        ([5], None),
        ([], None),
    ],
)
def test_the_checkpoint_to_use_did_better_than_the_end(steps: list[int], checkpoint: int | None) -> None:
    assert checkpoint_to_use(curves_of(RISING), steps) == checkpoint


def test_a_run_that_fits_needs_no_checkpoint() -> None:
    assert checkpoint_to_use(curves_of((2.0, 1.2, 1.0, 1.0, 1.0, 1.0)), [30, 40, 60]) is None


LOSSES = st.lists(st.none() | st.floats(0, 20), max_size=60).map(tuple)


@given(LOSSES, st.booleans())
def test_whatever_was_measured_is_explained(losses: tuple[float | None, ...], on_all_rows: bool) -> None:  # noqa: FBT001
    curves = curves_of(losses, losses)
    if not on_all_rows:
        nothing = (None,) * len(losses)
        curves = dataclasses.replace(curves, valid_loss=losses, full_valid_loss=nothing)
    explanation = explain(curves)
    assert explanation.sentence.endswith(".")
    assert explanation.next_step.endswith(".")
    assert explanation.sentence.isprintable()
    assert (explanation.best_step is None) == (explanation.best_valid_loss is None)
    assert explanation.best_step is None or explanation.best_step in curves.step


@given(LOSSES, st.lists(st.integers(0, 700), max_size=4))
def test_a_checkpoint_to_use_is_one_there_is_and_not_the_end(
    losses: tuple[float | None, ...], steps: list[int]
) -> None:
    chosen = checkpoint_to_use(curves_of(losses), steps)
    assert chosen is None or (chosen in steps and chosen < 10 * len(losses))


@given(st.lists(st.floats(0.5, 10), min_size=4, max_size=40))
def test_a_loss_that_only_falls_is_never_overfitting(losses: list[float]) -> None:
    falling = tuple(sorted(losses, reverse=True))
    assert explain(curves_of(falling, falling)).diagnosis != "overfitting"


@given(st.lists(st.floats(0.5, 10), min_size=4, max_size=40), st.floats(1.1, 3))
def test_a_loss_that_ends_well_above_its_lowest_is_overfitting(losses: list[float], rise: float) -> None:
    ending = (*losses, min(losses) * rise + NOTICEABLE_NATS)
    falling = tuple(sorted(ending, reverse=True))
    assert explain(curves_of(ending, falling)).diagnosis == "overfitting"
