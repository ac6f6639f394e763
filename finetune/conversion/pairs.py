"""Prompt and completion → chat, and back where nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from finetune.formats import prompt_completion

if TYPE_CHECKING:
    from finetune.conversion.markers import Markers

Object = dict[str, Any]
Converted = list[Object] | str | None
"""The rows that one row becomes; a code where it would lose something; None where it is left as it stands."""


def to_chat(row: Object, *, system: str = "", markers: Markers) -> Converted:
    """Return the chat that a prompt and its completion are; an empty prompt is no message."""
    names = prompt_completion.canonical_names(row)
    if not names.keys() >= prompt_completion.COLUMNS:
        return None
    prompt, completion = (row[names[column]] if row[names[column]] is not None else "" for column in _IN_ORDER)
    if not isinstance(prompt, str) or not isinstance(completion, str):
        return None
    asked = markers.asked(prompt)
    messages = [{"role": "system", "content": system}] if system else []
    messages += [{"role": "user", "content": asked}] if asked.strip() else []
    return [{"messages": [*messages, {"role": "assistant", "content": markers.said(completion)}]}]


def to_pair(row: Object, *, system: str = "") -> Converted:
    """Return the prompt and completion that a chat of one question and its answer is.

    `system` is the message that every row begins with: it is the same for all, and so nothing of a row.
    """
    messages: Any = row.get("messages")
    if not isinstance(messages, list) or row.keys() - {"messages"}:
        return "not-a-pair"
    said = cast("list[Any]", messages)
    rest = said[1:] if system and said[:1] == [{"role": "system", "content": system}] else said
    texts = [_text_of(message, role) for message, role in zip(rest, _ROLES[-len(rest) :], strict=False)]
    if len(rest) not in {1, 2} or None in texts:
        return "not-a-pair"
    prompt, completion = ["", *texts][-2:]
    return [{"prompt": prompt, "completion": completion}]


_IN_ORDER = ("prompt", "completion")
_ROLES = ("user", "assistant")


def _text_of(message: Any, role: str) -> str | None:
    if not isinstance(message, dict):
        return None
    said = cast("Object", message)
    content: Any = said.get("content")
    is_plain = said.keys() == {"role", "content"} and said["role"] == role and isinstance(content, str)
    return content if is_plain else None
