"""The chat format: rows with `messages`, read as typed structures where they are plain and by hand where not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from finetune.counting.tokens import TOKENS_PER_CHAT, TOKENS_PER_MESSAGE, TOKENS_PER_NAME
from finetune.formats import images, tools
from finetune.formats.example import Example, same_text, same_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
SET_BY_THE_TEAM = frozenset({"system", "developer"})
"""Who says what a conversation is to be like, before it begins."""

COLUMNS = frozenset({"messages", "tools", "functions", "parallel_tool_calls"})
MESSAGE_KEYS = frozenset(
    {"role", "content", "name", "weight", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"}
)

_ONE_TURN = ["user", "assistant"]
_WHOLE, _NOT_PLAIN = "\0whole", "\0message"
"""Stand where no role does, so that keys of one kind are not those of another."""


class PlainMessage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A message of nothing but role and text, as most are."""

    content: str
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
    is_answered = roles[-1] == "assistant"
    replies = roles.count("assistant")
    asks_once = is_answered and (roles == _ONE_TURN or roles[1:] == _ONE_TURN)
    return Example(
        format="chat",
        texts=said,
        overhead=TOKENS_PER_CHAT + TOKENS_PER_MESSAGE * len(messages),
        asked=same_texts(said[:-2] if is_answered and "user" in roles else [*said, _WHOLE]),
        answered=same_text(said[-1]) if is_answered else None,
        problems=tuple(dict.fromkeys(problems)),
        system=messages[0].content if messages[0].role in SET_BY_THE_TEAM else None,
        system_role=messages[0].role,
        prompt=said[-3] if asks_once else "",
        completion=said[-1] if asks_once else "",
        replies=replies,
        trained=replies,
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
    replies = [message for message in messages if message.get("role") == "assistant"]
    trained = sum(map(_is_trained, replies))
    if replies and not trained:
        problems.append("nothing-trained")
    problems += tools.problems(row, messages)
    pictured, pictures = images.problems(messages)
    problems += pictured
    if not row.keys() <= COLUMNS:
        problems.append("extra-column")
    asked, answered = keys(row, line)
    prompt, completion = _one_turn(messages)
    return Example(
        format="chat",
        texts=[text for message in messages for text in texts(message)] + _definitions(row),
        overhead=TOKENS_PER_CHAT
        + sum(TOKENS_PER_MESSAGE + TOKENS_PER_NAME * ("name" in message) for message in messages),
        asked=asked,
        answered=answered,
        problems=tuple(dict.fromkeys(problems)),
        counted_exactly=not row.keys() & {"tools", "functions"} and not any(map(has_more_than_text, messages)),
        system=system_of(messages),
        system_role=str(messages[0].get("role")) if messages else "system",
        prompt=prompt,
        completion=completion,
        images=pictures,
        replies=len(replies),
        trained=trained,
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


def _is_trained(reply: dict[str, Any]) -> bool:
    return type(reply.get("weight")) is not int or reply["weight"] != 0


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
    if not messages or messages[0].get("role") not in tuple(SET_BY_THE_TEAM):
        return None
    return "".join(texts(messages[0])[1:]) or None


def _one_turn(messages: list[dict[str, Any]]) -> tuple[str, str]:
    """Return what is asked and answered where a conversation has one of each, as texts; else two empty ones."""
    turns = messages[1:] if messages and messages[0].get("role") in ("system", "developer") else messages
    if [turn.get("role") for turn in turns] != _ONE_TURN or any(map(has_more_than_text, turns)):
        return "", ""
    asked, answered = ("".join(texts(turn)[1:]) for turn in turns)
    return asked, answered


def keys(row: dict[str, Any], line: bytes, columns: frozenset[str] = COLUMNS) -> tuple[int, int | None]:
    """Return what `Example.asked` and `answered` are for a row with `messages`, of which `columns` count.

    A row is read as it would be if it were plain, where it is.
    """
    others = {name: row[name] for name in columns - {"messages"} if name in row}
    messages: list[Any] = row["messages"]
    last: Any = messages[-1]
    is_answered = isinstance(last, dict) and cast("dict[str, Any]", last).get("role") == "assistant"
    try:
        beside = [_encode(others).decode()] if others else []
        said = [text for message in messages for text in _told_apart(message)]
    except (ValueError, TypeError, RecursionError):  # what only Python's own reader takes, such as half a character
        return hash(line), None
    asks = is_answered and any(
        isinstance(message, dict) and cast("dict[str, Any]", message).get("role") == "user" for message in messages
    )
    asked = same_texts([*(said[:-2] if asks else [*said, _WHOLE]), *beside])
    if not is_answered:
        return asked, None
    return asked, same_text(said[-1]) if said[-2] == "assistant" else same_texts(said[-2:])


def _told_apart(message: Any) -> tuple[str, str]:
    if isinstance(message, dict):
        fields = cast("dict[str, Any]", message)
        role, content = fields.get("role"), fields.get("content")
        if len(fields) == len(PlainMessage.__struct_fields__) and isinstance(role, str) and isinstance(content, str):
            return role, content
    return _NOT_PLAIN, _encode(message).decode()
