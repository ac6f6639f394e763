"""Tool calls in chat rows: their shape, their arguments, and whether each is answered."""

from __future__ import annotations

from typing import Any, cast

import msgspec


def problems(row: dict[str, Any], messages: list[dict[str, Any]]) -> list[str]:
    """Return the codes of what is wrong with a row's tools, calls and answers."""
    found: list[str] = []
    if not _are_definitions(row.get("tools", [])):
        found.append("tool-schema-invalid")
    for message in messages:
        if message.get("tool_calls") is not None:
            found += _call_problems(message["tool_calls"])
    if not _all_answered(messages):
        found.append("tool-call-unanswered")
    return found


def call_texts(message: dict[str, Any]) -> list[Any]:
    """Return the names and arguments of a message's calls, which the model reads or writes as text."""
    functions = [_function(call) for call in _calls(message)]
    if isinstance(message.get("function_call"), dict):
        functions.append(message["function_call"])
    return [text for function in functions for text in (function.get("name"), function.get("arguments"))]


def _are_definitions(tools: Any) -> bool:
    if not isinstance(tools, list):
        return False
    return all(isinstance(_function(tool).get("name"), str) for tool in cast("list[Any]", tools))


def _call_problems(calls: Any) -> list[str]:
    if not isinstance(calls, list) or not calls:
        return ["tool-schema-invalid"]
    found: list[str] = []
    for call in cast("list[Any]", calls):
        function = _function(call)
        if not all(isinstance(text, str) for text in (function.get("name"), function.get("arguments"), _id(call))):
            found.append("tool-schema-invalid")
        elif not _is_json(function["arguments"]):
            found.append("tool-arguments-not-json")
    return found


def _all_answered(messages: list[dict[str, Any]]) -> bool:
    """Return whether each call is answered before anything else is said; the last message's calls need no answer."""
    waiting: set[str] = set()
    for message in messages:
        if message.get("role") == "tool":
            answered = message.get("tool_call_id")
            if not isinstance(answered, str) or answered not in waiting:
                return False
            waiting.remove(answered)
        elif waiting:
            return False
        else:
            waiting = {identity for call in _calls(message) if isinstance(identity := _id(call), str)}
    return not waiting or messages[-1].get("role") == "assistant"


def _calls(message: dict[str, Any]) -> list[Any]:
    calls: Any = message.get("tool_calls")
    return cast("list[Any]", calls) if isinstance(calls, list) else []


def _function(call: Any) -> dict[str, Any]:
    function: Any = cast("dict[str, Any]", call).get("function") if isinstance(call, dict) else None
    return cast("dict[str, Any]", function) if isinstance(function, dict) else {}


def _id(call: Any) -> Any:
    return cast("dict[str, Any]", call).get("id") if isinstance(call, dict) else None


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True
