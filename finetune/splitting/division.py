"""A division of a dataset into parts, as it is asked for, and what came of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

from finetune.errors import UserError
from finetune.launch import SEED_MAX, parse_whole
from finetune.split import split_jsonl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from finetune.report import Report
    from finetune.split import Split

Part = Literal["train", "valid", "test"]

PARTS: Final[tuple[Part, ...]] = get_args(Part)
TEST_USUALLY: Final = 0.1
PERCENT_MAX: Final = 50

DIVISION_KEYS: Final = {
    "valid": "the percentage of rows for validation, auto, or none",
    "test": "the percentage of rows for the test set, or none",
    "seed": "a whole number; the same one gives the same parts",
}
"""What `/tune split` sets, and how each is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """One part of a dataset: the same division and bytes give the same part.

    `valid` and `test` are shares of the rows, `valid` None for the usual one. `format_name` is that of the check.
    """

    part: Part
    valid: float | None
    test: float
    seed: int
    format_name: str

    def as_json(self) -> bytes:
        """Return it as JSON; equal divisions are equal bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, text: bytes) -> Division:
        """Return the inverse of `as_json`."""
        return msgspec.json.decode(text, type=cls)

    def split(self, blocks: Iterable[bytes], filename: str, *, on_row: Callable[[int], None] = lambda _: None) -> Split:
        """Return the split of a file that this is a part of (`finetune.split.split_jsonl`)."""
        return split_jsonl(
            blocks,
            self.valid,
            self.seed,
            test=self.test,
            filename=filename,
            format_name=self.format_name,
            on_row=on_row,
        )

    def lines(self, split: Split) -> Iterator[bytes]:
        """Return the lines of this part."""
        return {"train": split.train, "valid": split.valid, "test": split.test}[self.part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What came of a division: the rows of each part and the rest as in `finetune.split.Split`, and the seed."""

    part: Part
    seed: int
    train_rows: int
    valid_rows: int
    test_rows: int
    classes: int = 0
    alike: int = 0
    parted: int = 0
    one_in: int = 1

    @classmethod
    def of(cls, division: Division, split: Split) -> Parts:
        """Return what came of a division."""
        return cls(
            part=division.part,
            seed=division.seed,
            train_rows=split.train_rows,
            valid_rows=split.valid_rows,
            test_rows=split.test_rows,
            classes=split.classes,
            alike=split.alike,
            parted=split.parted,
            one_in=split.one_in,
        )

    @property
    def rows(self) -> int:
        """The rows of all parts."""
        return self.train_rows + self.valid_rows + self.test_rows

    @property
    def own_rows(self) -> int:
        """The rows of this part."""
        return {"train": self.train_rows, "valid": self.valid_rows, "test": self.test_rows}[self.part]


ABOUT_NUMBERS: Final = frozenset({"too-few-examples", "class-too-small", "class-imbalance"})


def of_part(report: Report, part: str) -> Report:
    """Return the report of a part: how many rows training wants is nothing that validation and test rows lack."""
    if part not in {"valid", "test"}:
        return report
    kept = tuple(finding for finding in report.findings if finding.code not in ABOUT_NUMBERS)
    return replace(report, findings=kept)


def divisions(values: Mapping[str, str], *, seed: int, format_name: str) -> list[Division]:
    """Return the parts that a line asks for ("valid=10 test=10 seed=7"), the one to train on last.

    `seed` is used where none is given. UserError says what to change.
    """
    valid = None if values.get("valid", "auto").strip().lower() == "auto" else _share("valid", values["valid"])
    test = _share("test", values["test"]) if "test" in values else TEST_USUALLY
    chosen = parse_whole(values.get("seed", ""), name="seed", low=0, high=SEED_MAX)
    wanted: dict[Part, bool] = {"test": test > 0, "valid": valid is None or valid > 0, "train": True}
    if not wanted["test"] and not wanted["valid"]:
        raise UserError("nothing-to-split", "That would leave all rows in one part.", "Write valid=10, or test=10.")
    settings = {"valid": valid, "test": test, "seed": seed if chosen is None else chosen, "format_name": format_name}
    return [
        msgspec.convert({"part": part} | settings, type=Division) for part, is_wanted in wanted.items() if is_wanted
    ]


def _share(key: str, text: str) -> float:
    """Return a share of the rows from a percentage: "10", "10 %", "none"."""
    value = text.strip().lower().removesuffix("%").strip()
    if value in {"none", "no", "0"}:
        return 0.0
    if not re.fullmatch(r"\d{1,2}(\.\d{1,3})?", value) or not 0 < float(value) <= PERCENT_MAX:
        message = f"{key}= is a percentage of the rows, more than 0 and at most {PERCENT_MAX}."
        raise UserError("share-invalid", message, f"For example {key}=10, or {key}=none.")
    return float(value) / 100
