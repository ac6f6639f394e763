"""Result files: what a run reports step by step, read from either family, base64 or not."""

from __future__ import annotations

import base64
import binascii
import io
import math
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from finetune.errors import OperationalError
from finetune.explanation import Explanation, explain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Curves", "Explanation", "Series", "decoded", "explain", "parse_results"]

Series = tuple[float | None, ...]

_COLUMNS = {
    "train_loss": ("train_loss", "training_loss"),
    "valid_loss": ("valid_loss", "validation_loss"),
    "train_accuracy": ("train_accuracy", "train_mean_token_accuracy", "training_token_accuracy"),
    "valid_accuracy": (
        "valid_mean_token_accuracy",
        "valid_accuracy",
        "validation_token_accuracy",
        "validation_mean_token_accuracy",  # Azure's
    ),
    "full_valid_loss": ("full_valid_loss",),
    "full_valid_accuracy": ("full_valid_mean_token_accuracy",),
    "train_sequence_accuracy": ("training_sequence_accuracy",),
    "valid_sequence_accuracy": ("validation_sequence_accuracy",),
}
"""The names each series goes by: chat jobs' first, then those of legacy jobs."""

_CLASSIFICATION = "classification/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """A run's measurements, all of one length; None where a step has no such measurement.

    Losses are mean cross-entropy in nats, accuracies shares of tokens (or of whole sequences) from 0 to 1. `valid_*` is
    measured on one batch, `full_valid_*` on all validation rows. `classification` has the series of legacy jobs that
    classify, by their own names ("accuracy", "weighted_f1_score", ...).
    """

    step: tuple[int, ...]
    train_loss: Series
    valid_loss: Series
    train_accuracy: Series
    valid_accuracy: Series
    full_valid_loss: Series
    full_valid_accuracy: Series
    train_sequence_accuracy: Series
    valid_sequence_accuracy: Series
    classification: dict[str, Series] = field(default_factory=dict[str, Series])


def parse_results(content: bytes) -> Curves:
    """Return the curves in a result file; OperationalError where it is none.

    Chat jobs: `step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy`, some with `full_valid_*`. Legacy
    jobs: `step,elapsed_tokens,elapsed_examples,training_loss,...`. What does not begin with "step," is base64 of that.
    """
    import pandas as pd  # noqa: PLC0415 - 0.4 s that only whoever reads results should pay

    text = decoded(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # more cells than names: it says what it drops
            # a comma at the end of every line must not make the steps an index
            table = pd.read_csv(
                io.BytesIO(text), dtype=str, index_col=False, skipinitialspace=True, encoding_errors="replace"
            )
    except (ValueError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise OperationalError("The provider's result file is not a CSV table.") from error
    numbers = table.apply(pd.to_numeric, errors="coerce")
    numbers = numbers[numbers["step"].notna() & (numbers["step"].abs() < 2**53)].sort_values("step", kind="stable")
    empty: Series = (None,) * len(numbers)
    series = {
        name: next((_series(numbers[column]) for column in columns if _has_figures(numbers, column)), empty)
        for name, columns in _COLUMNS.items()
    }
    classification = {
        str(column).removeprefix(_CLASSIFICATION): _series(numbers[column])
        for column in numbers.columns
        if str(column).startswith(_CLASSIFICATION)
    }
    return Curves(step=tuple(int(step) for step in numbers["step"]), classification=classification, **series)


def decoded(content: bytes) -> bytes:
    """Return a result file as the CSV that it is, with the provider's own columns; OperationalError where it is none.

    Some providers serve base64, with or without line breaks; some put the names into quotes.
    """
    text = _without_mark(content)
    if _is_table(text):
        return text
    try:
        text = _without_mark(base64.b64decode(b"".join(text.split()), validate=True))
    except binascii.Error:
        text = b""
    if not _is_table(text):
        raise OperationalError("The provider's result file is neither a table that begins with `step,` nor base64.")
    return text


def _without_mark(content: bytes) -> bytes:
    return content.removeprefix(b"\xef\xbb\xbf").lstrip()


def _is_table(text: bytes) -> bool:
    return text.startswith((b"step,", b'"step",'))


def _has_figures(numbers: pd.DataFrame, column: str) -> bool:
    return column in numbers and bool(numbers[column].notna().any())


def _series(column: pd.Series[float]) -> Series:
    return tuple(float(value) if math.isfinite(value) else None for value in column)
