"""The picture of how long examples are: any title and any distribution, and the figures below it in words."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.counting.profile import TokenProfile, bars
from finetune.report import Tokens
from tests.finetune.rows import chat, jsonl, report_of
from workers.fonts import font_for
from workers.tokens_chart import TITLE_MAX, drawable, figures, tokens_chart

TOKENS = Tokens(total=900, max=90, p50=40, p95=80)


def a_profile(**changes: Any) -> TokenProfile:
    values: dict[str, Any] = {
        "edges": (0, 50, 100),
        "counts": (12, 6),
        "longest": ((17, 90), (3, 88)),
        "replies": 30,
        "trained": 30,
    }
    return TokenProfile(**values | changes)


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize(
    "title", ["tickets.csv", "지원 대화.jsonl", "サポート会話.xlsx", "$x^2_{$", "\ud83d\u0007", "🙂" * 90]
)
def test_a_dataset_of_any_name_has_a_picture_for_a_phone(title: str) -> None:
    report = report_of(jsonl([*map(chat, range(12))]))
    assert report.profile is not None
    assert size_of(tokens_chart(report.profile, report.tokens, title=title)) == (1080, 630)


@settings(deadline=None, max_examples=10)
@given(st.dictionaries(st.integers(1, 2_000_000), st.integers(1, 10**6), min_size=1), st.integers(0, 10**6))
def test_any_distribution_can_be_drawn(lengths: dict[int, int], cut: int) -> None:
    edges, counts = bars(lengths, 100)
    profile = TokenProfile(edges=edges, counts=counts, cut=cut, context=65_536)
    assert size_of(tokens_chart(profile, Tokens(1, 2_000_000, 40, 100), title="a")) == (1080, 630)


def test_the_figures_are_said_in_words() -> None:
    assert figures(a_profile(trained=24, cut=3, context=1_024), TOKENS) == [
        "tokens in an example: 95% have 80 or fewer",
        "longest: row 17 (90), row 3 (88)",
        "24 of 30 replies are learnt",
        "3 rows are longer than 1,024 tokens, and cut there",
    ]
    assert figures(a_profile(), TOKENS)[-1] == "all 30 replies are learnt"
    assert figures(a_profile(longest=(), replies=0, cut=1, context=9), TOKENS)[1:] == [
        "1 row is longer than 9 tokens, and cut there"
    ]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=120))
def test_a_title_is_cut_to_what_a_font_can_draw(text: str) -> None:
    shown, fonts = drawable(text)
    assert 0 <= len(shown) <= TITLE_MAX + 2
    assert shown.replace("…", "").isascii() or (fonts and font_for(shown) == fonts["fontfamily"])
