"""The prompt contract: what inference must repeat so that it matches the training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from finetune.errors import OperationalError

ContractKind = Literal["chat", "completion"]

SCHEMA: Final = 2
"""1: kind, system, stop and separator. 2: labels too, and what their tokens were counted with."""


@dataclass(frozen=True, slots=True)
class Label:
    """One of the few answers of a classifier.

    `text` is what the model writes, with the space that completions begin with and without the stop. `rows` have it,
    `tokens` is how many tokens it takes, 0 where that is not known; `token_ids` are their numbers in the contract's
    encoding, () where they are not known, as in contracts kept before they were noted.
    """

    text: str
    rows: int = 0
    tokens: int = 0
    token_ids: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The label as people read it."""
        return self.text.strip()


@dataclass(frozen=True, slots=True)
class PromptContract:
    """How a trained model expects to be asked, learnt from its data; kept with the model.

    Chat: `system` is the system message, where every row begins with the same one, and `system_role` its role,
    "developer" in some data. Completion: `separator` is what
    every prompt ends with, and `stop` what every completion ends with, and holds nowhere else. `labels` are the answers
    of a classifier, the commonest first, () for any other model; `encoding` is what their tokens were counted with.
    """

    kind: ContractKind
    system: str | None = None
    stop: tuple[str, ...] = ()
    separator: str | None = None
    labels: tuple[Label, ...] = ()
    encoding: str = ""
    schema: int = SCHEMA
    system_role: str = "system"

    def messages(self, text: str) -> list[dict[str, str]]:
        """Return the messages that ask a chat model `text` as its rows did."""
        asked = {"role": "user", "content": text}
        return [asked] if self.system is None else [{"role": self.system_role, "content": self.system}, asked]

    def prompt(self, text: str) -> str:
        """Return the prompt that asks a completion model `text` as its rows did."""
        ending = self.separator or ""
        return text if text.endswith(ending) else text + ending

    @property
    def longest_label_tokens(self) -> int:
        """The most tokens that an answer of a classifier takes; 0 where the model is none, or they are not known."""
        return max((label.tokens for label in self.labels), default=0) if all(one.tokens for one in self.labels) else 0

    @property
    def has_single_token_labels(self) -> bool:
        """Whether every label is one token, so that one token's probabilities are the classes' probabilities."""
        return self.longest_label_tokens == 1

    def as_json(self) -> bytes:
        """Return the contract as it is kept beside a model."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, content: bytes) -> PromptContract:
        """Return a kept contract, of this schema or an older one; OperationalError for a newer one.

        What an older one lacks has its default. msgspec.MsgspecError where `content` is no contract.
        """
        contract = msgspec.json.decode(content, type=cls)
        if contract.schema > SCHEMA:
            raise OperationalError(
                f"a prompt contract was written by a newer Tuneroom (schema {contract.schema}, here {SCHEMA}): "
                "upgrade this process"
            )
        return contract
