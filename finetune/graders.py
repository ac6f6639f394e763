"""Graders: what scores a model's answers while it learns by reinforcement, as OpenAI's protocol describes them.

A person gives one as JSON, or in short: `exact:answer` compares with the column `answer`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

import msgspec

from finetune.errors import UserError

GRADER_MAX_CHARACTERS: Final = 3_000

REQUIRED: Final[dict[str, frozenset[str]]] = {
    "string_check": frozenset({"name", "input", "reference", "operation"}),
    "text_similarity": frozenset({"name", "input", "reference", "evaluation_metric"}),
    "python": frozenset({"name", "source"}),
    "score_model": frozenset({"name", "model", "input"}),
    "multi": frozenset({"name", "graders", "calculate_output"}),
}
OPTIONAL: Final[dict[str, frozenset[str]]] = {
    "python": frozenset({"image_tag"}),
    "score_model": frozenset({"range", "sampling_params"}),
}
OPERATIONS: Final = frozenset({"eq", "ne", "like", "ilike"})
METRICS: Final = frozenset(
    {"cosine", "fuzzy_match", "bleu", "gleu", "meteor", *(f"rouge_{n}" for n in (1, 2, 3, 4, 5, "l"))}
)
CHOICES: Final = {"operation": OPERATIONS, "evaluation_metric": METRICS}

_SHORT: Final = re.compile(r"(exact|contains|similar):([^\s{}:]{1,64})")
_HINT: Final = "Write exact:answer to compare with the column answer, or the grader as JSON."


def parse_grader(text: str) -> str:
    """Return a grader as canonical JSON, from JSON or in short; UserError says what is wrong with it."""
    said = text.strip()
    if not said:
        raise UserError("grader-missing", "Learning by reinforcement needs a grader.", _HINT)
    if short := _SHORT.fullmatch(said):
        return _canonical(_in_full(short[1], short[2]))
    if len(said) > GRADER_MAX_CHARACTERS:
        raise UserError("grader-invalid", "The grader is longer than 3,000 characters.", "Shorten it.")
    try:
        given = msgspec.json.decode(said)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UserError("grader-invalid", "The grader is neither JSON nor a short form I know.", _HINT) from error
    _insist(given)
    return _canonical(given)


def _in_full(kind: str, column: str) -> dict[str, Any]:
    both = {"input": "{{sample.output_text}}", "reference": f"{{{{item.{column}}}}}"}
    if kind == "similar":
        return {"type": "text_similarity", "name": "similar", "evaluation_metric": "fuzzy_match", **both}
    return {"type": "string_check", "name": kind, "operation": "eq" if kind == "exact" else "ilike", **both}


def _insist(given: Any) -> None:
    """Raise UserError unless a value has the shape of a grader."""
    row = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    kind = row.get("type")
    if not isinstance(kind, str) or kind not in REQUIRED:
        raise UserError("grader-invalid", f"A grader's type is one of {', '.join(REQUIRED)}.", _HINT)
    known = REQUIRED[kind] | OPTIONAL.get(kind, frozenset()) | {"type"}
    if missing := sorted(REQUIRED[kind] - row.keys()):
        raise UserError("grader-invalid", f"A {kind} grader needs {', '.join(missing)}.", _HINT)
    if extra := sorted(row.keys() - known):
        said = ", ".join(name[:40] for name in extra[:3])
        raise UserError("grader-invalid", f"A {kind} grader has no {said}.", "Take that out.")
    if not isinstance(row["name"], str) or not row["name"].strip():
        raise UserError("grader-invalid", "A grader's name is a text.", 'For example "name": "exact".')
    for name, allowed in CHOICES.items():
        if name in REQUIRED[kind] and row[name] not in allowed:
            raise UserError("grader-invalid", f"{name} is one of {', '.join(sorted(allowed))}.", _HINT)
    if kind == "multi":
        _insist(row["graders"])


def _canonical(grader: Any) -> str:
    return json.dumps(grader, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
