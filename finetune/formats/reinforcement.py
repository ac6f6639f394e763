"""Reinforcement items: a conversation that the model goes on with, and what a grader compares its answer to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from finetune.formats import chat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.formats.example import Example

SAMPLED_SHARE: Final = 0.5
_NOT_ITS_OWN: Final = frozenset({"assistant-missing", "last-not-assistant", "system-missing", "extra-column"})
_NAMES: Final = ("reference", "answer", "ground_truth", "expected", "target", "solution", "label", "정답", "正解")
_NOTES: Final = frozenset({"id", "index", "source", "split", "metadata", "meta", "category", "tags"})


def references(rows: Iterable[dict[str, Any]]) -> frozenset[str]:
    """Return the columns that hold what answers are compared to; none where rows with `messages` are ordinary chat.

    They are items where most end with somebody else than the assistant and have a column beside those of chat.
    """
    conversations = [row for row in rows if "messages" in row]
    items = [row for row in conversations if _ends_open(row["messages"]) and row.keys() - chat.COLUMNS - _NOTES]
    if not items or len(items) < len(conversations) * SAMPLED_SHARE:
        return frozenset()
    names = frozenset(name for row in items for name in row.keys() - chat.COLUMNS - _NOTES)
    said = frozenset(name for name in names if any(known in name.lower() for known in _NAMES))
    return said or names


def read(row: dict[str, Any], line: bytes, references: frozenset[str]) -> Example | str:
    """Return the example in an object, or the code of the finding that keeps it from being one.

    `references` are the columns one of which must be filled; any beside those of chat where there are none.
    """
    if "messages" not in row:
        return "messages-missing"
    example = chat.read(row, line)
    if isinstance(example, str):
        return example
    problems = [code for code in example.problems if code not in _NOT_ITS_OWN]
    if not _ends_with_user(row["messages"]):
        problems.append("reinforcement-last-not-user")
    wanted = references or row.keys() - chat.COLUMNS - _NOTES
    if not any(_is_filled(row.get(name)) for name in wanted):
        problems.append("reinforcement-no-reference")
    asked, answered = chat.keys(row, line, frozenset(row))
    return replace(
        example, format="reinforcement", problems=tuple(problems), asked=hash((asked, answered)), answered=None
    )


def _ends_open(messages: Any) -> bool:
    return not (isinstance(messages, list) and messages and _last_role(cast("list[Any]", messages)) == "assistant")


def _ends_with_user(messages: list[Any]) -> bool:
    return _last_role(messages) == "user"


def _last_role(messages: list[Any]) -> Any:
    last: Any = messages[-1]
    return cast("dict[str, Any]", last).get("role") if isinstance(last, dict) else None


def _is_filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], {})
