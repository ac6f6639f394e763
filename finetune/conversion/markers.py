"""What prompts and completions end with for a base model's sake, and chat has no use for: which part is only a mark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from finetune.shape import ENDINGS, LAST_ENDING, LAST_SEPARATOR, SEPARATORS

if TYPE_CHECKING:
    from finetune.contract import PromptContract

_SENTENCE: Final = ".?!。？！…,:;、，：；\"'’”)]}」』）"  # noqa: RUF001 - what a sentence of any script may end with
_STOPS: Final = (
    *(ending for ending in (*ENDINGS, LAST_ENDING) if ending != "."),
    "\n\n###\n\n",
    "###",
    "<|endoftext|>",
)
_WORD: Final = re.compile(r"\s*[<\[(|/]*[A-Z]+(?:_[A-Z]+)*[>\])|/]*\s*\Z")
"""A stop that is a word in capitals: " DONE", "<EOS>"."""


@dataclass(frozen=True, slots=True)
class Markers:
    """What is cut from the end of every prompt, and of every completion; "" for nothing."""

    separator: str = ""
    stop: str = ""

    @classmethod
    def of_contract(cls, contract: PromptContract | None) -> Markers:
        """Return what of a learnt separator and stop is a mark, and not how the texts happen to end.

        All prompts may end in "is broken ->", or all completions in a full stop: there, " ->" is the mark, and nothing.
        """
        if contract is None or contract.kind != "completion":
            return cls()
        stop = next(iter(contract.stop), "")
        return cls(_separator(contract.separator or ""), _stop(stop))

    def asked(self, prompt: str) -> str:
        """Return a prompt as a person would have asked it."""
        return _without(prompt, self.separator)

    def said(self, completion: str) -> str:
        """Return a completion as an assistant would say it: without the one leading space, and the stop."""
        return _without(completion.removeprefix(" "), self.stop)


def _without(text: str, ending: str) -> str:
    bare = text.removesuffix(ending) if ending else text
    return bare if bare.strip() else text


def _separator(learnt: str) -> str:
    known = [one for one in (*SEPARATORS, LAST_SEPARATOR) if learnt.endswith(one)]
    return max(known, key=len) if known else _mark(learnt)


def _stop(learnt: str) -> str:
    known = [one for one in _STOPS if learnt.endswith(one)]
    if known:
        return max(known, key=len)
    return learnt if _WORD.fullmatch(learnt) else _mark(learnt)


def _mark(learnt: str) -> str:
    """Return the end of a text that is neither letters, digits nor the punctuation that a sentence ends with."""
    tail = re.search(r"[\W_]*\Z", learnt)
    return tail[0].lstrip(_SENTENCE) if tail else ""
