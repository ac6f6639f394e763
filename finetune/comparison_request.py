"""What a person confirms before two models are asked the same rows: which, about what, at what price at most."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.catalogue import AnswerPrice
    from finetune.contract import PromptContract
    from finetune.held_out import HeldOutRow

ROW_TOKENS: Final = 32
"""What a provider may put around the texts of a row: roles, the ends of messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRequest:
    """One comparison, exactly as it will be made. `plan` is the hash of the rows.

    `tuned` and `other` are the providers' names of the models; `tuned_rows` and `other_rows` are how many rows each has
    still to be asked, for `tuned_usd` and `other_usd` at most. `after` is the comparison that was tried before and
    failed, "" where there is none: whoever confirmed that one has not confirmed the next.
    """

    job: str
    against: str
    tuned: str
    other: str
    plan: str
    tuned_rows: int
    other_rows: int
    tuned_usd: float
    other_usd: float
    prices_as_of: str
    after: str = ""

    @property
    def most_usd(self) -> float:
        """The most it may cost, in US dollars."""
        return self.tuned_usd + self.other_usd

    def digest(self) -> str:
        """SHA-256 over every field: what a confirmation is bound to."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def most_usd(
    price: AnswerPrice | None, contract: PromptContract, rows: Sequence[HeldOutRow], max_tokens: int
) -> float | None:
    """Return the most that asking a model about rows may cost, in US dollars; None where its answers have no price.

    A token is a byte at least, in any tokenizer.
    """
    if price is None:
        return None
    asked = sum(_bytes(contract, row) + ROW_TOKENS for row in rows)
    answered = len(rows) * max_tokens
    return price.usd(asked, answered)


def _bytes(contract: PromptContract, row: HeldOutRow) -> int:
    if contract.kind == "completion":
        return len(contract.prompt(row.question).encode())
    system = contract.system if row.system is None else row.system
    return len(row.question.encode()) + len((system or "").encode())
