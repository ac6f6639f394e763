"""How the providers that speak OpenAI's fine-tuning protocol differ from the original, each difference by its name.

What is here was read in public documentation, November 2026, and tried against servers that answer with its shapes:

- Azure AI Foundry: the service's own description, `azure-rest-api-specs` on GitHub, of `/openai/v1/` (in
  `specification/ai/data-plane/OpenAI.v1`) and of the 2024-10-21 authoring API, whose examples show what is answered;
  and the guides at learn.microsoft.com/azure/foundry/openai/how-to/fine-tuning and …/fine-tuning-cost-management.
- Nebius Token Factory: docs.tokenfactory.nebius.com/api-reference/fine-tuning and …/models, …/post-training/datasets;
  and the answers printed in `post-training/fine-tuning-1` of github.com/nebius/token-factory-cookbook.

docs/adr/0026 says what each difference would cost if it were overlooked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from finetune.catalogue import EPOCHS_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a provider does otherwise; as it stands without arguments, the original protocol.

    `filters`: its lists know the original's filters and order; where not, they are not asked for. `lookup`: whether a
    run is found again by its metadata, or by what its suffix ends with. `body`: what creating a run needs besides, and
    the protocol does not know. `settings`: where hyperparameters stand, in the `method` object, with "auto" for what
    nobody chose, or `flat`, with nothing for it and an absolute learning rate; `flat_settings` are those that are
    always asked for there. `epochs_max`: the most a run may have.

    `reads_files`: an uploaded file must have been read by the provider before a run may name it. `takes_parts`: it has
    the Uploads API. `results`: a run's figures are a file, or stand in its checkpoints. `adapters`: what a run makes is
    known by its checkpoint ("RUN:CHECKPOINT") and answers only once a model has been made of it.
    """

    filters: bool = True
    lookup: Literal["metadata", "suffix"] = "metadata"
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    settings: Literal["method", "flat"] = "method"
    flat_settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    epochs_max: int = EPOCHS_MAX
    reads_files: bool = False
    takes_parts: bool = True
    results: Literal["file", "checkpoints"] = "file"
    adapters: bool = False


ORIGINAL: Final = Dialect()

SUFFIX_CHARACTERS: Final = 64
"""The longest suffix, at OpenAI and at every provider here."""

DIALECTS: Final[Mapping[str, Dialect]] = {
    # the tier says where rows and weights may go and what a token costs: each is a provider of its own, with its prices
    "azure": Dialect(body={"trainingType": "Standard"}, filters=False, reads_files=True),
    "azure-global": Dialect(body={"trainingType": "GlobalStandard"}, filters=False, reads_files=True),
    "azure-developer": Dialect(body={"trainingType": "Developer"}, filters=False, reads_files=True),
    # an adapter, since only that answers without a host of its own; the other defaults are the provider's
    "nebius": Dialect(
        filters=False,
        lookup="suffix",
        settings="flat",
        flat_settings={"lora": True},
        epochs_max=20,
        takes_parts=False,
        results="checkpoints",
        adapters=True,
    ),
}


ASKED_AS: Final[Mapping[str, str]] = {"meta-llama/Llama-3.1-8B-Instruct": "meta-llama/Meta-Llama-3.1-8B-Instruct"}
"""Base models that are trained under one name and asked, and listed, under another (Nebius, by its cookbook)."""


def bare(model: str, provider: str) -> str:
    """Return what the provider calls a base model: our table says "azure/gpt-4.1" where OpenAI has one of that name."""
    head, _, name = model.partition("/")
    return name if name and (head == provider or head in DIALECTS) else model


def listed_as(model: str, provider: str) -> str:
    """Return under which name the provider lists a base model, and answers for it."""
    name = bare(model, provider)
    return ASKED_AS.get(name, name)


def dialect_of(provider: str) -> Dialect:
    """Return how a provider speaks, by its name or by what its name begins with: "azure-global-eu" is "azure-global".

    A name that is not known speaks the original.
    """
    words = provider.split("-")
    names = ("-".join(words[:count]) for count in range(len(words), 0, -1))
    return next((DIALECTS[name] for name in names if name in DIALECTS), ORIGINAL)
