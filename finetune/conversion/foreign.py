"""Alpaca and ShareGPT rows → chat, with their history, system message and tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from finetune.formats import foreign

if TYPE_CHECKING:
    from finetune.conversion.pairs import Converted, Object

_CALL, _ANSWERS = "function_call", frozenset({"tool", "observation", "function_response"})
_PAIR: Final = 2


def alpaca_to_chat(row: Object, *, system: str = "") -> Converted:
    """Return the chat that an Alpaca row is; its own system message goes before `system`."""
    instruction, given, output = row.get("instruction"), row.get("input") or "", row.get("output")
    if not isinstance(instruction, str) or not isinstance(given, str) or not isinstance(output, str):
        return None
    earlier = _history(row.get("history"))
    if earlier is None:
        return "history-unknown"
    messages = foreign.as_chat_of_alpaca(instruction, given, output)["messages"]
    return [{"messages": [*_system(row.get("system"), system), *earlier, *messages]}]


def sharegpt_to_chat(row: Object, *, system: str = "") -> Converted:
    """Return the chat that a ShareGPT row is; calls and what they gave are tied together by ids."""
    turns: Any = row.get("conversations")
    if not isinstance(turns, list):
        return None
    tools = _tools(row.get("tools"))
    if tools is None:
        return "tools-unknown"
    messages = _with_calls(cast("list[Any]", turns), foreign.as_chat_of_sharegpt(row)["messages"])
    is_set = any(_role(message) in {"system", "developer"} for message in messages)
    said = messages if is_set or not system else [{"role": "system", "content": system}, *messages]
    return [{"messages": said} | ({"tools": tools} if tools else {})]


def _system(own: Any, given: str) -> list[Object]:
    text = own if isinstance(own, str) and own.strip() else given
    return [{"role": "system", "content": text}] if text else []


def _history(value: Any) -> list[Object] | None:
    """Return the turns before an Alpaca row's own: pairs of what was asked and answered."""
    if value in (None, "", []):
        return []
    pairs = cast("list[Any]", value) if isinstance(value, list) else [None]
    if not all(isinstance(pair, list) and len(cast("list[Any]", pair)) == _PAIR for pair in pairs):
        return None
    texts = [text for pair in cast("list[list[Any]]", pairs) for text in pair]
    if not all(isinstance(text, str) for text in texts):
        return None
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


def _with_calls(turns: list[Any], messages: list[Any]) -> list[Any]:
    """Return the messages with calls written as calls; `messages` are those of the turns, a system one before them."""
    made: list[Any] = list(messages[: len(messages) - len(turns)])
    waiting = ""
    for turn, message in zip(turns, messages[len(made) :], strict=True):
        sender = cast("Object", turn).get("from") if isinstance(turn, dict) else None
        if sender == _CALL and (call := _call(message.get("content"), f"call_{len(made)}")) is not None:
            waiting = call["id"]
            made.append({"role": "assistant", "tool_calls": [call]})
        elif isinstance(sender, str) and sender in _ANSWERS and waiting:
            made.append({"role": "tool", "tool_call_id": waiting, "content": message.get("content")})
            waiting = ""
        else:
            made.append(message)
    return made


def _call(text: Any, identity: str) -> Object | None:
    call = _object(text)
    name, arguments = call.get("name"), call.get("arguments")
    if not isinstance(name, str) or arguments is None:
        return None
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": written}}


def _tools(value: Any) -> list[Any] | None:
    """Return a ShareGPT row's tools as chat has them; None where they are in no shape that is known."""
    if value in (None, "", []):
        return []
    listed = _json(value) if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(tool, dict) for tool in cast("list[Any]", listed)):
        return None
    tools = cast("list[Object]", listed)
    return [tool if "function" in tool else {"type": "function", "function": tool} for tool in tools]


def _role(message: Any) -> Any:
    return cast("Object", message).get("role") if isinstance(message, dict) else None


def _object(value: Any) -> Object:
    read = _json(value) if isinstance(value, str) else value
    return cast("Object", read) if isinstance(read, dict) else {}


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return None
