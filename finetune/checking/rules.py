"""Every finding a check can make, by its code, and how its sentence is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from finetune.checking.file_rules import FILE_RULES
from finetune.checking.row_rules import ROW_RULES
from finetune.findings import Finding

if TYPE_CHECKING:
    from finetune.checking.rule import Rule
    from finetune.findings import Severity

RULES: Final[dict[str, Rule]] = ROW_RULES | FILE_RULES

_NAMED_ROWS: Final = 3
"""A sentence names this many rows; the finding itself carries more."""


def row_finding(
    code: str,
    rows: tuple[int, ...],
    count: int,
    total: int,
    *,
    detail: str = "",
    hint: str = "",
    for_base: bool = False,
    **texts: object,
) -> Finding:
    """Return the finding `code` for `count` of `total` rows, the first of them in `rows`.

    `detail` is appended to the sentence; `hint`, where given, comes before the rule's own. `for_base` says that a
    base-completion model is to learn the rows; `texts` are what stands in braces in the hint.
    """
    rule = RULES[code]
    one, _, rest = rule.sentence.partition("|")
    many, _, predicate = rest.partition(" ")
    verb = one if count == 1 else many
    message = f"{_subject(rows, count, total)} {verb} {predicate}{detail}."
    own = rule.hint.format(**texts) if texts else rule.hint
    severity = _severity(rule, for_base=for_base)
    return Finding(code, severity, rows, count, message, f"{hint} {own}".strip(), rule.fixable)


def file_finding(code: str, *, for_base: bool = False, **texts: object) -> Finding:
    """Return the finding `code` for a file as a whole; `texts` are what stands in braces in its sentence and hint."""
    rule = RULES[code]
    message, hint = rule.sentence.format(**texts), rule.hint.format(**texts)
    return Finding(code, _severity(rule, for_base=for_base), (), 1, message, hint, rule.fixable)


def _severity(rule: Rule, *, for_base: bool) -> Severity:
    return rule.for_base if for_base and rule.for_base is not None else rule.severity


def _subject(rows: tuple[int, ...], count: int, total: int) -> str:
    if count == total and count > _NAMED_ROWS:
        return f"All {count:,} rows"
    if count == 1:
        return f"Row {rows[0]}"
    named = [str(row) for row in rows[:_NAMED_ROWS]]
    if count > len(named):
        return f"Rows {', '.join(named)} and {count - len(named):,} more"
    return f"Rows {', '.join(named[:-1])} and {named[-1]}"
