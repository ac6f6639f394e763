"""What the checks of OpenAI's cookbook notebook find in chat rows, written anew: an oracle for tests.

Its mistakes are not: tool calls, the roles `tool` and `developer`, parts, and null beside a call are right.
"""

from __future__ import annotations

from typing import Any, cast

KEYS = {"role", "content", "name", "function_call", "weight", "tool_calls", "tool_call_id", "refusal", "audio"}
ROLES = {"system", "user", "assistant", "function", "tool", "developer"}


def cookbook(rows: list[Any]) -> dict[str, list[int]]:
    """Return codes with the rows that have them, from 1."""
    found: dict[str, list[int]] = {}
    for number, row in enumerate(rows, start=1):
        for code in _of_row(row):
            found.setdefault(code, []).append(number)
    return found


def _of_row(row: Any) -> set[str]:
    if not isinstance(row, dict):
        return {"not-an-object"}
    messages: Any = cast("dict[str, Any]", row).get("messages")
    if not messages:
        return {"messages-missing"}
    codes: set[str] = set()
    for message in cast("list[dict[str, Any]]", messages):
        codes |= _of_message(message)
    roles = [message.get("role") for message in cast("list[dict[str, Any]]", messages)]
    if "assistant" not in roles:
        codes.add("assistant-missing")
    if "system" not in roles and "developer" not in roles:
        codes.add("system-missing")
    if "user" not in roles:
        codes.add("user-missing")
    return codes


def _of_message(message: dict[str, Any]) -> set[str]:
    codes: set[str] = set()
    called = message.get("function_call") or message.get("tool_calls")
    if "role" not in message or ("content" not in message and not called):
        codes.add("message-key-missing")
    if any(key not in KEYS for key in message):
        codes.add("message-key-unknown")
    if "role" in message and message["role"] not in ROLES:
        codes.add("role-unknown")
    content = message.get("content")
    if "content" in message and not called and (not content or not isinstance(content, str | list)):
        codes.add("content-missing")
    return codes
