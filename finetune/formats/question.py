"""What a row asks: the person's side of it, as somebody would type it to try the trained model."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from finetune.contract import PromptContract

ROWS_LOOKED_AT: Final = 50
CHARACTERS_MAX: Final = 2_000
"""Longer questions make poor examples in a form."""


def first_question(rows: Iterable[bytes], contract: PromptContract) -> str:
    """Return the question of the first row that has one fit for a form; "" where none of the first 50 has."""
    questions = (question_of(row, contract) for row in islice(rows, ROWS_LOOKED_AT))
    return next((one for one in questions if 0 < len(one) <= CHARACTERS_MAX), "")


def question_of(row: bytes, contract: PromptContract) -> str:
    """Return what a row's answer answers: the user's last message, or the prompt without what every prompt ends with.

    What the contract adds by itself (the system message, the separator) is left out. "" where the row is no
    question that a text field could hold: a longer talk, pictures, anything that is not read.
    """
    try:
        read: Any = msgspec.json.decode(row)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""
    if not isinstance(read, dict):
        return ""
    fields = cast("dict[str, Any]", read)
    if contract.kind == "chat":
        return _of_messages(fields.get("messages"))
    prompt = fields.get("prompt")
    return prompt.removesuffix(contract.separator or "").strip() if isinstance(prompt, str) else ""


def _of_messages(messages: Any) -> str:
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in cast("list[Any]", messages)):
        return ""
    turns = [one for one in cast("list[dict[str, Any]]", messages) if one.get("role") not in ("system", "developer")]
    if [one.get("role") for one in turns] != ["user", "assistant"]:
        return ""
    content = turns[0].get("content")
    return content.strip() if isinstance(content, str) else ""
