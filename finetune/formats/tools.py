"""Tools in chat rows: their definitions, the calls, the arguments, and whether each call is answered."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import msgspec

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def problems(row: dict[str, Any], messages: list[dict[str, Any]]) -> list[str]:
    """Return the codes of what is wrong with a row's tools, calls and answers."""
    found: list[str] = []
    tools, functions = row.get("tools", []), row.get("functions", [])
    definitions = [_definition(tool) for tool in _list(tools)] + _list(functions)
    names = [_object(definition).get("name") for definition in definitions]
    are_lists = isinstance(tools, list) and isinstance(functions, list)
    if not are_lists or not all(map(_is_definition, definitions)) or len({*map(str, names)}) < len(names):
        found.append("tool-schema-invalid")
    if not isinstance(row.get("parallel_tool_calls", True), bool):
        found.append("tool-schema-invalid")
    for message in messages:
        found += _message_problems(message, names)
    if not _all_answered(messages):
        found.append("tool-call-unanswered")
    return found


def call_texts(message: dict[str, Any]) -> list[Any]:
    """Return the names and arguments of a message's calls, which the model reads or writes as text."""
    functions = [_function(call) for call in _list(message.get("tool_calls"))]
    if isinstance(message.get("function_call"), dict):
        functions.append(message["function_call"])
    return [text for function in functions for text in (function.get("name"), function.get("arguments"))]


def _definition(tool: Any) -> Any:
    return _function(tool) if _object(tool).get("type") == "function" else None


def _is_definition(definition: Any) -> bool:
    if not isinstance(definition, dict):
        return False
    function = cast("dict[str, Any]", definition)
    name, description = function.get("name"), function.get("description")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(description, str | None):
        return False
    return function.get("parameters") is None or _is_schema(function["parameters"])


def _is_schema(parameters: Any) -> bool:
    """Return whether parameters are a JSON Schema of an object, as far as its outline goes."""
    if not isinstance(parameters, dict):
        return False
    schema = cast("dict[str, Any]", parameters)
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if schema.get("type", "object") != "object" or not isinstance(properties, dict) or not isinstance(required, list):
        return False
    return all(isinstance(inner, dict | bool) for inner in cast("dict[str, Any]", properties).values()) and all(
        isinstance(name, str) for name in cast("list[Any]", required)
    )


def _message_problems(message: dict[str, Any], names: list[Any]) -> list[str]:
    found: list[str] = []
    calls: Any = message.get("tool_calls")
    if calls is not None:
        is_said = message.get("role") in ("assistant", None) and isinstance(calls, list) and len(_list(calls)) > 0
        found += [] if is_said else ["tool-schema-invalid"]
        found += [code for call in _list(calls) for code in _call_problems(call, names)]
        ids = [identity for call in _list(calls) if isinstance(identity := _object(call).get("id"), str)]
        found += ["tool-schema-invalid"] if len({*ids}) < len(ids) else []
    call: Any = message.get("function_call")
    if call is not None:
        found += _function_problems(_object(call), names)
    return found


def _call_problems(call: Any, names: list[Any]) -> list[str]:
    fields = _object(call)
    if fields.get("type") != "function" or not isinstance(fields.get("id"), str):
        return ["tool-schema-invalid"]
    return _function_problems(_function(call), names)


def _function_problems(function: dict[str, Any], names: list[Any]) -> list[str]:
    name, arguments = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, str) or (names and name not in names):
        return ["tool-schema-invalid"]
    return [] if _is_json_object(arguments) else ["tool-arguments-not-json"]


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
            calls = _list(message.get("tool_calls"))
            waiting = {identity for call in calls if isinstance(identity := _object(call).get("id"), str)}
    return not waiting or messages[-1].get("role") == "assistant"


def _function(call: Any) -> dict[str, Any]:
    return _object(_object(call).get("function"))


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
