"""What OpenAI's removed `prepare_data` found, written anew from its rules, on pandas as it was: an oracle for tests.

It read all values as texts, made empty ones "", renamed columns and dropped other columns and rows without a completion
before it went on; what it only suggested (dropping duplicates and long rows, changing texts) it did not do before the
later checks looked. Rows are positions in the frame as it was read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIXES_OF_PROMPTS = [" ->", "\n\n###\n\n", "\n\n===\n\n", "\n\n---\n\n", "\n\n===>\n\n", "\n\n--->\n\n"]
SUFFIXES_OF_COMPLETIONS = ["\n", ".", " END", "***", "+++", "&&&", "$$$", "@@@", "%%%"]


@dataclass
class Found:
    """Codes with the rows it named ([] where it meant the file), and what it suggested."""

    codes: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    task: str = ""
    separator: str = ""
    ending: str = ""


def prepare_data(rows: Sequence[dict[str, Any]]) -> Found:
    """Return what it found in a file of `rows`."""
    found = Found()
    frame = pd.DataFrame(rows).astype(object).fillna("").astype(str).reset_index(drop=True)
    for column in ("prompt", "completion"):
        if column not in frame.columns:
            others = [name for name in frame.columns if str(name).lower() == column]
            if not others:
                found.codes["missing-column"] = []
                return found
            frame = frame.rename(columns={others[0]: column})
            found.codes["column-case"] = []
    if len(frame.columns) > 2:
        found.codes["extra-column"] = []
        frame = frame[["prompt", "completion"]]
    empty = frame["completion"] == ""
    if empty.any():
        found.codes["empty-completion"] = [int(row) for row in frame.index[empty]]
        frame = frame[~empty]
    if len(frame) > 1:
        _look(frame, found)
    return found


def _look(frame: pd.DataFrame, found: Found) -> None:
    prompts, completions = frame["prompt"], frame["completion"]
    found.task = task_of(frame)
    repeated = frame.duplicated(subset=["prompt", "completion"])
    if repeated.any():
        found.codes["duplicate-row"] = [int(row) for row in frame.index[repeated]]
    if found.task != "open-ended":
        long = prompts.str.len() + completions.str.len() > 10_000
        if long.any():
            found.codes["long-example"] = [int(row) for row in frame.index[long]]
    if _is_upper(prompts) or _is_upper(completions):
        found.codes["upper-case"] = []
    _look_at_prompts(prompts, found)
    _look_at_completions(completions, found)


def _look_at_prompts(prompts: pd.Series[str], found: Found) -> None:
    found.separator = "\n\n### =>\n\n"
    for option in SUFFIXES_OF_PROMPTS:
        if option == " ->" and prompts.str.contains("\n", regex=False).any():
            continue
        if prompts.str.contains(option, regex=False).any():
            continue
        found.separator = option
        break
    if found.task == "open-ended":
        return
    suffix = common(prompts, "suffix")
    if (prompts == suffix).all():
        found.codes["prompts-identical"] = []
        return
    if suffix == "":
        found.codes["separator-missing"] = []
    else:
        if len(suffix) > 10:
            found.codes["separator-long"] = []
        inside = prompts.str[: -len(suffix)].str.contains(suffix, regex=False)
        if inside.any():
            found.codes["separator-inside"] = [int(row) for row in prompts.index[inside]]
    if len(common(prompts, "prefix")) > 12:
        found.codes["prompt-prefix-common"] = []


def _look_at_completions(completions: pd.Series[str], found: Found) -> None:
    prefix, suffix = common(completions, "prefix"), common(completions, "suffix")
    if len(prefix) >= 5 and not (completions == prefix).all():
        found.codes["completion-prefix-common"] = []
    found.ending = " [END]"
    for option in SUFFIXES_OF_COMPLETIONS:
        if not completions.str.contains(option, regex=False).any():
            found.ending = option
            break
    if found.task == "conditional-generation":
        if (completions == suffix).all():
            found.codes["completions-identical"] = []
        elif suffix == "":
            found.codes["completion-suffix-missing"] = []
    if set(completions.str[:1]) != {" "}:
        found.codes["completion-space-missing"] = []


def task_of(frame: pd.DataFrame) -> str:
    """Return the task it inferred, by our names."""
    if sum(frame["prompt"].str.len()) == 0:
        return "open-ended"
    return "classification" if len(frame["completion"].unique()) < len(frame) / 3 else "conditional-generation"


def common(texts: pd.Series[str], which: str) -> str:
    """Return the longest text that all begin (`which` is "prefix") or end ("suffix") with."""
    found = ""
    while True:
        length = len(found) + 1
        cut = texts.str[-length:] if which == "suffix" else texts.str[:length]
        if len(set(cut)) != 1 or cut.iloc[0] == found:
            return found
        found = str(cut.iloc[0])


def _is_upper(texts: pd.Series[str]) -> bool:
    joined = "".join(map(str, texts))
    upper = sum(1 for character in joined if character.isalpha() and character.isupper())
    lower = sum(1 for character in joined if character.isalpha() and character.islower())
    return upper * 2 > lower
