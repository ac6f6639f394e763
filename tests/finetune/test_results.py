"""Both families of result file are read, and what they mean is said by stated rules in plain words."""

import base64

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.errors import OperationalError
from finetune.results import Curves, explain, parse_results

CHAT = b"""step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy
1,2.5,0.31,2.6,0.3
2,2.1,0.4,,
3,nan,0.45,1.9,0.5
"""

LEGACY = b"""step,elapsed_tokens,elapsed_examples,training_loss,training_sequence_accuracy,training_token_accuracy,\
validation_loss,validation_sequence_accuracy,validation_token_accuracy,classification/accuracy,\
classification/weighted_f1_score
1,2049,1,0.42,0.0,0.55,0.5,0.25,0.6,,
2,4098,2,0.40,0.5,0.66,,,,0.75,0.7
"""

AZURE = b"""step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy,full_valid_loss,\
full_valid_mean_token_accuracy
1,2,0.1,2,0.1,,
2,1,0.2,1,0.2,1.5,0.3
"""


@pytest.mark.parametrize("content", [CHAT, base64.b64encode(CHAT), base64.encodebytes(CHAT), b"\xef\xbb\xbf" + CHAT])
def test_a_chat_job_s_file_is_read_as_it_is_or_in_base64(content: bytes) -> None:
    curves = parse_results(content)
    assert curves.step == (1, 2, 3)
    assert curves.train_loss == (2.5, 2.1, None)
    assert curves.train_accuracy == (0.31, 0.4, 0.45)
    assert curves.valid_loss == (2.6, None, 1.9)
    assert curves.valid_accuracy == (0.3, None, 0.5)
    assert curves.full_valid_loss == (None, None, None)


@pytest.mark.parametrize("content", [LEGACY, base64.b64encode(LEGACY)])
def test_a_legacy_job_s_file_is_read_with_its_classification(content: bytes) -> None:
    curves = parse_results(content)
    assert (curves.step, curves.train_loss, curves.valid_loss) == ((1, 2), (0.42, 0.40), (0.5, None))
    assert (curves.train_accuracy, curves.valid_accuracy) == ((0.55, 0.66), (0.6, None))
    assert (curves.train_sequence_accuracy, curves.valid_sequence_accuracy) == ((0.0, 0.5), (0.25, None))
    assert curves.classification == {"accuracy": (None, 0.75), "weighted_f1_score": (None, 0.7)}


def test_full_validation_is_read_where_it_is_given() -> None:
    curves = parse_results(AZURE)
    assert (curves.full_valid_loss, curves.full_valid_accuracy) == ((None, 1.5), (None, 0.3))


@pytest.mark.parametrize("content", [
    b"step,train_loss,valid_loss\n1,2.0,\n2,1.0,1.5\n",
    b"step,train_loss,valid_loss\r\n1,2.0,\r\n2,1.0,1.5\r\n",
    b"step, train_loss, valid_loss\n1, 2.0, \n2, 1.0, 1.5\n",
    b"step,train_loss,valid_loss\n1,2.0,,\n2,1.0,1.5,\n",
    b"step,train_loss,training_loss,valid_loss\n1,,2.0,NaN\n2,,1.0,1.5\n",
    b"step,train_loss,valid_loss\n2,1.0,1.5\n1,2.0,inf\n",
    b'"step","train_loss","valid_loss"\n"1","2.0",""\n"2","1.0","1.5"\n',
], ids=["plain", "crlf", "blanks", "comma-at-the-end", "empty-column", "unordered", "quoted"])  # fmt: skip
def test_a_table_is_read_however_it_is_written(content: bytes) -> None:
    curves = parse_results(content)
    assert (curves.step, curves.train_loss, curves.valid_loss) == ((1, 2), (2.0, 1.0), (None, 1.5))


def test_a_line_with_more_cells_than_names_is_an_error_of_ours() -> None:
    """Read as it comes, each figure would stand under the name of another."""
    with pytest.raises(OperationalError):
        parse_results(b"step,train_loss\n1,2.0,7,8\n")


def test_curves_survive_json() -> None:
    curves = parse_results(LEGACY)
    assert msgspec.json.decode(msgspec.json.encode(curves), type=Curves) == curves


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"hello", base64.b64encode(b"hello"), b"\xff\xfe", b"loss,step\n1,2"]
)
def test_what_is_no_result_file_is_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(OperationalError, match="result file"):
        parse_results(content)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_after_the_header_are_read_or_refused(rest: bytes) -> None:
    try:
        curves = parse_results(b"step,train_loss\n" + rest)
    except OperationalError:
        return
    assert len(curves.step) == len(curves.train_loss) == len(curves.valid_loss)
    assert explain(curves).sentence


def curves_of(train: list[float], valid: list[float] | None = None, *, full: bool = True) -> Curves:
    nothing = (None,) * len(train)
    measured = tuple(valid) if valid is not None else nothing
    return Curves(
        step=tuple(range(100, 100 * len(train) + 1, 100)),
        train_loss=tuple(train),
        valid_loss=nothing if full else measured,
        train_accuracy=nothing,
        valid_accuracy=nothing,
        full_valid_loss=measured if full else nothing,
        full_valid_accuracy=nothing,
        train_sequence_accuracy=nothing,
        valid_sequence_accuracy=nothing,
    )


FALLING = [2.0, 1.4, 1.0, 0.8, 0.6, 0.5, 0.42, 0.4]


@pytest.mark.parametrize(
    ("valid", "diagnosis", "action", "words"),
    [
        (
            [2.1, 1.5, 1.1, 0.9, 0.7, 0.61, 0.7, 0.83],
            "overfitting",
            "fewer-epochs",
            "best at step 600 (0.61), then rose",
        ),
        ([2.1, 1.9, 1.7, 1.5, 1.3, 1.1, 0.9, 0.7], "underfitting", "more-epochs", "still falling at the end"),
        ([2.1, 1.5, 1.1, 0.9, 0.7, 0.62, 0.61, 0.61], "fits", "none", "fell from 2.10 to 0.61 and levelled off"),
        ([0.9, 0.9, 0.89, 0.9, 0.9, 0.89, 0.9, 0.89], "unclear", "none", "hardly moved"),
    ],
)
def test_the_validation_curve_s_shape_is_named(valid: list[float], diagnosis: str, action: str, words: str) -> None:
    explanation = explain(curves_of(FALLING, valid))
    assert (explanation.diagnosis, explanation.action) == (diagnosis, action)
    assert words in explanation.sentence
    assert explanation.next_step


def test_overfitting_points_to_the_best_checkpoint() -> None:
    explanation = explain(curves_of(FALLING, [2.1, 1.5, 1.1, 0.9, 0.7, 0.61, 0.7, 0.83]))
    assert (explanation.best_step, explanation.best_valid_loss) == (600, 0.61)
    assert (explanation.final_train_loss, explanation.final_valid_loss) == (0.4, 0.83)
    assert "step 600" in explanation.sentence


def test_without_validation_nothing_is_claimed() -> None:
    explanation = explain(curves_of(FALLING))
    assert (explanation.diagnosis, explanation.action) == ("unclear", "hold-out-rows")
    assert explanation.sentence.startswith("Training loss went from 2.00 to 0.40. No rows were held out")
    assert (explanation.best_step, explanation.best_valid_loss, explanation.final_valid_loss) == (None, None, None)


def test_rows_that_were_held_out_and_not_measured_are_not_said_to_be_missing() -> None:
    """Such as a run by reinforcement, whose figures are rewards."""
    rewards = parse_results(b"step,train_mean_reward,valid_mean_reward\n1,0.1,0.1\n2,0.4,0.3\n")
    explanation = explain(rewards, held_out=True)
    assert explanation.sentence == (
        "There is no validation loss among the provider's figures to say how well it does on new rows."
    )
    assert (explanation.diagnosis, explanation.action) == ("unclear", "none")
    assert "Training loss went from 2.00 to 0.40. There is no" in explain(curves_of(FALLING), held_out=True).sentence


def test_a_training_loss_that_goes_astray_is_said_first() -> None:
    explanation = explain(curves_of([2.0, 1.0, 0.5, 0.4, 2.0, 4.0, 5.0, 5.0, 5.5, 6.0], [*FALLING, 0.4, 0.4]))
    assert (explanation.diagnosis, explanation.action) == ("unclear", "lower-rate")


def test_the_noise_of_single_batches_is_not_taken_for_overfitting() -> None:
    noisy = [2.0 * 0.97**step + (0.12 if step % 3 else -0.12) for step in range(200)]
    levelled = [max(loss, 0.5 + (0.12 if step % 3 else -0.12)) for step, loss in enumerate(noisy)]
    assert explain(curves_of(levelled, levelled, full=False)).diagnosis == "fits"


def test_a_loss_that_is_almost_nothing_is_not_overfitting() -> None:
    assert explain(curves_of(FALLING, [1.5, 0.2, 0.01, 0.001, 0.0003, 0.0002, 0.0004, 0.0009])).diagnosis == "fits"


def test_an_empty_file_of_results_is_explained_too() -> None:
    explanation = explain(parse_results(b"step,train_loss\n"))
    assert (explanation.final_train_loss, explanation.diagnosis) == (None, "unclear")
