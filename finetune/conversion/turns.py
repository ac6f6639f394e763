"""A conversation → one example for each of the assistant's turns, so that every reply is learnt in its context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from finetune.conversion.pairs import Converted, Object


def to_turns(row: Object) -> Converted:
    """Return an example for each reply that is to be learnt: what was said before it, and the reply.

    Replies before it have weight 0, so that each is learnt once; a reply that had weight 0 already makes no example.
    """
    messages: Any = row.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in cast("list[Any]", messages)):
        return None
    said = cast("list[Object]", messages)
    replies = [at for at, message in enumerate(said) if _is_learnt(message)]
    if len(replies) <= 1:
        return None
    return [row | {"messages": [*map(_as_context, said[:at]), said[at]]} for at in replies]


def _is_learnt(message: Object) -> bool:
    return message.get("role") == "assistant" and message.get("weight", 1) != 0


def _as_context(message: Object) -> Object:
    return message | {"weight": 0} if message.get("role") == "assistant" else message
