"""Prices and default epochs are those that providers publish; an operator's table wins over ours."""

from datetime import date

import msgspec
import pytest

from finetune.catalogue import Catalogue, Model, default_epochs
from finetune.errors import UserError
from finetune.report import PriceRange
from tests.finetune.rows import CATALOGUE, chat, jsonl, pair, report_of


@pytest.mark.parametrize(
    ("model", "usd_per_million"),
    [
        ("gpt-4.1-2025-04-14", 25),
        ("gpt-4.1-mini", 5),
        ("gpt-4.1-nano", 1.5),
        ("gpt-4o", 25),
        ("gpt-4o-mini-2024-07-18", 3),
        ("gpt-3.5-turbo", 8),
        ("davinci-002", 6),
        ("babbage-002", 0.4),
        ("toy-gpt", 0),
    ],
)
def test_a_million_tokens_once_cost_the_published_price(model: str, usd_per_million: float) -> None:
    assert CATALOGUE.price(model, 1_000_000, 1) == PriceRange(usd_per_million, usd_per_million)


@pytest.mark.parametrize("model", [one for one in CATALOGUE.models if one.base_price])
def test_a_base_never_costs_more_than_what_is_tuned_from_it(model: Model) -> None:
    assert model.base_price
    assert model.tuned_price
    assert model.base_price.prompt <= model.tuned_price.prompt
    assert model.base_price.usd(1_000_000, 1_000_000) == model.base_price.prompt + model.base_price.answer


def test_412_thousand_tokens_three_times_over_are_3_71_dollars_on_gpt_4o_mini() -> None:
    assert CATALOGUE.price("gpt-4o-mini", 412_000, 3) == PriceRange(3.708, 3.708)


def test_an_estimated_count_is_priced_fifteen_percent_either_way() -> None:
    assert CATALOGUE.price("gpt-4o-mini", 1_000_000, 1, exact=False) == PriceRange(2.55, 3.45)
    assert CATALOGUE.price("gpt-4o-mini", 1_000_000, 1, margin=0.35) == PriceRange(1.95, 4.05)


def test_preferences_may_have_a_price_of_their_own() -> None:
    assert CATALOGUE.price("Qwen/Qwen3-8B", 1_000_000, 1) == PriceRange(0.408, 0.552)
    assert CATALOGUE.price("Qwen/Qwen3-8B", 1_000_000, 1, method="dpo") == PriceRange(1.1475, 1.5525)
    assert CATALOGUE.price("gpt-4.1", 1_000_000, 1, method="dpo") == CATALOGUE.price("gpt-4.1", 1_000_000, 1)


@pytest.mark.parametrize("model", ["o4-mini", "nobody-knows"])
def test_what_is_not_sold_by_the_token_has_no_price(model: str) -> None:
    assert CATALOGUE.price(model, 1_000_000, 1) is None


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(0, 0), (1, 25), (4, 25), (10, 10), (33, 3), (34, 3), (1_204, 3), (8_333, 3), (8_334, 2), (25_001, 1), (10**7, 1)],
)
def test_default_epochs_are_the_provider_s_rule(examples: int, epochs: int) -> None:
    assert default_epochs(examples) == epochs


def test_what_has_shut_down_is_not_on_offer() -> None:
    def ours_and_openai(day: date | None = None) -> list[str]:
        return [model.name for model in CATALOGUE.on_offer(day) if model.provider in {"openai", "trainer"}]

    assert ours_and_openai() == [
        "toy-gpt",
        "gpt-4.1-2025-04-14",
        "gpt-4.1-mini-2025-04-14",
        "gpt-4o-2024-08-06",
        "gpt-4o-mini-2024-07-18",
    ]
    assert ours_and_openai(date(2027, 1, 6)) == ["toy-gpt"]


def test_an_operator_adds_a_model_and_changes_a_price() -> None:
    mine = {
        "as_of": "2026-12-01",
        "models": [
            {"name": "gpt-4o-mini-2024-07-18", "training_usd_per_million": 4},
            {
                "name": "house-model",
                "provider": "trainer",
                "training_usd_per_million": 1,
                "context": 2048,
                "methods": ["supervised"],
                "formats": ["chat"],
            },
        ],
    }
    catalogue = Catalogue.load(msgspec.json.encode(mine))
    assert catalogue.as_of == date(2026, 12, 1)
    assert catalogue.price("gpt-4o-mini", 1_000_000, 1) == PriceRange(4, 4)
    assert catalogue.price("house-model", 1_000_000, 1) == PriceRange(1, 1)
    assert catalogue.price("gpt-4o", 1_000_000, 1) == CATALOGUE.price("gpt-4o", 1_000_000, 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"null", b'{"models": 5}', b'{"models": [5]}', b'{"models": [{"name": "x"}]}', b"\xff",
     b'{"models": [{"context": 5}]}', b'{"models": [{"name": []}]}', b'{"as_of": "soon"}',
     b'{"models": [{"name": "gpt-4o-mini-2024-07-18", "training_usd_per_million": -1}]}',
     b'{"models": [{"name": "gpt-4o-mini-2024-07-18", "training_usd_per_million": NaN}]}',
     b'{"models": [{"name": "gpt-4o-mini-2024-07-18", "output_usd_per_million": 1e999}]}',
     b'{"services": [{"name": "together", "hosting_usd_per_hour": -0.5}]}'],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_refused_with_the_shape_it_should_have(content: bytes) -> None:
    with pytest.raises(UserError) as refusal:
        Catalogue.load(content)
    assert refusal.value.code == "catalogue-invalid"
    assert '"models"' in refusal.value.hint


def test_the_report_prices_each_example_up_to_the_model_s_context() -> None:
    long = chat(0, {"role": "assistant", "content": "word " * 70_000})
    report = report_of(jsonl([long, *map(chat, range(1, 60))]), models=["gpt-4o-mini"])
    tokens = report.tokens.total - report.tokens.max + 65_536
    assert report.tokens.max > 70_000
    assert report.price_usd == {"gpt-4o-mini-2024-07-18": CATALOGUE.price("gpt-4o-mini", tokens, 3)}


def test_a_report_s_price_is_that_of_the_same_examples_for_other_epochs() -> None:
    report = report_of(jsonl([*map(chat, range(60))]))
    price = report.price_for("gpt-4o-mini-2024-07-18", 7)
    assert price == CATALOGUE.price("gpt-4o-mini", report.tokens.total, 7)
    assert report.price_for("gpt-9", 7) is None


def test_without_a_model_all_on_offer_that_take_the_format_are_priced() -> None:
    chats, pairs = (report_of(jsonl([*map(row, range(60))])) for row in (chat, pair))
    on_offer = [model for model in CATALOGUE.on_offer() if "supervised" in model.methods]
    assert set(chats.price_usd) == {model.name for model in on_offer if model.takes("chat")}
    assert set(pairs.price_usd) == {model.name for model in on_offer if model.takes("prompt-completion")}
    assert pairs.price_usd["toy-gpt"] == PriceRange(0, 0)
    assert len(chats.price_usd) > len(pairs.price_usd) > 1
    assert (chats.epochs, chats.prices_as_of, chats.counted_with) == (3, "2026-11-15", "o200k_base")


def test_a_model_counts_with_its_own_tokenizer_and_the_toy_model_s_count_is_an_estimate() -> None:
    content = jsonl([*map(chat, range(60))])
    assert report_of(content, models=["gpt-3.5-turbo"]).counted_with == "cl100k_base"
    assert report_of(content, models=["toy-gpt"]).counted_with == "estimate"
    assert report_of(content, models=["toy-gpt", "gpt-4o"]).counted_with == "o200k_base"


def test_tools_and_pictures_have_no_published_count_and_widen_the_price() -> None:
    tools = [{"type": "function", "function": {"name": "look_up"}}]
    report = report_of(jsonl([chat(0, tools=tools), *map(chat, range(1, 60))]))
    price = report.price_usd["gpt-4o-mini-2024-07-18"]
    assert report.counted_with == "estimate"
    assert price.high / price.low == pytest.approx(1.15 / 0.85, rel=1e-3)


def test_an_unknown_model_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"no model of that name.*gpt-4o-mini"):
        report_of(b"", models=["gpt-9"])
