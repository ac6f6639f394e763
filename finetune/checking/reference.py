"""All findings as a page of documentation, written from the rules themselves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from finetune.checking.file_rules import CLASS_RULES, CONTAINER_RULES, PAIR_RULES, TASK_RULES
from finetune.checking.row_rules import ROW_RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from finetune.checking.rule import Rule

_SHARED: Final = """\
Of rows with `prompt` and `completion`; `prompts-identical` and `completions-identical` of conversations too. Where two
severities are named, the second holds if the data is meant for a model that only completes text, such as davinci-002.
To an instruct model, separators, endings and leading spaces teach junk: convert the rows to chat instead. Completions
need no leading space where most are Korean, Japanese or Chinese."""

_CLASSES: Final = """\
Of files in which fewer than a third of the answers differ; in chat, where they are also short and few. A label in
Korean, Japanese or Chinese may be several tokens long."""

_WORK: Final = """\
What the rows are to teach is inferred (`task` in the report), and can be said (`--task`). `too-few-examples` is an
error under the least that training takes, 10 where no provider says otherwise. An overlap that is nearly, but not quite
word for word is a warning."""

_PARTS: Final[tuple[tuple[str, str, Mapping[str, Rule], Callable[[str], bool]], ...]] = (
    (
        "Files that are not read",
        "Nothing, or only the beginning, is read of such a file; the reply says more exactly why.",
        CONTAINER_RULES,
        lambda _: True,
    ),
    ("Rows", "", ROW_RULES, lambda code: not code.startswith(("tool-", "pair-", "image", "reinforcement-"))),
    ("Tools", "", ROW_RULES, lambda code: code.startswith("tool-")),
    ("Pictures", "", ROW_RULES, lambda code: code.startswith("image")),
    ("Preference pairs", "", ROW_RULES, lambda code: code.startswith("pair-")),
    ("Reinforcement items", "", ROW_RULES, lambda code: code.startswith("reinforcement-")),
    (
        "What prompts and completions share",
        _SHARED,
        PAIR_RULES,
        lambda _: True,
    ),
    (
        "Classes and answers",
        _CLASSES,
        CLASS_RULES,
        lambda _: True,
    ),
    (
        "The work and the files beside it",
        _WORK,
        TASK_RULES,
        lambda _: True,
    ),
)

_EXAMPLES: Final = {
    "separator": " ->",
    "ending": " END",
    "characters": "14",
    "columns": "the completions",
    "times": "4",
    "counted": "46 examples",
    "task": "conversation",
    "missing": "4",
    "aim": "50 to 100",
}

_HEAD: Final = """# Findings

What a check can find, by code. Written by `./run python -m finetune.checking.reference > docs/findings.md`; a test
holds it to the code.

An **error** blocks the launch, a **warning** and **advice** do not. Rows are numbered as a person finds them in the
source file: in JSONL by the line, blank lines counted; in a table by the record with the header as 1; in a JSON array
by the element from 1. A finding without rows is about the file. "Fix" says whether Tuneroom can mend it by itself.
"From" is where the rule comes from: OpenAI's removed checker (prepare_data), its cookbook's notebook (cookbook), the
published line formats (schema), the fine-tuning guides (guide), or Tuneroom (ours).
"""


def document() -> str:
    """Return `docs/findings.md`."""
    return "\n".join([_HEAD, *(_part(*part) for part in _PARTS)])


def _part(title: str, note: str, rules: Mapping[str, Rule], belongs: Callable[[str], bool]) -> str:
    lines = [f"## {title}", "", *([note, ""] if note else [])]
    lines += ["| code | severity | says | what to do | fix | from |", "|---|---|---|---|---|---|"]
    lines += [_line(code, rule) for code, rule in rules.items() if belongs(code)]
    return "\n".join([*lines, ""])


def _line(code: str, rule: Rule) -> str:
    one, parted, _ = rule.sentence.partition("|")
    predicate = rule.sentence.partition("|")[2].partition(" ")[2]
    says = f"Row 17 {one} {predicate}." if parted else rule.sentence
    severity = rule.severity.value if rule.for_base is None else f"{rule.severity.value} / {rule.for_base.value}"
    cells = [f"`{code}`", severity, _filled(says), _filled(rule.hint), "✓" if rule.fixable else "", rule.origin]
    return f"| {' | '.join(cells)} |"


def _filled(text: str) -> str:
    for name, example in _EXAMPLES.items():
        text = text.replace(f"{{{name}}}", example)
    return text


if __name__ == "__main__":
    sys.stdout.write(document())
