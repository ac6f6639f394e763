"""The one-line form of a command, `OBJECT key=value …`: cut into what it names and what it sets.

A value runs to the next `key=` or `--`, so that it may hold blanks; in double or single quotes it may hold those, too.
Smart quotes, the wide equals sign and the wide blank are translated before (`bot.intake.command`).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from finetune.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS: Final = {
    "model": "gpt-4.1-mini, or m7 to go on from it, or m7@600 from its checkpoint at step 600",
    "provider": "who trains it",
    "method": "sft, dpo or rft",
    "valid": "10% of the rows, d13 (another dataset), or none",
    "suffix": "the name",
    "epochs": "1 to 50, or auto",
    "batch": "1 to 256, or auto",
    "lr": "x0.5 of the usual rate (or 2e-5, where the provider takes rates), or auto",
    "beta": "for dpo: above 0 and at most 2, or auto",
    "seed": "a whole number",
    "cap": "the most it may cost in dollars",
    "classes": "how many classes the rows have",
    "positive": "of two classes, the one that precision and recall are of",
    "wandb": "team/project/run-name #tag",
    "grader": "for rft: exact:answer, contains:answer or similar:answer, or JSON",
    "effort": "for rft: low, medium or high",
    "compute": "for rft: a multiplier of the compute",
    "eval_every": "for rft: steps between evaluations",
    "eval_samples": "for rft: samples an item",
}
"""What `/tune train` sets, and how each is written."""

_KEY: Final = re.compile(r"(?<!\S)([A-Za-z_]{1,24})\s*=")
_QUOTED: Final = re.compile(r"""(?:"[^"]*"|'[^']*')""")
_FLAG: Final = re.compile(r"(?<!\S)--")


@dataclass(frozen=True, slots=True)
class Line:
    """A command's line: `object` is what stands before the first key, `values` what each key was given."""

    object: str
    values: Mapping[str, str]


def parse_line(text: str, keys_known: Mapping[str, str] = KEYS) -> Line:
    """Return a line cut up; UserError for a key that does not exist, is given twice or is given nothing."""
    hidden = _QUOTED.sub(lambda quoted: "\0" * len(quoted[0]), text)
    end = match.start() if (match := _FLAG.search(hidden)) else len(text)
    keys = [match for match in _KEY.finditer(hidden) if match.end() <= end]
    values: dict[str, str] = {}
    for number, key in enumerate(keys):
        name = _known(key[1].lower(), keys_known)
        if name in values:
            raise UserError("key-twice", f"{name}= is given twice.", "Give it once.")
        until = keys[number + 1].start() if number + 1 < len(keys) else end
        value = _bare(text[key.end() : until].strip())
        if not value:
            raise UserError("value-missing", f"{name}= is given nothing.", f"Write {name}= and {keys_known[name]}.")
        values[name] = value
    return Line(text[: keys[0].start() if keys else end].strip(), values)


def _known(name: str, known: Mapping[str, str]) -> str:
    if name in known:
        return name
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}=?" if close else f"There are {', '.join(known)}."
    raise UserError("key-unknown", f"I don't know {name}=.", hint)


def _bare(value: str) -> str:
    whole = _QUOTED.fullmatch(value)
    return value[1:-1].strip() if whole else value
