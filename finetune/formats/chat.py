"""The chat format: rows with `messages`, read as typed structures where they are plain and by hand where not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from finetune.counting.tokens import TOKENS_PER_CHAT, TOKENS_PER_MESSAGE, TOKENS_PER_NAME
from finetune.formats import images, tools
from finetune.formats.example import Example, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
COLUMNS = frozenset({"messages", "tools", "functions", "parallel_tool_calls"})
MESSAGE_KEYS = frozenset(
    {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"}
)


class PlainMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A message of nothing but role and text, as most are."""

    content: str  # in the order of the alphabet, so that a message read by hand has the same key
    role: Literal["system", "developer", "user", "assistant"]


class PlainChat(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A row of nothing but plain messages."""

    messages: list[PlainMessage]


_decode = msgspec.json.Decoder(PlainChat).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def read_plain(line: bytes) -> Example | None:
    """Return the example in a line of plain chat, None where it is anything else."""
    try:
        chat = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    messages = chat.messages
    if not messages:
        return None
    roles = [message.role for message in messages]
    problems = _role_problems(roles)
    said: list[str] = []
    for message in messages:
        said += (message.role, message.content)
        if not message.content.strip():
            problems.append("content-missing")
    return Example(
        format="chat",
        texts=said,
        overhead=TOKENS_PER_CHAT + TOKENS_PER_MESSAGE * len(messages),
        key=key_of(_encode(messages)),
        problems=tuple(dict.fromkeys(problems)),
        system=messages[0].content if messages[0].role == "system" else None,
    )


def read(row: dict[str, Any], line: bytes) -> Example | str:
    """Return the example in an object with `messages`, or the code of the finding that keeps it from being one."""
    given: Any = row["messages"]
    if not isinstance(given, list) or not given:
        return "messages-missing"
    messages = [cast("dict[str, Any]", message) for message in cast("list[Any]", given) if isinstance(message, dict)]
    problems: list[str] = ["message-key-missing"] if len(messages) < len(cast("list[Any]", given)) else []
    for message in messages:
        problems += message_problems(message)
    problems += _role_problems([message.get("role") for message in messages])
    if _trains_nothing(messages):
        problems.append("nothing-trained")
    problems += tools.problems(row, messages)
    pictured, pictures = images.problems(messages)
    problems += pictured
    if not row.keys() <= COLUMNS:
        problems.append("extra-column")
    return Example(
        format="chat",
        texts=[text for message in messages for text in texts(message)] + _definitions(row),
        overhead=TOKENS_PER_CHAT
        + sum(TOKENS_PER_MESSAGE + TOKENS_PER_NAME * ("name" in message) for message in messages),
        key=key(row, line),
        problems=tuple(dict.fromkeys(problems)),
        counted_exactly=not row.keys() & {"tools", "functions"} and not any(map(has_more_than_text, messages)),
        system=system_of(messages),
        images=pictures,
    )


def _role_problems(roles: Sequence[object]) -> list[str]:
    problems: list[str] = []
    if "assistant" not in roles:
        problems.append("assistant-missing")
    elif roles[-1] != "assistant":
        problems.append("last-not-assistant")
    if "system" not in roles and "developer" not in roles:
        problems.append("system-missing")
    if "user" not in roles:
        problems.append("user-missing")
    return problems


def message_problems(message: dict[str, Any]) -> list[str]:
    """Return the codes of what is wrong with one message, wherever it stands."""
    problems: list[str] = []
    stands_alone = any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))
    if "role" not in message or ("content" not in message and not stands_alone):
        problems.append("message-key-missing")
    if "role" in message and not (isinstance(message["role"], str) and message["role"] in ROLES):
        problems.append("role-unknown")
    if not message.keys() <= MESSAGE_KEYS:
        problems.append("message-key-unknown")
    if "weight" in message and (type(message["weight"]) is not int or message["weight"] not in {0, 1}):
        problems.append("weight-invalid")
    if "content" in message and not _has_content(message["content"]) and not stands_alone:
        # What a tool answers may well be nothing.
        empty_answer = message["content"] == "" and message.get("role") in ("tool", "function")
        problems += [] if empty_answer else ["content-missing"]
    return problems


def _has_content(content: Any) -> bool:
    if isinstance(content, str):
        return bool(content.strip())
    if not isinstance(content, list) or not content:
        return False
    return all(_is_part(part) for part in cast("list[Any]", content))


def _is_part(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    typed = cast("dict[str, Any]", part)
    kind = str(typed.get("type"))
    if kind in {"text", "refusal"}:
        text = typed.get(kind)
        return isinstance(text, str) and bool(text.strip())
    if kind == "image_url":  # what is wrong with it, `images` says
        return True
    return kind in {"input_audio", "file"} and isinstance(typed.get(kind), dict)


def _trains_nothing(messages: list[dict[str, Any]]) -> bool:
    replies = [message for message in messages if message.get("role") == "assistant"]
    return bool(replies) and all(type(reply.get("weight")) is int and reply["weight"] == 0 for reply in replies)


def texts(message: dict[str, Any]) -> list[str]:
    """Return the texts of a message that are counted, its role first."""
    content: Any = message.get("content")
    found = [message.get("role"), message.get("name"), message.get("refusal"), *tools.call_texts(message)]
    if isinstance(content, list):
        parts = [cast("dict[str, Any]", part) for part in cast("list[Any]", content) if isinstance(part, dict)]
        found += [part.get("text") or part.get("refusal") for part in parts]
    else:
        found.append(content)
    return [text for text in found if isinstance(text, str)]


def _definitions(row: dict[str, Any]) -> list[str]:
    return [json.dumps(row[key], ensure_ascii=False) for key in ("tools", "functions") if row.get(key)]


def has_more_than_text(message: dict[str, Any]) -> bool:
    """Return whether a message has calls, sound or pictures."""
    if message.get("tool_calls") or message.get("function_call") or message.get("audio"):
        return True
    content: Any = message.get("content")
    if not isinstance(content, list):
        return False
    return any(not isinstance(part, dict) or "text" not in part for part in cast("list[Any]", content))


def system_of(messages: list[dict[str, Any]]) -> str | None:
    """Return the system message that a conversation begins with."""
    if not messages or messages[0].get("role") != "system":
        return None
    return "".join(texts(messages[0])[1:]) or None


def key(row: dict[str, Any], line: bytes, columns: frozenset[str] = COLUMNS) -> int:
    """Return a key that is equal for rows whose `columns` are equal."""
    others = {name: row[name] for name in columns - {"messages"} if name in row}
    try:
        return key_of(_encode(row["messages"]) + (_encode(others) if others else b""))
    except (ValueError, TypeError, RecursionError):  # what only Python's own reader takes, such as half a character
        return key_of(line)
