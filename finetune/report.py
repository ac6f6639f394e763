"""What a check of a dataset found: one value, the same for the command line, the thread and the launch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from finetune.contract import PromptContract  # noqa: TC001 - msgspec reads the annotations at run time
from finetune.counting.profile import TokenProfile  # noqa: TC001
from finetune.findings import Finding, Severity
from finetune.shape import Shape  # noqa: TC001 - the same

FormatName = Literal["chat", "prompt-completion", "preference", "reinforcement", "alpaca", "sharegpt"]
Verdict = Literal["accepted", "rejected", "unreadable"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a file's examples: their sum, the longest, the median and the 95th percentile (nearest rank)."""

    total: int = 0
    max: int = 0
    p50: int = 0
    p95: int = 0


@dataclass(frozen=True, slots=True)
class PriceRange:
    """What training is expected to cost, in US dollars; `low` equals `high` where the count is exact."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a check.

    `rows` counts what is not blank, `examples` those that could be read as an example of `format`. `epochs`
    is what the prices assume, 0 without examples. `counted_with` names the tokenizer, or says "estimate" where
    it is that of none of the models asked about, or part of the file has no published count.
    `container` is what holds the rows, `encoding` the text's, both as they were recognised; `doubts` says why, in
    sentences, where that was not certain. `task` comes with the guidance by task, and is None until then. `shape` is
    what prompts and completions share, None for other formats. `columns` are the names that the first rows have.
    `profile` is how long the examples are, None where there are none.
    """

    format: FormatName | None
    rows: int
    examples: int
    tokens: Tokens
    epochs: int
    price_usd: dict[str, PriceRange]
    findings: tuple[Finding, ...]
    contract: PromptContract | None = None
    counted_with: str = "o200k_base"
    encoding: str = "utf-8"
    prices_as_of: str = ""
    task: str | None = None
    container: str = "jsonl"
    doubts: tuple[str, ...] = ()
    shape: Shape | None = None
    columns: tuple[str, ...] = ()
    profile: TokenProfile | None = None

    @property
    def verdict(self) -> Verdict:
        """Return "unreadable" where no example could be read, "rejected" where an error was found."""
        if self.examples == 0:
            return "unreadable"
        return "rejected" if self.errors else "accepted"

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Return the findings that block a launch."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    def price_for(self, model: str, epochs: int) -> PriceRange | None:
        """Return `price_usd` of `model` for another number of epochs; None where the report has no price for it."""
        price = self.price_usd.get(model)
        if price is None:
            return None
        return PriceRange(round(price.low / self.epochs * epochs, 6), round(price.high / self.epochs * epochs, 6))

    def as_json(self) -> dict[str, Any]:
        """Return the object that `tuneroom check --json` prints: plain JSON values, `verdict` included."""
        return {"verdict": self.verdict, **msgspec.json.decode(msgspec.json.encode(self))}

    @classmethod
    def from_json(cls, value: dict[str, Any] | bytes | str) -> Report:
        """Return the inverse of `as_json`; msgspec.ValidationError where `value` is no report."""
        if isinstance(value, dict):
            return msgspec.convert(value, type=cls)
        return msgspec.json.decode(value, type=cls)
