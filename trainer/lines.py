"""The training line formats: chat messages, a prompt with its completion, and a prompt with a preferred answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLES = ("system", "developer", "user", "assistant")
MESSAGE_KEYS = {"role", "content", "name", "weight"}
LINE_BYTES = 8 * 1024 * 1024  # a longer line is a mistake, and would be held in memory whole


class LineError(ValueError):
    """A line that cannot be trained on; the message says why, without repeating what the line holds."""


class TrainingFileError(ValueError):
    """A training file that cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message; `trained` tells whether the loss is taken on it."""

    role: str
    content: str
    name: str | None = None
    trained: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation that ends with the assistant."""

    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt and its completion; the loss is taken on the completion."""

    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Preference:
    """What was asked, the answer that is preferred, and the other one; both answers are compared, neither is copied."""

    prompt: tuple[Message, ...]
    preferred: Message
    other: Message


Example: TypeAlias = Chat | Pair | Preference
PREFERENCE_KEYS = ("input", "preferred_output", "non_preferred_output")


def parse_line(line: bytes) -> Example:
    """Read one JSONL line in either format. Raises LineError for anything else, whatever the bytes."""
    if len(line) > LINE_BYTES:
        raise LineError(f"the line is longer than {LINE_BYTES // 1024 // 1024} MB")
    try:
        raw = msgspec.json.decode(line)  # refuses lone surrogates too, which no tokenizer can encode
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LineError("it is not valid JSON") from error
    if not isinstance(raw, dict):
        raise LineError("every line must be a JSON object")
    row = cast("dict[str, Any]", raw)
    if "messages" in row:
        return parse_chat(row)
    if "prompt" in row and "completion" in row:
        return parse_pair(row)
    if row.keys() >= {*PREFERENCE_KEYS}:
        return parse_preference(row)
    raise LineError("it has neither 'messages' nor 'prompt' and 'completion', nor is it a preference pair")


def parse_chat(row: dict[str, Any]) -> Chat:
    """Read a chat example. Raises LineError."""
    if extra := sorted(set(row) - {"messages"}):
        raise LineError(f"this trainer does not train on {name_keys(extra)} beside 'messages'")
    raw = row["messages"]
    if not isinstance(raw, list) or not raw:
        raise LineError("'messages' must be a list that is not empty")
    messages = tuple(parse_message(one, number) for number, one in enumerate(cast("list[Any]", raw), 1))
    if messages[-1].role != "assistant":
        raise LineError("the last message must be from the assistant")
    if not any(message.trained for message in messages):
        raise LineError("no assistant message has a weight other than 0, so there is nothing to learn")
    return Chat(messages)


def parse_message(raw: object, number: int) -> Message:
    """Read the number-th message of an example (from 1). Raises LineError."""
    if not isinstance(raw, dict):
        raise LineError(f"message {number} is not a JSON object")
    row = cast("dict[str, Any]", raw)
    role, name = row.get("role"), row.get("name")
    if role not in ROLES:
        raise LineError(f"message {number} needs a role: one of {', '.join(ROLES)}")
    if extra := sorted(set(row) - MESSAGE_KEYS):
        raise LineError(f"message {number}: this trainer does not train on {name_keys(extra)}")
    if name is not None and not isinstance(name, str):
        raise LineError(f"message {number}: 'name' must be a string")
    content = parse_content(row.get("content"), number)
    return Message(role, content, name, trained=parse_weight(row, number))


def parse_content(raw: object, number: int) -> str:
    """Read a message's text: a string, or a list of text parts. Raises LineError."""
    if isinstance(raw, str):
        return raw
    if not isinstance(raw, list) or not raw:
        raise LineError(f"message {number}: 'content' must be a string or a list of text parts")
    texts: list[str] = []
    for part in cast("list[Any]", raw):
        row = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
        if row.get("type") != "text" or not isinstance(row.get("text"), str):
            raise LineError(f"message {number}: this trainer trains on text parts only")
        texts.append(row["text"])
    return "".join(texts)


def parse_weight(row: dict[str, Any], number: int) -> bool:
    """Whether a message is trained on: assistant messages are, unless their weight is 0. Raises LineError."""
    weight = row.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        raise LineError(f"message {number}: 'weight' must be 0 or 1")
    if weight is not None and row["role"] != "assistant":
        raise LineError(f"message {number}: only assistant messages have a 'weight'")
    return row["role"] == "assistant" and weight != 0


def parse_pair(row: dict[str, Any]) -> Pair:
    """Read a prompt with its completion. Raises LineError."""
    if extra := sorted(set(row) - {"prompt", "completion"}):
        raise LineError(f"this trainer does not train on {name_keys(extra)} beside 'prompt' and 'completion'")
    prompt, completion = row["prompt"], row["completion"]
    if not isinstance(prompt, str) or not isinstance(completion, str):
        raise LineError("'prompt' and 'completion' must be strings")
    if not completion:
        raise LineError("'completion' is empty, so there is nothing to learn")
    return Pair(prompt, completion)


def parse_preference(row: dict[str, Any]) -> Preference:
    """Read a preference pair: one turn, text only. Raises LineError."""
    if extra := sorted(set(row) - {*PREFERENCE_KEYS}):
        raise LineError(f"this trainer does not train on {name_keys(extra)} beside a preference pair")
    given = cast("dict[str, Any]", row["input"]) if isinstance(row["input"], dict) else {}
    if extra := sorted(set(given) - {"messages"}):
        raise LineError(f"this trainer does not train on {name_keys(extra)} in 'input'")
    raw = given.get("messages")
    if not isinstance(raw, list) or not raw:
        raise LineError("'input' must have 'messages', a list that is not empty")
    prompt = tuple(parse_message(one, number) for number, one in enumerate(cast("list[Any]", raw), 1))
    if any(message.role == "assistant" for message in prompt) or prompt[-1].role != "user":
        raise LineError("the messages of 'input' must be one turn that ends with the user")
    preferred, other = (parse_answer(row[name], name) for name in PREFERENCE_KEYS[1:])
    if preferred.content == other.content:
        raise LineError("both answers are the same, so there is nothing to prefer")
    return Preference(prompt, preferred, other)


def parse_answer(raw: object, name: str) -> Message:
    """Read one answer of a pair: a list of one assistant message. Raises LineError."""
    answers = cast("list[Any]", raw) if isinstance(raw, list) else []
    message = parse_message(answers[0], 1) if len(answers) == 1 else None
    if message is None or message.role != "assistant":
        raise LineError(f"'{name}' must be a list of one assistant message")
    if not message.content:
        raise LineError(f"'{name}' is empty")
    return Message(message.role, message.content, message.name, trained=True)


def name_keys(keys: list[str]) -> str:
    """Name up to three keys, each cut short: they come from an untrusted file."""
    shown = ", ".join(repr(key[:40]) for key in keys[:3])
    return shown if len(keys) <= 3 else f"{shown} and {len(keys) - 3} more"


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, bytes) for each line that is not blank, holding one line at a time."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES + 2):
            number += 1
            bare = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if bare:
                yield number, bare


def read_examples(path: Path) -> Iterator[Example]:
    """Yield a file's examples. Raises TrainingFileError, with the line's number, at the first that is wrong."""
    kind: type[Example] | None = None
    for number, line in read_lines(path):
        try:
            example = parse_line(line)
        except LineError as error:
            raise TrainingFileError(f"Line {number}: {error}.") from error
        kind = kind or type(example)
        if not isinstance(example, kind):
            raise TrainingFileError(f"Line {number}: its format is not that of the lines before it.")
        yield example
