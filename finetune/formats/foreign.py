"""Alpaca and ShareGPT rows, which no provider trains on as they are: read as the chat they are to become."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast

from finetune.formats import chat
from finetune.formats.example import Example

ALPACA: Final = frozenset({"instruction", "input", "output"})
_ROLES: Final = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
    "function_call": "assistant",
    "tool": "tool",
    "observation": "tool",
    "function_response": "tool",
}


def read_alpaca(row: dict[str, Any], line: bytes) -> Example | str:
    """Return the example in an Alpaca row, or the code of the finding that keeps it from being one."""
    texts = [row.get(name) for name in ("instruction", "input", "output")]
    if not isinstance(texts[0], str) or not isinstance(texts[2], str):
        return "missing-column"
    instruction, given, output = (text if isinstance(text, str) else "" for text in texts)
    example = chat.read(as_chat_of_alpaca(instruction, given, output), line)
    assert isinstance(example, Example)
    problems = ["extra-column"] if not row.keys() <= ALPACA | {"system", "history", "text"} else []
    if not f"{instruction}{given}".strip():
        problems.append("empty-prompt")
    if not output.strip():
        problems.append("empty-completion")
    return replace(example, format="alpaca", problems=tuple(problems))


def as_chat_of_alpaca(instruction: str, given: str, output: str) -> dict[str, Any]:
    """Return the chat row that an Alpaca row stands for."""
    asked = f"{instruction}\n\n{given}" if given.strip() else instruction
    return {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": output}]}


def read_sharegpt(row: dict[str, Any], line: bytes) -> Example | str:
    """Return the example in a ShareGPT row, or the code of the finding that keeps it from being one."""
    if "conversations" not in row:
        return "messages-missing"
    example = chat.read(as_chat_of_sharegpt(row), line)
    if isinstance(example, str):
        return example
    problems = [code for code in example.problems if code not in {"tool-call-unanswered", "system-missing"}]
    return replace(example, format="sharegpt", problems=tuple(problems))


def as_chat_of_sharegpt(row: dict[str, Any]) -> dict[str, Any]:
    """Return the chat row that a ShareGPT row stands for; roles that it does not know stay as they are."""
    turns: Any = row["conversations"]
    if not isinstance(turns, list):
        return {"messages": turns}
    messages: list[Any] = [_message(turn) for turn in cast("list[Any]", turns)]
    if isinstance(row.get("system"), str) and row["system"].strip():
        messages.insert(0, {"role": "system", "content": row["system"]})
    return {"messages": messages}


def _message(turn: Any) -> Any:
    if not isinstance(turn, dict):
        return turn
    said = cast("dict[str, Any]", turn)
    role: Any = said.get("from", said.get("role"))
    message = {"role": _ROLES.get(role, role) if isinstance(role, str) else role}
    content = {name: said[name] for name in ("value", "content") if name in said}
    return {**message, "content": next(iter(content.values()))} if content else message
