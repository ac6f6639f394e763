"""The prompt/completion format: two columns of text."""

from __future__ import annotations

from typing import Any

import msgspec

from finetune.formats.example import Example, same_text, same_texts

COLUMNS = frozenset({"prompt", "completion"})

LONG_CHARACTERS = 10_000
"""Longer rows are said to be long, by the rule of OpenAI's `prepare_data`."""


class PlainPair(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A row of nothing but the two texts."""

    prompt: str
    completion: str


_decode = msgspec.json.Decoder(PlainPair).decode


def read_plain(line: bytes) -> Example | None:
    """Return the example in a line of the two texts, None where it is anything else."""
    try:
        pair = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return _example(pair.prompt, pair.completion, [])


def read(row: dict[str, Any]) -> Example | str:
    """Return the example in an object, or the code of the finding that keeps it from being one.

    Columns are found whatever their capitals and surrounding blanks; null is read as an empty text.
    """
    names = canonical_names(row)
    if not names.keys() >= COLUMNS:
        return "missing-column"
    prompt, completion = (
        row[names[column]] if row[names[column]] is not None else "" for column in sorted(COLUMNS)[::-1]
    )
    if not isinstance(prompt, str) or not isinstance(completion, str):
        return "missing-column"
    problems = ["column-case"] if any(column != name for column, name in names.items()) else []
    if len(row) > len(names):
        problems.append("extra-column")
    return _example(prompt, completion, problems)


def canonical_names(row: dict[str, Any]) -> dict[str, str]:
    """Return which of the row's names stand for `prompt` and `completion`, exact ones first."""
    names = {name.strip().lower(): name for name in row if name.strip().lower() in COLUMNS}
    return names | {column: column for column in COLUMNS if column in row}


def _example(prompt: str, completion: str, problems: list[str]) -> Example:
    if not prompt.strip():
        problems.append("empty-prompt")
    if not completion.strip():
        problems.append("empty-completion")
    if len(prompt) + len(completion) > LONG_CHARACTERS and completion:
        problems.append("long-example")
    asks = bool(completion) and bool(prompt.strip())
    return Example(
        format="prompt-completion",
        texts=[prompt, completion],
        overhead=0,
        asked=same_text(prompt) if asks else same_texts((prompt, completion)),
        answered=same_text(completion) if completion else None,
        problems=tuple(problems),
        prompt=prompt,
        completion=completion,
    )
