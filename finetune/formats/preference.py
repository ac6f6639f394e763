"""Preference pairs: one prompt, the answer that is preferred and the one that is not."""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec

from finetune.counting.tokens import TOKENS_PER_CHAT, TOKENS_PER_MESSAGE
from finetune.formats import chat, images, tools
from finetune.formats.example import Example, same_text

NESTED: Final = ("input", "preferred_output", "non_preferred_output")
FLAT: Final = ("prompt", "chosen", "rejected")
COLUMNS: Final = frozenset({*NESTED, *FLAT})
MARKS: Final = frozenset({"preferred_output", "non_preferred_output", "chosen", "rejected"})
"""Columns that only preference pairs have."""

_encode = msgspec.json.Encoder(order="deterministic").encode

Messages = list[dict[str, Any]]


def is_one(row: dict[str, Any]) -> bool:
    """Return whether an object is meant as a preference pair."""
    given: Any = row.get("input")
    return bool(row.keys() & MARKS) or (isinstance(given, dict) and "messages" in given)


def read(row: dict[str, Any], line: bytes) -> Example | str:
    """Return the example in an object, or the code of the finding that keeps it from being one."""
    pair = pair_of(row)
    if pair is None:
        return "pair-incomplete"
    asked, preferred, other = pair
    every = [*asked, *preferred, *other]
    problems = [code for message in every for code in chat.message_problems(message)]
    problems += _turns(asked, preferred, other)
    if _is_same(preferred, other):
        problems.append("pair-identical")
    if any(map(chat.has_more_than_text, every)):
        problems.append("pair-not-text")
    given: Any = row.get("input")
    if isinstance(given, dict):
        problems += tools.problems(cast("dict[str, Any]", given), asked)
    problems += images.problems(every)[0]
    if not (row.keys() <= {*NESTED} or row.keys() <= {*FLAT}):
        problems.append("extra-column")
    return Example(
        format="preference",
        texts=[text for message in every for text in chat.texts(message)],
        overhead=TOKENS_PER_CHAT * 2 + TOKENS_PER_MESSAGE * len(every),
        asked=_key(pair, line),
        problems=tuple(dict.fromkeys(problems)),
        counted_exactly=False,  # how often the prompt is charged is the provider's affair
        system=chat.system_of(asked),
    )


def pair_of(row: dict[str, Any]) -> tuple[Messages, Messages, Messages] | None:
    """Return what was asked, the answer that is preferred and the other one, as messages; None where one is missing."""
    return _nested(row) if row.keys() & {*NESTED} and not row.keys() >= {"chosen", "rejected"} else _flat(row)


def as_protocol(line: bytes) -> bytes:
    """Return a row's line as providers take preference pairs: `input`, `preferred_output`, `non_preferred_output`.

    A line that has them already, or is no pair, stays as it stands.
    """
    try:
        row: Any = msgspec.json.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return line
    pair = (
        _flat(cast("dict[str, Any]", row)) if isinstance(row, dict) and row.keys() >= {"chosen", "rejected"} else None
    )
    if pair is None:
        return line
    asked, preferred, other = pair
    return msgspec.json.encode(
        {"input": {"messages": asked}, "preferred_output": preferred, "non_preferred_output": other}
    )


def _nested(row: dict[str, Any]) -> tuple[Messages, Messages, Messages] | None:
    given: Any = row.get("input")
    asked = _messages(cast("dict[str, Any]", given).get("messages")) if isinstance(given, dict) else None
    preferred, other = _messages(row.get("preferred_output")), _messages(row.get("non_preferred_output"))
    return (asked, preferred, other) if asked and preferred and other else None


def _flat(row: dict[str, Any]) -> tuple[Messages, Messages, Messages] | None:
    preferred, other = _said(row.get("chosen"), "assistant"), _said(row.get("rejected"), "assistant")
    if preferred is None or other is None:
        return None
    asked = _said(row.get("prompt"), "user")
    if asked is None and row.get("prompt") is None:  # the prompt may be what both conversations begin with
        asked = [one for one, two in zip(preferred, other, strict=False) if one == two][: len(preferred) - 1]
    if not asked:
        return None
    return asked, _without(preferred, asked), _without(other, asked)


def _said(value: Any, role: str) -> Messages | None:
    if isinstance(value, str):
        return [{"role": role, "content": value}] if value.strip() else None
    return _messages(value)


def _messages(value: Any) -> Messages | None:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in cast("list[Any]", value)):
        return None
    return cast("Messages", value)


def _without(messages: Messages, start: Messages) -> Messages:
    return messages[len(start) :] if messages[: len(start)] == start and len(messages) > len(start) else messages


def _turns(asked: Messages, preferred: Messages, other: Messages) -> list[str]:
    roles = [message.get("role") for message in asked]
    found: list[str] = []
    if roles.count("user") > 1 or "assistant" in roles or len(preferred) > 1 or len(other) > 1:
        found.append("pair-multi-turn")
    if "user" not in roles:
        found.append("user-missing")
    if any(answer[-1].get("role") not in ("assistant", None) for answer in (preferred, other)):
        found.append("last-not-assistant")
    return found


def _is_same(preferred: Messages, other: Messages) -> bool:
    one, two = (["".join(chat.texts(message)).split() for message in answer] for answer in (preferred, other))
    return one == two and preferred[0].get("tool_calls") == other[0].get("tool_calls")


def _key(pair: tuple[Messages, Messages, Messages], line: bytes) -> int:
    try:
        return same_text(_encode(pair).decode())
    except (ValueError, TypeError, RecursionError):
        return hash(line)
