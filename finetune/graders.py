"""Graders: what scores a model's answers while it learns by reinforcement, as OpenAI's protocol describes them.

A person gives one as JSON, or in short: `exact:answer` compares with the column `answer`, `contains:` looks for what
stands there, `similar:` scores how much is alike.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from finetune.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

GRADER_MAX_CHARACTERS: Final = 3_000

REQUIRED: Final[dict[str, frozenset[str]]] = {
    "string_check": frozenset({"name", "input", "reference", "operation"}),
    "text_similarity": frozenset({"name", "input", "reference", "evaluation_metric"}),
    "python": frozenset({"name", "source"}),
    "score_model": frozenset({"name", "model", "input"}),
    "label_model": frozenset({"name", "model", "input", "labels", "passing_labels"}),
    "multi": frozenset({"name", "graders", "calculate_output"}),
}
OPTIONAL: Final[dict[str, frozenset[str]]] = {
    "python": frozenset({"image_tag"}),
    "score_model": frozenset({"range", "sampling_params"}),
}
WHOLE: Final = ("string_check", "text_similarity", "python", "score_model", "multi")
"""What a grader may be."""
PARTS: Final = ("string_check", "text_similarity", "python", "score_model", "label_model")
"""What one of several may be that a "multi" puts together."""
OPERATIONS: Final = ("eq", "ne", "like", "ilike")
METRICS: Final = ("cosine", "fuzzy_match", "bleu", "gleu", "meteor", *(f"rouge_{n}" for n in (1, 2, 3, 4, 5, "l")))
ROLES: Final = ("user", "assistant", "system", "developer")
ASKED: Final = frozenset({"score_model", "label_model"})
"""Graders that ask a model: their input is a list of messages, that of the others a text."""

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
    _insist(given, WHOLE)
    return _canonical(given)


def _in_full(kind: str, column: str) -> dict[str, Any]:
    both = {"input": "{{sample.output_text}}", "reference": f"{{{{item.{column}}}}}"}
    if kind == "similar":
        return {"type": "text_similarity", "name": "similar", "evaluation_metric": "fuzzy_match", **both}
    return {"type": "string_check", "name": kind, "operation": "eq" if kind == "exact" else "ilike", **both}


def _insist(given: Any, kinds: tuple[str, ...]) -> None:
    """Raise UserError unless a value has the shape of a grader."""
    row = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    kind = row.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        raise UserError("grader-invalid", f"A grader's type is one of {', '.join(kinds)}.", _HINT)
    known = REQUIRED[kind] | OPTIONAL.get(kind, frozenset()) | {"type"}
    if missing := sorted(REQUIRED[kind] - row.keys()):
        raise UserError("grader-invalid", f"A {kind} grader needs {', '.join(missing)}.", _HINT)
    if extra := sorted(row.keys() - known):
        said = ", ".join(name[:40] for name in extra[:3])
        raise UserError("grader-invalid", f"A {kind} grader has no {said}.", "Take that out.")
    for name in sorted(row.keys() - {"type", "graders"}):
        _insist_on_field(kind, name, row[name])
    if kind == "label_model" and not set(row["passing_labels"]) <= set(row["labels"]):
        raise UserError(
            "grader-invalid", "In a label_model grader, passing_labels must be some of its labels.", "Change that."
        )
    for part in _parts(row["graders"]) if kind == "multi" else ():
        _insist(part, PARTS)


def _parts(graders: Any) -> list[Any]:
    """The graders of a "multi": one, or several as a list or by the names that its formula has for them.

    OpenAI's specification says one, the example in it a list, and its guide names; all three are let through.
    """
    parts: list[Any] = [graders]
    if isinstance(graders, list):
        parts = cast("list[Any]", graders)
    elif isinstance(graders, dict) and "type" not in graders:
        parts = list(cast("dict[str, Any]", graders).values())
    if not parts:
        raise UserError("grader-invalid", "A multi grader needs graders to put together.", _HINT)
    return parts


def _insist_on_field(kind: str, name: str, value: Any) -> None:
    is_right, wanted = _FIELDS.get("messages" if name == "input" and kind in ASKED else name, (_is_text, "a text"))
    if not is_right(value):
        raise UserError("grader-invalid", f"In a {kind} grader, {name} must be {wanted}.", "Change that.")


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_texts(value: Any) -> bool:
    return bool(_listed(value)) and all(map(_is_text, _listed(value)))


def _is_messages(value: Any) -> bool:
    return bool(_listed(value)) and all(map(_is_message, _listed(value)))


def _is_message(value: Any) -> bool:
    said = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return said.get("role") in ROLES and bool(said.get("content"))


def _is_range(value: Any) -> bool:
    numbers = _listed(value)
    return len(numbers) == 2 and all(isinstance(one, int | float) for one in numbers) and numbers[0] < numbers[1]


_FIELDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "operation": (OPERATIONS.__contains__, f"one of {', '.join(OPERATIONS)}"),
    "evaluation_metric": (METRICS.__contains__, f"one of {', '.join(METRICS)}"),
    "messages": (_is_messages, "a list of messages, each with a role and a content"),
    "range": (_is_range, "two numbers, the lower one first"),
    "sampling_params": (lambda value: isinstance(value, dict), "an object"),
    "labels": (_is_texts, "a list of texts"),
    "passing_labels": (_is_texts, "a list of texts"),
}
"""What a field must be; the others are texts."""


def _canonical(grader: Any) -> str:
    return json.dumps(grader, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
