"""Completions that list what the prompt names: the entities, and whether they follow an order that can be learnt."""

from __future__ import annotations

import re
from typing import Any, Final, cast

import msgspec

COMPLETION_MAX_CHARACTERS: Final = 600
PROMPT_MAX_CHARACTERS: Final = 20_000
"""Longer completions are no lists of entities, and longer prompts are not searched for them."""

_ENDING = re.compile(r"(?:\s|[.。]|\[?END\]?|###|\*\*\*|\+\+\+|&&&|\$\$\$|@@@|%%%)+$")
_ENDING_MAX: Final = 24
_DELIMITERS: Final = ("\n", ";", "\uff1b", "、", ",", "\uff0c", "·", "|")
_BULLET = re.compile(r"^(?:[-*•]\s*|\d{1,2}[.)]\s+)")
_WORD = r"[^\W_][^\s.,:;|\u00b7\u3001\u3002\uff0c\uff1a\uff1b]*+"
_HEAD = re.compile(rf"\s*+((?!\d{{1,2}}[.)]){_WORD}(?: (?!END){_WORD})?+)(?!\s?[:\uff1a]| \w+\s?[:\uff1a])")
"""The first word or two of a completion, unless they are a label or a number before what is listed."""

_LABEL = re.compile(r"^([^\W\d]\w{0,19}(?: \w{1,20})?)\s*[:\uff1a]\s*")

Entities = list[tuple[str, str, int]]
"""Of each entity its label ("" for none), its text, and its place in the prompt."""


def entities_of(prompt: str, completion: str) -> Entities:
    """Return what a completion lists; [] where it says anything that does not stand in the prompt.

    One a line, or with commas or semicolons between; `label: entity`; or JSON.
    """
    if len(completion) > COMPLETION_MAX_CHARACTERS or len(prompt) > PROMPT_MAX_CHARACTERS:
        return []
    head = _HEAD.match(completion)
    if head is not None and head[1] not in prompt:  # most completions begin with something else
        return []
    text = (completion[:-_ENDING_MAX] + _ENDING.sub("", completion[-_ENDING_MAX:])).strip()
    found: Entities = []
    for label, item in _from_json(text) if text[:1] in {"{", "["} else _from_lines(text):
        place = prompt.find(item)
        if place < 0:
            return []
        found.append((label, item, place))
    return found


def is_ordered(entities: Entities) -> bool:
    """Return whether entities follow the prompt, or the alphabet, all of them or those of each label."""
    groups: dict[str, Entities] = {}
    for entity in entities:
        groups.setdefault(entity[0], []).append(entity)
    return _is_sorted(entities) or ("" not in groups and all(map(_is_sorted, groups.values())))


def _is_sorted(entities: Entities) -> bool:
    places = [place for _, _, place in entities]
    texts = [text.casefold() for _, text, _ in entities]
    return places == sorted(places) or texts == sorted(texts)


def _from_lines(text: str) -> list[tuple[str, str]]:
    delimiter = next((one for one in _DELIMITERS if one in text), "\n")
    found: list[tuple[str, str]] = []
    for part in text.split(delimiter):
        item = _BULLET.sub("", part.strip())
        label = _LABEL.match(item)
        if item:
            found.append((label[1], item[label.end() :]) if label else ("", item))
    return found


def _from_json(text: str) -> list[tuple[str, str]]:
    try:
        value: Any = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return [("", text)]
    return _leaves(value, "")


def _leaves(value: Any, label: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return [leaf for name, inner in fields.items() for leaf in _leaves(inner, name)]
    if isinstance(value, list):
        return [leaf for inner in cast("list[Any]", value) for leaf in _leaves(inner, label)]
    return [] if value is None or value == "" else [(label, value if isinstance(value, str) else str(value))]
