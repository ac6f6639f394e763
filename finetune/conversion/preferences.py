"""Preference pairs: `prompt`, `chosen`, `rejected` ↔ `input`, `preferred_output`, `non_preferred_output`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from finetune.formats import preference

if TYPE_CHECKING:
    from finetune.conversion.pairs import Converted, Object
    from finetune.formats.preference import Messages


def to_nested(row: Object) -> Converted:
    """Return the pair as OpenAI's preference tuning takes it."""
    if row.keys() >= {*preference.NESTED}:
        return None
    pair = preference.pair_of(row)
    if pair is None:
        return None
    asked, preferred, other = pair
    return [{"input": {"messages": asked}, "preferred_output": preferred, "non_preferred_output": other}]


def to_flat(row: Object) -> Converted:
    """Return the pair as most open libraries take it: texts where each side is one plain message, else messages."""
    given: Any = row.get("input")
    pair = preference.pair_of(row) if row.keys() >= {*preference.NESTED} else None
    if pair is None:
        return None
    if isinstance(given, dict) and cast("Object", given).get("tools"):
        return "tools-unknown"
    sides = [_plain(side, role) for side, role in zip(pair, ("user", "assistant", "assistant"), strict=True)]
    values = [*pair] if None in sides else sides
    return [dict(zip(preference.FLAT, values, strict=True))]


def _plain(messages: Messages, role: str) -> str | None:
    if len(messages) != 1 or messages[0].keys() != {"role", "content"} or messages[0]["role"] != role:
        return None
    content: Any = messages[0]["content"]
    return content if isinstance(content, str) and content.strip() else None
