"""Fixes of prompts and completions for base-completion models; to an instruct model they would teach junk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from finetune.fixes.row import fields_of, line_of, raw, value_of
from finetune.formats import prompt_completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from finetune.fixes.row import Row
    from finetune.formats.example import Example
    from finetune.shape import PairColumn, Shape


@dataclass(frozen=True, slots=True)
class TextFix:
    """Changes the texts of some columns; an empty completion stays empty, so that it is still found."""

    code: str
    columns: tuple[PairColumn, ...]
    change: Callable[[str], str]

    def __call__(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows, those of prompt/completion with their texts changed where that changes anything."""
        for row in rows:
            example = row.example
            if row.line is None or example is None or example.format != "prompt-completion":
                yield row
                continue
            texts: dict[PairColumn, str] = {column: self._changed(column, example) for column in self.columns}
            is_same = all(text == _text(column, example) for column, text in texts.items())
            yield row if is_same else _written(row, row.line, texts, self.code)

    def _changed(self, column: PairColumn, example: Example) -> str:
        text = _text(column, example)
        return text if column == "completion" and not text.strip() else self.change(text)


def separator(shape: Shape) -> TextFix:
    """End every prompt with the suggested separator."""
    return TextFix("separator-missing", ("prompt",), partial(_ended, shape.suggested_separator))


def prompt_prefix(shape: Shape) -> TextFix:
    """Take away what every prompt begins with."""
    return TextFix("prompt-prefix-common", ("prompt",), lambda text: text.removeprefix(shape.prompt_prefix))


def completion_prefix(shape: Shape) -> TextFix:
    """Take away what every completion begins with, but for one leading space."""

    def change(text: str) -> str:
        bare = text.removeprefix(shape.completion_prefix)
        return text if bare == text else shape.kept_of_completion_prefix + bare

    return TextFix("completion-prefix-common", ("completion",), change)


def completion_suffix(shape: Shape) -> TextFix:
    """End every completion with the suggested ending."""
    return TextFix("completion-suffix-missing", ("completion",), partial(_ended, shape.suggested_ending))


def completion_space(_: Shape) -> TextFix:
    """Begin every completion with a space: most words are one token only with the space before them."""
    return TextFix(
        "completion-space-missing", ("completion",), lambda text: text if text[:1] in {" ", "\n"} else f" {text}"
    )


def upper_case(shape: Shape) -> TextFix:
    """Write the columns that are mostly capitals in small letters."""
    return TextFix("upper-case", shape.upper_case, str.lower)


def _ended(ending: str, text: str) -> str:
    return text if text.endswith(ending) else text + ending


def _text(column: PairColumn, example: Example) -> str:
    return example.prompt if column == "prompt" else example.completion


def _written(row: Row, line: bytes, texts: dict[PairColumn, str], code: str) -> Row:
    fields = fields_of(line)
    names = prompt_completion.canonical_names(fields)
    changed = line_of(fields | {names[column]: raw(text) for column, text in texts.items()})
    example = prompt_completion.read(value_of(changed))
    return row.rewritten(changed, code, None if isinstance(example, str) else example)
