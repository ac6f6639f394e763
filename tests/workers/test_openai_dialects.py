"""Which provider speaks how: by its name, and in step with what the table says that it can do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from finetune.catalogue import Catalogue
from workers.openai_dialects import DIALECTS, ORIGINAL, bare, dialect_of, listed_as

PAGE = (Path(__file__).parents[2] / "docs/providers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("provider", "like"),
    [
        ("azure", "azure"),
        ("azure-sweden", "azure"),
        ("azure-global", "azure-global"),
        ("azure-global-eu", "azure-global"),
        ("nebius", "nebius"),
    ],
)
def test_provider_speaks_as_its_name_begins(provider: str, like: str) -> None:
    assert dialect_of(provider) is DIALECTS[like]


@pytest.mark.parametrize("provider", ["openai", "trainer", "local", "azurelike", "our-azure", ""])
def test_provider_that_is_not_known_speaks_the_original(provider: str) -> None:
    assert dialect_of(provider) is ORIGINAL


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("azure/gpt-4.1", "azure", "gpt-4.1"),
        ("azure/gpt-4.1", "azure-global", "gpt-4.1"),
        ("work/gpt-4.1", "work", "gpt-4.1"),
        ("gpt-4.1", "azure", "gpt-4.1"),
        ("meta-llama/Llama-3.3-70B-Instruct", "nebius", "meta-llama/Llama-3.3-70B-Instruct"),
    ],
)
def test_model_is_asked_for_by_the_name_that_the_provider_knows(model: str, provider: str, name: str) -> None:
    assert bare(model, provider) == name
    assert listed_as(model, provider) == name


def test_model_that_is_listed_under_another_name_is_known_by_it() -> None:
    assert listed_as("meta-llama/Llama-3.1-8B-Instruct", "nebius") == "meta-llama/Meta-Llama-3.1-8B-Instruct"


@pytest.mark.parametrize("provider", sorted(DIALECTS))
def test_table_and_dialect_agree(provider: str) -> None:
    """An absolute rate is never sent as a multiplier, nor what a dialect has no place for offered."""
    service, dialect = Catalogue.load().service(provider), DIALECTS[provider]
    assert service.label, "the table names it"
    assert (service.rate == "absolute") == (dialect.settings == "flat")
    assert not (dialect.adapters and service.continues)


def test_example_of_the_page_adds_models_beside_those_of_the_same_name() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    table, shipped = Catalogue.load(example.encode()), Catalogue.load()
    for added in json.loads(example)["models"]:
        price = table.price(added["name"], 1_000_000, 1)
        assert price is not None
        assert price.low <= added["training_usd_per_million"] <= price.high
    assert [table.get(model.name) for model in shipped.models] == [shipped.get(model.name) for model in shipped.models]
    assert table.service("azure").region == "Sweden Central"
    assert table.service("azure").pauses, "what the example does not name stays"


def test_page_names_every_provider_of_the_table() -> None:
    assert [service.name for service in Catalogue.load().services if f"`{service.name}`" not in PAGE] == []
