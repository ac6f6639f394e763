"""What the rows of a prompt/completion file have in common, as values: findings are drawn from it, fixes use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SEPARATORS: Final = (" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n")
LAST_SEPARATOR: Final = "\n\n### =>\n\n"
"""Suggested at the end of prompts, in this order; the last one where all others stand in some prompt."""

ENDINGS: Final = ("\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%")
LAST_ENDING: Final = " [END]"
"""Suggested at the end of completions, in this order; the last one where all others stand in some completion."""

SEPARATOR_GOOD_CHARACTERS: Final = 10
PROMPT_PREFIX_GOOD_CHARACTERS: Final = 12
COMPLETION_PREFIX_GOOD_CHARACTERS: Final = 4
"""Longer ones than these are findings, by the rules of OpenAI's `prepare_data`."""

PairColumn = Literal["prompt", "completion"]


@dataclass(frozen=True, slots=True)
class Shape:
    r"""What all prompts, and all completions, of a file share; rows whose completion is empty are left out.

    `prompt_prefix` and `separator` are the longest texts that all prompts begin and end with, `completion_prefix` and
    `ending` those of the completions, "" where there is none; of each at most 65,536 characters are known. Where all
    prompts (or completions) are the same text, `prompts_identical` (`completions_identical`) says so, and prefix and
    suffix are that text. `suggested_separator` and `suggested_ending` are the first of `SEPARATORS` and `ENDINGS` that
    no row holds (" ->" only where no prompt holds a line break). `upper_case` names the columns that are mostly
    capitals. `distinct_completions` counts different completions of `rows`. `open_ended` says that no prompt has text.
    `leading_spaces_expected` is False where most completions begin in a script that has no spaces to begin with.
    """

    rows: int = 0
    prompt_prefix: str = ""
    separator: str = ""
    suggested_separator: str = SEPARATORS[0]
    prompts_identical: bool = False
    completion_prefix: str = ""
    ending: str = ""
    suggested_ending: str = ENDINGS[0]
    completions_identical: bool = False
    distinct_completions: int = 0
    upper_case: tuple[PairColumn, ...] = ()
    open_ended: bool = False
    leading_spaces_expected: bool = True

    @property
    def kept_of_completion_prefix(self) -> str:
        """Return what stays where the common prefix of completions is removed: one leading space, if it has one."""
        return " " if self.completion_prefix.startswith(" ") else ""


def written(text: str) -> str:
    r"""Return a separator or ending as people write it: a line break as \n."""
    return text.replace("\n", "\\n")
