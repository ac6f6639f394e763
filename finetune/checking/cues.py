"""What single rows hint at about the work they are to teach: facts, lists of what prompts name, names and values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from finetune.checking.entities import entities_of, is_ordered
from finetune.checking.first_rows import FirstRows

FACT_ROWS_LOOKED_AT: Final = 2_000
"""Whether a file asks for facts shows early."""

LABEL_MAX_CHARACTERS: Final = 64
"""Longer answers are no labels."""

_QUESTION_MAX_CHARACTERS, _FACT_MAX_CHARACTERS = 160, 80
_AROUND: Final = " \t\r\n->#=:"
_ASKED = re.compile(
    r"\b(?:who|whom|whose|when|where|which|what year|how (?:many|much|old|tall|long|far|high|big|large)"
    r"|what(?:'s| is| are| was| were)|name the)\b"
    r"|누가|누구|언제|어디|몇|얼마|무엇|무슨|어느|뭐|誰|だれ|いつ|どこ|何|いくつ|いくら|どの",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?\uff1f]|(?:까|나요|가요|니|か)[.。]?$|^\s*name the\b", re.IGNORECASE)
_PAIR = re.compile(r"[^\W\d][\w .-]{0,30}=[^=\n]{1,80}")
_BETWEEN = re.compile(r"[,;\n&|\uff0c、]")
_PAIRS_MIN, _KEY_VALUES_MAX_CHARACTERS = 2, 5_000


@dataclass(slots=True)
class Cues:
    """Counts and rows of what `rows` examples with one question and one answer hint at.

    `short` answer with no more than a label could have; `facts` of the first `fact_rows` ask for a fact. `copied`
    answer with nothing but what the prompt holds, `lists` of them with two things or more; `unordered` with such a list
    in no order.
    """

    rows: int = 0
    short: int = 0
    fact_rows: int = 0
    facts: int = 0
    copied: int = 0
    lists: int = 0
    unordered: FirstRows = field(default_factory=FirstRows)
    key_values: FirstRows = field(default_factory=FirstRows)

    def add(self, prompt: str, completion: str, row: int) -> None:
        """Take one row more into account."""
        self.rows += 1
        self.short += len(completion) <= LABEL_MAX_CHARACTERS
        if self.fact_rows < FACT_ROWS_LOOKED_AT:
            self.fact_rows += 1
            self.facts += is_fact(prompt, completion)
        if "=" in prompt and is_key_values(prompt):
            self.key_values.add(row)
        entities = entities_of(prompt, completion)
        if entities:
            self.copied += 1
            self.lists += len(entities) > 1
            if not is_ordered(entities):
                self.unordered.add(row)


def is_key_values(prompt: str) -> bool:
    """Return whether a prompt is nothing but names and values, `name=value`, two or more."""
    if len(prompt) > _KEY_VALUES_MAX_CHARACTERS:
        return False
    parts = [part for given in _BETWEEN.split(prompt.strip(_AROUND)) if (part := given.strip())]
    return len(parts) >= _PAIRS_MIN and all(map(_PAIR.fullmatch, parts))


def is_fact(prompt: str, completion: str) -> bool:
    """Return whether a prompt is one short question for a fact, and the completion as short an answer."""
    asked = prompt.strip(_AROUND) if len(prompt) <= _QUESTION_MAX_CHARACTERS else ""
    if not asked or "\n" in asked or not 0 < len(completion.strip()) <= _FACT_MAX_CHARACTERS:
        return False
    return _ASKS.search(asked) is not None and _ASKED.search(asked) is not None
