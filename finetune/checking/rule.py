"""What one code of a finding means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from finetune.findings import Severity

Origin = Literal["prepare_data", "cookbook", "schema", "guide", "ours"]
"""OpenAI's removed checker, its cookbook's notebook, the published line formats, its guides; and what is new here."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A code's severity, sentence and hint, in English.

    `sentence` is a predicate, singular and plural parted by "|", where rows have the problem: "has|have no reply"
    becomes "Row 17 has no reply." or "Rows 17 and 40 have no reply." Without a "|" it is a whole sentence about the
    file. Nothing of a row's content goes into sentence or hint; `{names}` in braces stand for figures, and for texts of
    our own. `for_base` is the severity where the data is meant for a base-completion model, if it is another one.
    """

    severity: Severity
    sentence: str
    hint: str
    origin: Origin = "ours"
    fixable: bool = False
    for_base: Severity | None = None
