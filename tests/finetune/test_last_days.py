"""When models end, and what could take their place."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from finetune.catalogue import Catalogue
from finetune.check import check
from finetune.last_days import base_of, distance, ending, stop_of
from finetune.replacement import replacements

TODAY = date(2026, 11, 21)
CATALOGUE = Catalogue.load()
TUNED = "ft:gpt-4o-mini-2024-07-18:acme:bot:Ab1"
END = date(2027, 1, 14)
LASTING = b"""{"models": [
  {"name": "open-8b", "provider": "together", "training_usd_per_million": 4, "context": 32768,
   "methods": ["supervised"], "formats": ["chat"]},
  {"name": "open-70b", "provider": "together", "training_usd_per_million": 30, "context": 32768,
   "shutdown": "2028-01-01", "methods": ["supervised"], "formats": ["chat"]}]}"""


def chat(count: int = 20) -> list[bytes]:
    row = '{"messages": [{"role": "user", "content": "ticket %d"}, {"role": "assistant", "content": "billing"}]}\n'
    return [(row % number).encode() for number in range(count)]


@pytest.mark.parametrize(
    ("name", "base"),
    [
        (TUNED, "gpt-4o-mini-2024-07-18"),
        ("ft:toy-gpt:local:bot:12:ckpt-step-7", "toy-gpt"),
        ("gpt-4.1-2025-04-14", "gpt-4.1-2025-04-14"),
        ("", ""),
    ],
)
def test_a_tuned_models_name_tells_its_base(name: str, base: str) -> None:
    assert base_of(name) == base


def test_own_day_counts_before_the_bases_and_the_providers_before_the_tables() -> None:
    own, base = date(2026, 12, 1), date(2026, 12, 24)
    assert stop_of(TUNED, "gpt-4o-mini-2024-07-18", {TUNED: own, "gpt-4o-mini-2024-07-18": base}, CATALOGUE) == own
    assert stop_of(TUNED, "gpt-4o-mini-2024-07-18", {"gpt-4o-mini-2024-07-18": base}, CATALOGUE) == base
    assert stop_of(TUNED, "gpt-4o-mini-2024-07-18", {}, CATALOGUE) == END
    assert stop_of("ft:2", TUNED, {}, CATALOGUE) == END, "trained on from a tuned model"
    assert stop_of("x", "nobody-knows", {}, CATALOGUE) is None


def test_what_ends_is_said_while_it_is_in_sight_only() -> None:
    model = CATALOGUE.get("gpt-4.1")
    assert model is not None
    assert ending(model, TODAY) == "takes no new jobs from 2027-01-06 and stops on 2027-01-14"
    assert ending(model, date(2027, 1, 10)) == "takes no new jobs since 2027-01-06 and stops on 2027-01-14"
    assert ending(model, date(2027, 2, 1)) == "takes no new jobs since 2027-01-06 and stopped on 2027-01-14"
    assert ending(model, TODAY, timedelta(days=50)) == "takes no new jobs from 2027-01-06"
    assert ending(model, date(2026, 1, 1)) == ""


@pytest.mark.parametrize(
    ("days", "said"),
    [(54, "in 54 days"), (1, "tomorrow"), (0, "today"), (-1, "yesterday"), (-3, "3 days ago"), (2000, "in 2,000 days")],
)
def test_a_day_is_told_from_today(days: int, said: str) -> None:
    assert distance(TODAY + timedelta(days=days), TODAY) == said


def test_what_outlives_the_old_model_comes_first_and_then_the_cheapest() -> None:
    catalogue = Catalogue.load(LASTING)
    report = check(chat(), filename="rows.jsonl", catalogue=catalogue, alone=True)
    found = replacements(report, catalogue, TODAY, stops=END)
    names = [one.model.name for one in found]
    lasting = [one.model.name for one in found if one.outlives]
    assert {"toy-gpt", "open-8b", "open-70b"} <= set(lasting)
    assert names[: len(lasting)] == lasting
    for group in (found[: len(lasting)], found[len(lasting) :]):
        prices = [one.price.high for one in group if one.price]
        assert prices == sorted(prices)
    assert [one.model.name for one in found if one.model.name.startswith("gpt-")] == [
        "gpt-4o-mini-2024-07-18", "gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14", "gpt-4o-2024-08-06",
    ]  # fmt: skip
    assert not any(one.outlives for one in found if one.model.shutdown == END)


def test_models_that_are_closed_or_take_other_rows_are_not_among_them() -> None:
    report = check(chat(), filename="rows.jsonl", catalogue=CATALOGUE, alone=True)
    names = {one.model.name for one in replacements(report, CATALOGUE, date(2027, 1, 7))}
    assert "toy-gpt" in names
    assert not {name for name in names if name.startswith(("gpt-", "davinci", "babbage", "o4"))}


def test_epochs_of_the_old_run_are_what_is_quoted() -> None:
    report = check(chat(), filename="rows.jsonl", catalogue=CATALOGUE, alone=True)
    by_name = {one.model.name: one for one in replacements(report, CATALOGUE, TODAY, epochs=2 * report.epochs)}
    one = by_name["gpt-4o-mini-2024-07-18"]
    assert one.price is not None
    assert one.price.high == pytest.approx(2 * report.price_usd["gpt-4o-mini-2024-07-18"].high)


def test_a_model_the_report_knows_nothing_of_is_quoted_from_all_its_tokens() -> None:
    report = check(chat(), filename="rows.jsonl", catalogue=CATALOGUE, alone=True)
    later = Catalogue.load(LASTING)
    one = next(one for one in replacements(report, later, TODAY) if one.model.name == "open-8b")
    exact = report.tokens.total * report.epochs * 4 / 1_000_000
    assert one.price is not None
    assert one.price.low < exact < one.price.high


def test_rows_that_cannot_be_read_have_no_replacement() -> None:
    report = check([b""], filename="rows.jsonl", catalogue=CATALOGUE, alone=True)
    assert replacements(report, CATALOGUE, TODAY) == []


def test_a_toy_takes_the_place_of_toys_only() -> None:
    report = check(chat(), filename="rows.jsonl", catalogue=CATALOGUE, alone=True)

    def names(base: str) -> set[str]:
        return {one.model.name for one in replacements(report, CATALOGUE, TODAY, base=base)}

    assert "toy-gpt" not in names("gpt-4o-mini-2024-07-18")
    assert "toy-gpt" not in names("nobody-knows")
    assert "toy-gpt" in names("toy-gpt")
    assert names("toy-gpt") >= names("gpt-4o-mini-2024-07-18")
