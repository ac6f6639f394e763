"""What was changed, in words: a phrase for each fix, conversion and reason, without any content of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from finetune.fixes.difference import Change, Difference

_PHRASES: Final = {
    "left-out": "{rows} left out, which could not be read",
    "not-a-pair": "{rows} left out, which hold more than one question and its answer as text",
    "history-unknown": "{rows} left out, whose `history` is no list of questions and answers",
    "tools-unknown": "{rows} left out, whose `tools` cannot be carried over",
    "duplicate-row": "{repeated rows} deleted",
    "empty-completion": "{rows} with an empty answer deleted",
    "extra-column": "columns that training does not read deleted from {rows}",
    "column-case": "columns renamed `prompt` and `completion` in {rows}",
    "columns-mapped": "columns mapped in {rows}",
    "to-chat": "{rows} written as chat",
    "to-prompt-completion": "{rows} written as prompt and completion",
    "to-turns": "{rows} written as one example a reply",
    "to-preference": "{rows} written as `input`, `preferred_output` and `non_preferred_output`",
    "to-chosen-rejected": "{rows} written as `prompt`, `chosen` and `rejected`",
    "separator-missing": "a separator put at the end of {prompts}",
    "prompt-prefix-common": "the common beginning taken off {prompts}",
    "completion-prefix-common": "the common beginning taken off {completions}",
    "completion-suffix-missing": "an ending put to {completions}",
    "completion-space-missing": "a space put before {completions}",
    "upper-case": "capitals made small in {rows}",
}
"""In the order in which they are read: what is lost first. In braces, what is counted."""

OF_MOST_ROWS: Final = frozenset(code for code in _PHRASES if code.startswith(("to-", "columns-")))
"""What is done to whole files: which rows it touched tells nobody anything."""


def ordered(difference: Difference) -> list[Change]:
    """Return the changes in the order in which a person should read them."""
    places = list(_PHRASES)
    return sorted(difference.changes, key=lambda change: places.index(change.code) if change.code in places else 0)


def phrase(change: Change) -> str:
    """Return what a change did: "31 repeated rows deleted"."""
    before, _, rest = _PHRASES.get(change.code, "{rows} changed").partition("{")
    noun, _, after = rest.partition("}")
    counted = f"{change.count:,} {noun.removesuffix('s') if change.count == 1 else noun}"
    return f"{before}{counted}{after}"


def sentence(difference: Difference) -> str:
    """Return what became of a file: "31 repeated rows deleted, columns renamed in 2 rows."."""
    if difference.is_nothing:
        return "Nothing to change."
    said = ", ".join(map(phrase, ordered(difference)))
    return f"{said[:1].upper()}{said[1:]}."
