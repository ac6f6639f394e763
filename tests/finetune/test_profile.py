"""The distribution of tokens: every example in one bar, bars that can be read, and the rows to look at first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.counting.profile import BARS_MAX, LONGEST_ROWS, LongestRows, TokenProfile, bars
from finetune.report import Report
from tests.finetune.rows import chat, jsonl, message, pair, report_of

LENGTHS = st.dictionaries(st.integers(0, 2_000_000), st.integers(1, 1_000_000), max_size=60)


def profile_of(rows: list[Any], **more: Any) -> TokenProfile:
    profile = report_of(jsonl(rows), **more).profile
    assert profile is not None
    return profile


@given(LENGTHS, st.integers(0, 2_000_000))
def test_every_example_is_in_one_bar(lengths: dict[int, int], most: int) -> None:
    edges, counts = bars(lengths, most)
    assert sum(counts) == sum(lengths.values())
    assert len(counts) == max(0, len(edges) - 1) <= BARS_MAX + 1
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        assert count == sum(examples for length, examples in lengths.items() if low <= length < high)


def test_bars_are_of_one_round_width() -> None:
    edges, counts = bars({103: 400, 150: 20, 311: 1}, 311)
    assert edges == tuple(range(100, 330, 10))
    assert (counts[0], counts[5], counts[21]) == (400, 20, 1)


def test_a_few_examples_have_fewer_bars() -> None:
    assert bars({103: 4, 150: 2, 311: 1}, 311) == ((100, 150, 200, 250, 300, 350), (4, 2, 0, 0, 1))


def test_bars_double_where_a_few_examples_are_very_long() -> None:
    edges, counts = bars({100: 500, 120: 400, 60_000: 1}, 120)
    assert edges[1:3] == (16, 32)
    assert edges[-1] == 65_536
    assert (counts[-1], sum(counts)) == (1, 901)


@given(st.lists(st.integers(1, 50), max_size=80))
def test_the_longest_rows_are_kept_the_first_of_equals(lengths: list[int]) -> None:
    longest = LongestRows()
    for row, tokens in enumerate(lengths, start=1):
        if tokens > longest.shorter:
            longest.add(row, tokens)
    every = sorted(((row, tokens) for row, tokens in enumerate(lengths, start=1)), key=lambda one: (-one[1], one[0]))
    assert longest.rows() == tuple(every[:LONGEST_ROWS])


def test_a_report_knows_its_longest_rows_by_their_lines() -> None:
    rows = [chat(number) for number in range(20)]
    rows[7]["messages"][1]["content"] = "very " * 50 + "long"
    rows[12]["messages"][1]["content"] = "very " * 90 + "long"
    profile = profile_of(rows)
    assert [row for row, _ in profile.longest[:2]] == [13, 8]
    assert profile.longest[0][1] == report_of(jsonl(rows)).tokens.max
    assert sum(profile.counts) == 20


def test_replies_that_are_skipped_are_not_learnt() -> None:
    turns = [message("assistant", "one", weight=0), message("user", "and?"), message("assistant", "two")]
    rows = [chat(number, *turns) for number in range(6)] + [chat(number) for number in range(6)]
    profile = profile_of(rows)
    assert (profile.replies, profile.trained) == (18, 12)
    assert profile_of([pair(number) for number in range(12)]).trained == 12


@pytest.mark.parametrize(("models", "context"), [((), 0), (("toy-gpt",), 1_024), (("gpt-4o-mini", "toy-gpt"), 1_024)])
def test_rows_that_are_cut_are_counted_by_the_shortest_context(models: tuple[str, ...], context: int) -> None:
    rows = [chat(number) for number in range(12)]
    rows[3]["messages"][1]["content"] = "word " * 2_000
    profile = profile_of(rows, models=models)
    assert (profile.context, profile.cut) == (context, int(bool(models)))


def test_a_report_without_examples_has_no_profile_and_an_older_report_is_read() -> None:
    assert report_of(b"nothing\n").profile is None
    report = report_of(jsonl([*map(chat, range(12))]))
    assert Report.from_json(report.as_json()) == report
    older = {name: value for name, value in report.as_json().items() if name != "profile"}
    assert Report.from_json(older).profile is None
