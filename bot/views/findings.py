"""What a check found, as lines of a message: errors first, each with what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mrkdwn import EMPTY, Mrkdwn, lines, mrkdwn, prose
from bot.views.words import plural, rows_named
from finetune.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from finetune.findings import Finding

FINDINGS_SHOWN: Final = 8
ROWS_IN_A_SENTENCE: Final = 3
SENTENCE_MAX: Final = 450
OF_THE_WHOLE: Final = frozenset({"class-too-small", "class-imbalance"})
"""What is wrong with the file rather than with the rows that it counts: their numbers would mend nothing."""
_MARKS: Final = {
    Severity.ERROR: mrkdwn("*Error:*"),
    Severity.WARNING: mrkdwn("*Warning:*"),
    Severity.ADVICE: mrkdwn("*Advice:*"),
}
_ORDER: Final = list(Severity)


def findings_lines(findings: Sequence[Finding], rows: int) -> list[Mrkdwn]:
    """Return a paragraph for each of the first findings of a file of `rows` rows, and the codes of the others."""
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
    shown = [_paragraph(finding, rows) for finding in ordered[:FINDINGS_SHOWN]]
    others = ordered[FINDINGS_SHOWN:]
    if not others:
        return shown
    named = prose(", ".join(map(_counted, others))).clipped(SENTENCE_MAX)
    return [*shown, mrkdwn("And {more} more: {named}.", more=len(others), named=named)]


def _counted(finding: Finding) -> str:
    """Return a finding's code, and how many rows have it."""
    return f"{finding.code} ({plural(finding.count, 'row')})" if finding.rows else finding.code


def _paragraph(finding: Finding, rows: int) -> Mrkdwn:
    return mrkdwn(
        "{mark} {what}{rest}",
        mark=_MARKS[finding.severity],
        what=prose(finding.message).clipped(SENTENCE_MAX),
        rest=_rest(finding, rows),
    )


def _rest(finding: Finding, rows: int) -> Mrkdwn:
    hint = prose(finding.hint).clipped(SENTENCE_MAX)
    # The sentence names the first rows itself; who mends the file wants more of them, unless it is every row.
    is_named = ROWS_IN_A_SENTENCE < finding.count < rows and finding.code not in OF_THE_WHOLE
    named = rows_named(finding.rows, finding.count) if is_named else ""
    parts = lines(hint, mrkdwn("{named}.", named=named) if named else EMPTY)
    return mrkdwn("\n{parts}", parts=parts) if parts else EMPTY
